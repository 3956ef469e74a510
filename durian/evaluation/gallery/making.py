"""Making of a gallery: each pair by each method, and the page after every pair; a run that was stopped goes on."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from durian.errors import InvalidRequest, OutputFailed
from durian.evaluation.gallery.key import (
    KEY,
    LONGEST_SENTENCE,
    Key,
    LookRecord,
    PairRecord,
    look_key,
    new_name,
    read_key,
    request_key,
    write_key,
)
from durian.evaluation.gallery.page import MEDIA, PAGE, write_page
from durian.evaluation.gallery.pairs import Pair
from durian.evaluation.gallery.rendering import (
    ITEM,
    PORTRAIT,
    is_whole,
    look_files,
    request_of,
    write_inputs,
    write_look,
)
from durian.evaluation.methods.methods import MethodSpec, Rendered, check_distinct, process_method
from durian.evaluation.run.results import told
from durian.request import AnimationRequest, RenderOptions

FOLDER = "page"
"""The folder that is given to raters: the page and its media, without the key."""
MOST_METHODS = 4
"""Side by side; of more nobody says which is best in a few seconds (taste)."""
OURS = re.compile(r"[0-9a-f]{16}[-.]")
"""Beginning of the names of media."""
NO_RENDERERS = ("still", "paste", "frames")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GalleryOptions:
    """``out``: the gallery's folder. ``size`` in pixels and ``frames`` of each clip. ``seed`` of the order that raters
    see. ``again``: make what is there anew."""

    out: Path
    size: int = 512
    frames: int = 48
    seed: int = 0
    again: bool = False


def make_gallery(pairs: Sequence[Pair], methods: Sequence[MethodSpec], options: GalleryOptions) -> dict[str, object]:
    """Render all pairs by all methods, and write the page.

    What is there already is kept if its files, settings, method and the code that renders are the same. A pair that
    fails is an entry with its sentence; the next run tries it again.

    Returns:
        ``page``, ``key``, ``pairs``, ``methods``, ``done`` (looks that the page shows, of pairs × methods), ``kept``
        (those of them that were there), ``failed``, ``failures`` (``pair``, ``method``, ``error``) and ``seconds``.

    Raises:
        InvalidRequest: methods that do not go together, or a size or number of frames that cannot be rendered.
        OutputFailed: nothing can be written there.
    """
    from tqdm import tqdm

    _check(methods, options)
    started, kept = time.perf_counter(), 0
    media = options.out / FOLDER / MEDIA
    media.mkdir(parents=True, exist_ok=True)
    key = _begun(options, pairs, methods)
    for pair in tqdm(pairs, unit="pair", file=sys.stderr):
        key, found = _with_pair(key, pair, methods, options)
        kept += found
        write_key(options.out, key)
        write_page(options.out / FOLDER, key)
    _delete_leftovers(media, key)
    looks = [(pair.number, method.name, key.look(pair.number, method.name)) for pair in pairs for method in methods]
    failures = [
        {"pair": pair, "method": name, "error": look.error} for pair, name, look in looks if look and look.error
    ]
    for failure in failures:
        print(f"pair {failure['pair']} by {failure['method']}: {failure['error']}", file=sys.stderr)
    return {
        "page": str(options.out / FOLDER / PAGE),
        "key": str(options.out / KEY),
        "pairs": len(pairs),
        "methods": list(key.methods),
        "done": len(looks) - len(failures),
        "kept": kept,
        "failed": len(failures),
        "failures": failures,
        "seconds": round(time.perf_counter() - started, 3),
    }


def _check(methods: Sequence[MethodSpec], options: GalleryOptions) -> None:
    RenderOptions(size=options.size, frames=options.frames)  # says what is wrong with them
    check_distinct(methods)
    if len(methods) > MOST_METHODS:
        raise InvalidRequest(f"{len(methods)} methods are too many side by side: give at most {MOST_METHODS}.")
    for method in methods:
        if method.kind in NO_RENDERERS:
            raise _renders_nothing(method)


def _renders_nothing(method: MethodSpec) -> InvalidRequest:
    return InvalidRequest(f"Method {method.kind} renders no pair: give preview, diffusion or diffusion=MODEL.")


def _begun(options: GalleryOptions, pairs: Sequence[Pair], methods: Sequence[MethodSpec]) -> Key:
    """The key of this run, before its first pair: what earlier runs made is still known, and shown meanwhile."""
    earlier = read_key(options.out)
    numbers = [pair.number for pair in pairs]
    return Key(
        gallery=earlier.gallery if earlier else new_name(),
        seed=options.seed,
        size=options.size,
        frames=options.frames,
        methods=tuple(method.name for method in methods),
        pairs=tuple(record for record in earlier.pairs if record.number in numbers) if earlier else (),
        looks=earlier.looks if earlier else (),
    )


def _with_pair(key: Key, pair: Pair, methods: Sequence[MethodSpec], options: GalleryOptions) -> tuple[Key, int]:
    """The key with one pair whose missing pictures were made, and how many of its looks were there."""
    media = options.out / FOLDER / MEDIA
    asked = request_key(pair, options.size, options.frames)
    digests = {method: look_key(asked, method) for method in methods}
    missing = [method for method in methods if options.again or not _is_kept(key, pair, method, digests[method], media)]
    record = next((record for record in key.pairs if record.number == pair.number), None)
    kept = len(methods) - len(missing)
    if not missing and record is not None and record.key == asked and is_whole(media, _input_files(record)):
        return key, kept
    record = PairRecord(pair.number, pair.kind, pair.told, new_name(), asked, tuple(name for _, name in pair.items))
    request: AnimationRequest | str
    try:
        request = request_of(pair, options.size, options.frames)
        write_inputs(media, record.name, request)
    except OutputFailed:
        raise  # a full disk is no fault of the pair
    except Exception as error:
        log.info("Pair %s cannot be prepared.", pair.number, exc_info=True)
        request = told(error)[:LONGEST_SENTENCE]
        record = replace(record, error=request)
    looks = {(look.pair, look.method): look for look in key.looks}
    for method in missing:
        looks[pair.number, method.name] = _look(pair, method, digests[method], request, options)
    records = {known.number: known for known in key.pairs} | {pair.number: record}
    return replace(key, pairs=tuple(records.values()), looks=tuple(looks.values())), kept


def _is_kept(key: Key, pair: Pair, method: MethodSpec, digest: str, media: Path) -> bool:
    look = key.look(pair.number, method.name)
    if look is None or look.error is not None or look.key != digest:
        return False
    return is_whole(media, look_files(look.name, key.frames))


def _look(
    pair: Pair, method: MethodSpec, digest: str, request: AnimationRequest | str, options: GalleryOptions
) -> LookRecord:
    """Render one look; a request that is a sentence could not be made."""
    look = LookRecord(pair.number, method.name, new_name(), digest)
    if isinstance(request, str):
        return replace(look, error=request)
    started = time.perf_counter()
    try:
        made = process_method(method, options.size)
        if not isinstance(made, Rendered):
            raise _renders_nothing(method)
        renderer = made.renderer
        own = replace(request, renderer=renderer.name)
        write_look(options.out / FOLDER / MEDIA, look.name, own, renderer)
    except OutputFailed:
        raise
    except Exception as error:  # one pair must not end a night's run
        log.info("%s fails on pair %s.", method.name, pair.number, exc_info=True)
        return replace(look, error=told(error)[:LONGEST_SENTENCE])
    return replace(look, seconds=round(time.perf_counter() - started, 3))


def _input_files(record: PairRecord) -> list[str]:
    return [PORTRAIT.format(record.name), *(ITEM.format(record.name, index) for index in range(len(record.items)))]


def _delete_leftovers(media: Path, key: Key) -> None:
    """Delete pictures that no record names any more, and those of looks that failed half-way."""
    known = {file for look in key.looks if look.error is None for file in look_files(look.name, key.frames)}
    known |= {file for record in key.pairs for file in _input_files(record)}
    for path in media.iterdir():
        if OURS.match(path.name) and path.name not in known:
            path.unlink(missing_ok=True)
