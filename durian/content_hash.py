"""Digests of anything a request is made of, used to compare and name requests and to cache by content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

DIGEST_BYTES = 16
"""128 bits: no two requests meet by chance."""


def content_hash(value: Any) -> str:
    """A hexadecimal digest of ``value``'s content.

    >>> content_hash({"frames": 24, "size": 512}) == content_hash({"size": 512, "frames": 24.0})
    True
    >>> content_hash(["ab", "c"]) == content_hash(["a", "bc"])
    False

    Args:
        value: dataclasses, mappings, lists, tuples, arrays, strings, numbers, booleans and ``None``, nested freely.

    Returns:
        32 hexadecimal digits, equal for equal content whatever the objects' identity.

    Raises:
        TypeError: something else is inside.
    """
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    # Each piece starts with its kind and length, so that neighbours cannot run into one another.
    if isinstance(value, np.ndarray):
        digest.update(f"array {value.dtype.str} {value.shape};".encode())
        digest.update(np.ascontiguousarray(value).data)
    elif is_dataclass(value) and not isinstance(value, type):
        digest.update(f"{type(value).__name__} {len(fields(value))};".encode())
        for f in fields(value):
            digest.update(f"{f.name};".encode())
            _feed(digest, getattr(value, f.name))
    elif isinstance(value, Mapping):
        digest.update(f"mapping {len(value)};".encode())
        for key in sorted(value):
            _feed(digest, key)
            _feed(digest, value[key])
    elif isinstance(value, (list, tuple)):
        digest.update(f"sequence {len(value)};".encode())
        for item in value:
            _feed(digest, item)
    elif isinstance(value, str):
        digest.update(f"text {len(value.encode())};{value}".encode())
    elif isinstance(value, bytes):
        digest.update(f"bytes {len(value)};".encode() + value)
    elif value is None or isinstance(value, (bool, np.bool_)):
        digest.update(f"{value};".encode())
    elif isinstance(value, (int, float, np.number)):
        # 24 and 24.0 are the same setting.
        digest.update(f"number {float(value)!r};".encode())
    else:
        raise TypeError(f"A {type(value).__name__} has no content hash.")
