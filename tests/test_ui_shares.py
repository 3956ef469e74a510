"""Shares by address of what all visitors use; a site of IPv6 has two, however many addresses it has."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from clock_made import Clock

from durian.errors import OutputFailed, QueueFull
from durian.settings import Settings
from durian.ui import shares as shares_module
from durian.ui.shares import (
    ADDRESSES_KEPT,
    SHARES_OF_A_SITE,
    UPLOADS_AT_ONCE,
    Shares,
    networks_of,
    shared_address,
    site_of,
)
from durian.ui.visitors import Visitors


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shares(clock: Clock) -> Shares:
    settings = Settings(visitor_pages=3, visitor_calls=2, visitor_requests=60, visitor_upload_mb=1, keep_seconds=3600)
    return Shares(settings, clock)


def test_calls_are_counted_for_an_address_and_come_back(shares: Shares, clock: Clock):
    for _ in range(2):
        shares.count_call("1.2.3.4")
    with pytest.raises(QueueFull, match=r"More than 2 calls .* wait 30 s"):
        shares.count_call("1.2.3.4")
    shares.count_call("5.6.7.8")
    clock.now += 30.1
    shares.count_call("1.2.3.4")
    with pytest.raises(QueueFull):
        shares.count_call("1.2.3.4")
    clock.now += 3600
    shares.count_call("1.2.3.4")
    shares.count_call("1.2.3.4")
    with pytest.raises(QueueFull):
        shares.count_call("1.2.3.4")


def test_uploads_are_counted_for_as_long_as_they_are_kept(shares: Shares, clock: Clock):
    shares.count_file("1.2.3.4", 600_000)
    with pytest.raises(QueueFull, match="More than 1 MB"):
        shares.count_file("1.2.3.4", 600_000)
    shares.count_file("1.2.3.4", 400_000)
    clock.now += 3601
    shares.count_file("1.2.3.4", 1_000_000)


def test_a_request_may_count_as_several(clock: Clock):
    shares = Shares(Settings(visitor_requests=60), clock)
    for _ in range(3):
        shares.count_request("1.2.3.4", 20)
    with pytest.raises(QueueFull, match="wait 20 s"):
        shares.count_request("1.2.3.4", 20)
    clock.now += 19
    with pytest.raises(QueueFull):
        shares.count_request("1.2.3.4", 20)
    shares.count_request("1.2.3.4", 19)
    Shares(Settings(visitor_requests=5), clock).count_request("1.2.3.4", 20)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A disk with ``room`` bytes left; ``looks`` tells how often somebody has asked."""
    disk = SimpleNamespace(room=10**12, looks=0)

    def room_on_disk(folder: Path) -> int:
        disk.looks += 1
        return disk.room

    monkeypatch.setattr(shares_module, "room_on_disk", room_on_disk)
    return disk


def test_what_is_made_takes_the_same_room_as_uploads(shares: Shares, clock: Clock, disk, tmp_path: Path):
    """Reserved as it is begun, and counted by what was written for as long as it is kept."""
    result = tmp_path / "result.mp4"
    result.write_bytes(bytes(300_000))
    room = shares.reserve("1.2.3.4", tmp_path, 700_000)
    with pytest.raises(QueueFull, match="More than 1 MB were uploaded from your address or made for it"):
        shares.reserve("1.2.3.4", tmp_path, 400_000)
    with pytest.raises(QueueFull):
        shares.count_file("1.2.3.4", 400_000)
    shares.reserve("1.2.3.5", tmp_path, 400_000).close()
    room.settle(result)
    room.close()
    assert shares.check_room("1.2.3.4") == 700_000
    assert shares.awaited == 0
    clock.now += 3601
    assert shares.check_room("1.2.3.4") == 1_000_000


def test_what_is_not_made_gives_its_room_back(shares: Shares, disk, tmp_path: Path):
    room = shares.reserve("1.2.3.4", tmp_path, 1_000_000)
    with pytest.raises(QueueFull), room:
        room.hold(1_000_001)
    room.close()
    room.hold(2_000_000)  # what is over holds nothing
    assert (shares.check_room("1.2.3.4"), shares.awaited) == (1_000_000, 0)


def test_what_grows_beyond_what_was_reserved_ends_where_the_share_does(shares: Shares, disk, tmp_path: Path):
    """Of what is made at once, all together have no more."""
    first, second = (shares.reserve("1.2.3.4", tmp_path, 100_000) for _ in range(2))
    first.hold(600_000)
    second.hold(400_000)
    for room in (first, second):
        with pytest.raises(QueueFull, match="More than 1 MB"):
            room.hold(600_001)
    first.close()
    second.hold(1_000_000)


def test_a_file_that_turns_out_too_large_does_not_stay(shares: Shares, disk, tmp_path: Path):
    path = tmp_path / "bundle.zip"
    path.write_bytes(bytes(1_000_001))
    with shares.reserve("1.2.3.4", tmp_path) as room:
        assert room.size == 500_000, "by default half of what there is"
        with pytest.raises(QueueFull):
            room.settle(path)
    assert not path.exists()
    assert shares.check_room("1.2.3.4") == 1_000_000


def test_the_disk_has_room_for_all_that_is_being_made(shares: Shares, clock: Clock, disk, tmp_path: Path):
    disk.room = 1_000_000
    first = shares.reserve("1.2.3.4", tmp_path, 700_000)
    with pytest.raises(OutputFailed, match="disk is full"):
        shares.reserve("1.2.3.5", tmp_path, 400_000)
    # What is written is no longer awaited, since the disk itself tells.
    first.hold(600_000)
    assert shares.awaited == 100_000
    shares.reserve("1.2.3.5", tmp_path, 400_000).close()
    first.close()
    disk.room = -1
    with pytest.raises(OutputFailed):
        shares.reserve("1.2.3.5", tmp_path)


def test_a_disk_that_fills_up_is_seen_within_a_second(shares: Shares, clock: Clock, disk, tmp_path: Path):
    room = shares.reserve("1.2.3.4", tmp_path, 700_000)
    disk.room, disk.looks = -1, 0
    for _ in range(100):
        room.hold(1)
    assert disk.looks == 0
    clock.now += 1
    with pytest.raises(OutputFailed, match="disk is full"):
        room.hold(2)


def test_what_is_being_made_is_not_forgotten_whoever_else_comes(shares: Shares, clock: Clock, disk, tmp_path: Path):
    room = shares.reserve("1.2.3.4", tmp_path, 900_000)
    clock.now += 7200
    for index in range(ADDRESSES_KEPT + 10):
        clock.now += 0.001
        shares.count_request(f"address {index}")
    with pytest.raises(QueueFull):
        shares.reserve("1.2.3.4", tmp_path, 200_000)
    room.close()


def test_an_address_uploads_so_many_at_once():
    shares = Shares(Settings())
    with ExitStack() as under_way:
        for _ in range(UPLOADS_AT_ONCE):
            under_way.enter_context(shares.uploading("1.2.3.4"))
        with pytest.raises(QueueFull, match="10 uploads from your address"), shares.uploading("1.2.3.4"):
            raise AssertionError("one more was let in")
        with shares.uploading("1.2.3.5"):
            pass
    with pytest.raises(KeyError), shares.uploading("1.2.3.4"):
        raise KeyError
    with shares.uploading("1.2.3.4"):
        assert shares._shares["1.2.3.4"].open_uploads == 1


def test_open_requests_are_counted_down_again(shares: Shares):
    for _ in range(12):
        shares.open_request("1.2.3.4")
    with pytest.raises(QueueFull, match="12 requests"):
        shares.open_request("1.2.3.4")
    shares.close_request("1.2.3.4")
    shares.open_request("1.2.3.4")


def test_shares_of_many_addresses_take_bounded_memory(shares: Shares, clock: Clock):
    shares.open_request("busy")
    for index in range(ADDRESSES_KEPT + 10):
        clock.now += 0.001
        shares.count_request(f"address {index}")
    assert len(shares._shares) <= ADDRESSES_KEPT
    assert shares._shares["busy"].open_requests == 1


def test_files_are_counted_for_as_long_as_they_are_kept_whoever_else_comes(shares: Shares, clock: Clock):
    shares.count_file("1.2.3.4", 900_000)
    for index in range(2 * ADDRESSES_KEPT):
        clock.now += 0.001
        shares.count_request(f"address {index}")
    with pytest.raises(QueueFull):
        shares.count_file("1.2.3.4", 200_000)
    clock.now += 3601
    for index in range(2 * ADDRESSES_KEPT):
        clock.now += 0.001
        shares.count_request(f"address {index}")
    assert "1.2.3.4" not in shares._shares


@pytest.mark.parametrize(
    ("host", "shared"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_as_it_is_counted(host: str | None, shared: str):
    assert shared_address(host) == shared


def test_events_that_wait_are_counted_for_an_address():
    shares = Shares(Settings(visitor_events=2))
    shares.check_events("1.2.3.4", ["1.2.3.4", "5.6.7.8", "5.6.7.8"])
    with pytest.raises(QueueFull, match="2 events"):
        shares.check_events("5.6.7.8", ["1.2.3.4", "5.6.7.8", "5.6.7.8"])


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8:1:ffff::/64", "2001:db8:1::/48"),
        ("2001:db8:2:2::/64", "2001:db8:2::/48"),
        ("203.0.113.5", "203.0.113.5"),
        ("unknown", "unknown"),
    ],
)
def test_the_site_of_an_address(address: str, site: str):
    assert site_of(address) == site


@pytest.mark.parametrize(
    ("use", "share"),
    [
        (lambda shares, address: shares.count_call(address), 2),
        (lambda shares, address: shares.count_request(address), 60),
        (lambda shares, address: shares.open_request(address), 12),
        (lambda shares, address: shares.count_file(address, 500_000), 2),
        (lambda shares, address: shares.reserve(address, Path("."), 500_000), 2),
        (lambda shares, address: shares.uploading(address), UPLOADS_AT_ONCE),
    ],
    ids=["calls", "requests", "open requests", "uploads", "what is made", "uploads at once"],
)
def test_nobody_gets_more_by_changing_within_a_site(shares: Shares, disk, use, share: int):
    with ExitStack() as under_way:

        def use_from(address: str) -> None:
            if (lasting := use(shares, shared_address(address))) is not None:
                under_way.enter_context(lasting)

        for index in range(SHARES_OF_A_SITE * share):
            use_from(f"2001:db8:1:{index:x}::1")
        with pytest.raises(QueueFull):
            use_from("2001:db8:1:ffff::1")
        use_from("2001:db8:2::1")


def test_events_and_pages_of_a_site_are_counted_together(shares: Shares):
    events = [shared_address(f"2001:db8:1:{index}::1") for index in range(4)]
    small = Shares(Settings(visitor_events=2))
    small.check_events(shared_address("2001:db8:1:9::1"), events[:3])
    with pytest.raises(QueueFull, match="4 events"):
        small.check_events(shared_address("2001:db8:1:9::1"), events)
    small.check_events(shared_address("2001:db8:2::1"), events)
    visitors = Visitors(Settings(visitor_pages=2))
    for index, address in enumerate(events):
        visitors.admit(f"page{index}", "", address)
    with pytest.raises(QueueFull, match="4 pages"):
        visitors.admit("page9", "", shared_address("2001:db8:1:9::1"))
    visitors.admit("page9", "", shared_address("2001:db8:2::1"))


@pytest.mark.parametrize("word", ["junk/64", "1.2.3.4/64", "/64", ""])
def test_a_proxy_s_word_that_is_no_address_is_a_site_of_its_own(word: str):
    assert site_of(word) == word
    assert networks_of(word) == [(word, 1)]
