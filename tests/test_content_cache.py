"""Results kept by the content of their pictures, and for how long."""

from __future__ import annotations

import time

import numpy as np

from durian.content_cache import ContentCache, current_client, forget_unused, kept_for
from durian.engine.storage import Storage
from durian.settings import Settings
from durian.side_by_side import side_by_side

FIRST, SECOND = (np.full((4, 4, 3), value, np.uint8) for value in (1, 2))


def test_what_nobody_asked_for_goes_and_what_is_used_stays():
    cache = ContentCache(4)
    for picture in (FIRST, SECOND):
        cache.get(picture, lambda image: int(image[0, 0, 0]))
    time.sleep(0.05)
    used = time.monotonic()
    assert cache.get(FIRST, lambda _: -1) == 1
    assert cache.forget_before(used) == 1
    assert cache.known(FIRST) == 1
    assert cache.known(SECOND) is None


def test_all_caches_forget():
    caches = [ContentCache(4), ContentCache(4)]
    for cache in caches:
        cache.get(FIRST, lambda _: "made")
    assert forget_unused(10, now=time.monotonic() + 11) >= 2
    assert all(cache.known(FIRST) is None for cache in caches)


def test_the_newest_stay_when_there_are_too_many():
    cache = ContentCache(2)
    pictures = [np.full((2, 2, 3), value, np.uint8) for value in range(3)]
    for picture in (pictures[0], pictures[1], pictures[0], pictures[2]):
        cache.get(picture, lambda image: int(image[0, 0, 0]))
    assert [cache.known(picture) for picture in pictures] == [0, None, 2]


def test_the_sweeper_forgets_what_was_made_of_pictures_with_their_files(tmp_path):
    cache = ContentCache(2)
    cache.get(FIRST, lambda _: "made")
    storage = Storage(Settings(work=tmp_path, keep_seconds=1))
    storage.start_sweeping()
    try:
        deadline = time.monotonic() + 20
        while cache.known(FIRST) is not None and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        storage.close()
    assert cache.known(FIRST) is None


def test_what_is_kept_for_a_client_is_found_by_nobody_else():
    cache, made = ContentCache(8), []

    def make(image: np.ndarray) -> int:
        made.append(current_client())
        return len(made)

    with kept_for("first"):
        assert cache.get(FIRST, make) == cache.get(FIRST, make) == 1
        assert cache.known(FIRST) == 1
    with kept_for("second"):
        assert cache.known(FIRST) is None
        assert cache.get(FIRST, make) == 2
    assert made == ["first", "second"]
    with kept_for("first"):
        assert cache.get(FIRST, make) == 1


def test_what_is_there_for_everybody_is_found_by_every_client():
    cache = ContentCache(8)
    cache.get(SECOND, lambda _: "an example's")
    with kept_for("first"):
        assert cache.get(SECOND, lambda _: "made again") == "an example's"
        assert cache.known(SECOND) == "an example's"


def test_threads_beside_work_for_the_same_client():
    with kept_for("first"):
        assert side_by_side(current_client, current_client) == ("first", "first")
