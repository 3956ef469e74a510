"""The smallest ONNX file that a face recogniser can be: one matrix. Written by hand, as ``onnx`` wants a protobuf that
MediaPipe does not take."""

from __future__ import annotations

from pathlib import Path

import numpy as np

FLOAT, OPSET = 1, 13


def write_linear_model(path: Path, matrix: np.ndarray, side: int) -> None:
    """A model that flattens ``(1, 3, side, side) float32`` and multiplies it with ``matrix`` ``(3 · side², D)``."""
    flatten = text(1, "faces") + text(2, "flat") + text(4, "Flatten")
    multiply = text(1, "flat") + text(1, "matrix") + text(2, "embedding") + text(4, "MatMul")
    tensor = b"".join(number(1, size) for size in matrix.shape) + number(2, FLOAT) + text(8, "matrix")
    tensor += part(9, np.ascontiguousarray(matrix, "<f4").tobytes())
    graph = part(1, flatten) + part(1, multiply) + text(2, "recogniser") + part(5, tensor)
    graph += part(11, value("faces", (1, 3, side, side))) + part(12, value("embedding", (1, matrix.shape[1])))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(number(1, 8) + part(7, graph) + part(8, number(2, OPSET)))


def value(name: str, shape: tuple[int, ...]) -> bytes:
    """A ``ValueInfoProto`` of floats."""
    sizes = b"".join(part(1, number(1, size)) for size in shape)
    return text(1, name) + part(2, part(1, number(1, FLOAT) + part(2, sizes)))


def part(field: int, data: bytes) -> bytes:
    """Bytes of a message's field."""
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def text(field: int, words: str) -> bytes:
    return part(field, words.encode())


def number(field: int, count: int) -> bytes:
    return _varint(field << 3) + _varint(count)


def _varint(count: int) -> bytes:
    digits = []
    while count > 127:
        digits.append(count & 127 | 128)
        count >>= 7
    return bytes([*digits, count])
