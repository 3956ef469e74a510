"""Results kept by the content of their pictures, and for how long."""

from __future__ import annotations

import time

import numpy as np
import pytest

from durian.content_cache import (
    PRESENT_SECONDS,
    ContentCache,
    current_client,
    forget_unused,
    keep_within,
    kept_for,
)
from durian.engine.storage import Storage
from durian.settings import Settings, get_settings
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


def test_after_a_client_s_turn_results_are_kept_for_whom_they_were_before():
    before = current_client()
    with kept_for("first"):
        with kept_for("second"):
            pass
        assert current_client() == "first"
    assert current_client() == before
    with pytest.raises(ZeroDivisionError), kept_for("first"):
        1 // 0  # noqa: B018
    assert current_client() == before


def test_what_is_there_for_everybody_is_found_by_every_client():
    cache = ContentCache(8)
    cache.get(SECOND, lambda _: "an example's")
    with kept_for("first"):
        assert cache.get(SECOND, lambda _: "made again") == "an example's"
        assert cache.known(SECOND) == "an example's"


def test_threads_beside_work_for_the_same_client():
    with kept_for("first"):
        assert side_by_side(current_client, current_client) == ("first", "first")


def test_each_client_has_the_entries_for_itself():
    cache = ContentCache(1)
    for client in ("first", "second"):
        with kept_for(client):
            cache.get(FIRST, lambda _: current_client())
    for client in ("first", "second"):
        with kept_for(client):
            assert cache.known(FIRST) == client


def _fill(cache: ContentCache, client: str, megabytes: int) -> None:
    """A result of one megabyte for each of so many pictures."""
    with kept_for(client):
        for number in range(megabytes):
            cache.get(_picture(number), lambda _: np.zeros(1_000_000, np.uint8))


def _kept(cache: ContentCache, client: str, megabytes: int) -> list[int]:
    with kept_for(client):
        return [number for number in range(megabytes) if cache.known(_picture(number)) is not None]


def _picture(number: int) -> np.ndarray:
    return np.full((2, 2, 3), number, np.uint8)


def test_who_holds_more_than_a_share_loses_the_oldest_results():
    forget_unused(0, now=time.monotonic() + 1)
    caches = [ContentCache(40), ContentCache(40)]
    _fill(caches[0], "small", 3)
    _fill(caches[1], "large", 17)
    keep_within(30e6)
    assert _kept(caches[1], "large", 17) == list(range(17))
    # Nine megabytes are left, of which the small one keeps its three, though they are the oldest.
    keep_within(10e6)
    assert _kept(caches[0], "small", 3) == [0, 1, 2]
    assert _kept(caches[1], "large", 17) == list(range(11, 17))


def test_who_was_not_here_of_late_has_no_share():
    forget_unused(0, now=time.monotonic() + 1)
    cache = ContentCache(40)
    _fill(cache, "gone", 4)
    gone = time.monotonic()
    time.sleep(0.05)
    _fill(cache, "here", 8)
    keep_within(10e6, now=gone + PRESENT_SECONDS + 0.01)
    assert _kept(cache, "gone", 4) == [3]
    assert _kept(cache, "here", 8) == list(range(8))


def test_a_new_result_makes_room(monkeypatch):
    monkeypatch.setenv("DURIAN_CACHE_MB", "10")
    get_settings.cache_clear()
    try:
        cache = ContentCache(40)
        # What tests before this one found room for does not count any more.
        keep_within(0)
        _fill(cache, "client", 30)
        kept = _kept(cache, "client", 30)
    finally:
        get_settings.cache_clear()
    assert kept == list(range(30 - len(kept), 30))
    assert 9 <= len(kept) <= 10


def test_what_a_result_works_out_later_is_measured_when_it_is_asked_for():
    forget_unused(0, now=time.monotonic() + 1)
    cache = ContentCache(4)
    found = cache.get(FIRST, lambda _: {})
    found["later"] = np.zeros(2_000_000, np.uint8)
    assert keep_within(1e6) == 0
    cache.get(FIRST, lambda _: {})
    assert keep_within(1e6) == 1
    assert cache.known(FIRST) is None


def test_the_room_of_caches_is_no_negative_number():
    with pytest.raises(ValueError, match=r"^DURIAN_CACHE_MB must be 0 or above, not -1\.$"):
        Settings(cache_mb=-1)
