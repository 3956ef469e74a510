"""A folder of clips with a report: made by several processes or machines; a run that was stopped goes on."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict
from functools import partial
from pathlib import Path

from durian.errors import InvalidRequest, OutputFailed
from durian.manifest import check_manifest
from durian.media.files import atomic_output
from durian.processes import process_pool
from durian.training.preparation.files import files_below
from durian.training.preparation.record import Record, read_record, summary, unreadable, write_record
from durian.training.preparation.settings import Preparation

log = logging.getLogger(__name__)

ABOUT, REPORT, RECORD = "about.json", "report{}.json", ".record.json"
"""Names of the files with a folder's settings and with a shard's report, and the ending of a source's record."""


def prepare(
    wanted: Preparation,
    shard: tuple[int, int] = (1, 1),
    workers: int = 1,
    on_source: Callable[[int, int], None] | None = None,
) -> dict[str, object]:
    """Make the clips that a folder lacks; they do not depend on who makes them, or when.

    Args:
        wanted: the settings.
        shard: the number of this part and how many there are, from 1; every so manyth source is this part's.
        workers: processes, of one thread each.
        on_source: called with (sources done, sources that were missing), first with 0.

    Returns:
        :func:`~durian.training.preparation.record.summary` of the shard; it is in ``report.json``, or in
        ``report-1-of-4.json``, too, with each source's ``records``.

    Raises:
        InvalidRequest: no sources, or the folder holds clips of other settings.
    """
    part, parts = shard
    if not 1 <= part <= parts:
        raise InvalidRequest(f"Shard {part}/{parts} does not exist: give numbers such as 1/{max(1, parts)}.")
    sources = find_sources(wanted)
    check_manifest(wanted.out / ABOUT, wanted.about(), "clips")
    mine = sources[part - 1 :: parts]
    missing = [source for source in mine if _record(source, wanted) is None]
    if on_source is not None:
        on_source(0, len(missing))
    for done, _ in enumerate(_all_made(missing, wanted, workers), start=1):
        if on_source is not None:
            on_source(done, len(missing))
    records = [_record_of_made(source, wanted) for source in mine]
    report = {**summary(records), "shard": f"{part}/{parts}"}
    path = wanted.out / REPORT.format("" if parts == 1 else f"-{part}-of-{parts}")
    _write(path, {**report, "records": [asdict(record) for record in records]})
    return report


def _record_of_made(source: str, wanted: Preparation) -> Record:
    record = _record(source, wanted)
    if record is None:
        raise OutputFailed(f"Clips of {source} were deleted while others were made: start again.")
    return record


def find_sources(wanted: Preparation) -> list[str]:
    """Names of the videos, photos or scenes, in order.

    Raises:
        InvalidRequest: there are none.
    """
    if wanted.kind == "scenes":
        from durian.synthetic.scenes.scene_reading import scene_names

        found, what = scene_names(wanted.sources), "scenes (NNNNN.json), as durian synth render makes them"
    elif wanted.kind == "portraits":
        from durian.training.preparation.portraits import PORTRAIT_ENDINGS

        found, what = files_below(wanted.sources, PORTRAIT_ENDINGS), f"photos ({', '.join(PORTRAIT_ENDINGS)})"
    else:
        from durian.training.preparation.videos import VIDEO_ENDINGS

        found, what = files_below(wanted.sources, VIDEO_ENDINGS), f"videos ({', '.join(VIDEO_ENDINGS)})"
    if not found:
        raise InvalidRequest(f"{wanted.sources} holds nothing to prepare: give a folder of {what}.")
    return found


def prepare_source(source: str, wanted: Preparation) -> None:
    """Make the clips of one source, here, and then its record."""
    if wanted.kind == "scenes":
        from durian.training.preparation.scenes import prepare_scene as make
    elif wanted.kind == "portraits":
        from durian.training.preparation.portraits import prepare_portrait as make
    else:
        from durian.training.preparation.videos import prepare_video as make
    try:
        record = make(source, wanted)
        if wanted.drafts:
            from durian.training.preparation.drafts import add_drafts

            for made in record.made:
                add_drafts((wanted.out / source).parent / made.file, wanted.drafts)
    except (OSError, MemoryError):
        raise  # of the machine, not of the source
    except Exception as error:
        # One odd file among thousands must not end the run, nor every run that goes on with it.
        log.exception("%s could not be prepared.", source)
        record = unreadable(source, f"Something broke inside ({type(error).__name__}: {error}).")
    write_record(record, wanted.out / f"{source}{RECORD}")


def _all_made(sources: Sequence[str], wanted: Preparation, workers: int) -> Iterator[None]:
    """Nothing, each time that another source is done."""
    make = partial(prepare_source, wanted=wanted)
    workers = min(max(1, workers), len(sources))
    if not workers:
        return
    with process_pool(workers) as pool:
        try:
            for future in as_completed([pool.submit(make, source) for source in sources]):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _record(source: str, wanted: Preparation) -> Record | None:
    return read_record(wanted.out / f"{source}{RECORD}")


def _write(path: Path, values: dict[str, object]) -> None:
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1))
