"""Ownership of sessions, owners' names made by the server, and each address's share."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from clock_made import Clock

from durian.errors import InvalidRequest, LimitExceeded, QueueFull
from durian.settings import Settings
from durian.ui.shares import shared_address
from durian.ui.visitors import (
    CALLER_SECONDS,
    COOKIE,
    SESSIONS_KEPT,
    Visitors,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def visitors(clock: Clock) -> Visitors:
    settings = Settings(
        visitor_pages=3, visitor_calls=2, visitor_requests=60, visitor_upload_mb=1, visitor_places=2, keep_seconds=3600
    )
    return Visitors(settings, clock)


def request(session: str | None, host: str = "203.0.113.5"):
    return SimpleNamespace(session_hash=session, client=SimpleNamespace(host=host))


def test_an_owner_is_made_here_and_stays(visitors: Visitors):
    first = visitors.admit("abc", "cookie", "1.2.3.4")
    assert visitors.admit("abc", "cookie", "5.6.7.8") is first
    assert visitors.of(request("abc")) is first
    assert "abc" not in first.owner
    assert len(first.owner) == 32
    assert visitors.admit("abd", "cookie", "1.2.3.4").owner != first.owner


@pytest.mark.parametrize("key", ["", "other"])
def test_a_session_is_not_for_others(visitors: Visitors, key: str):
    visitors.admit("abc", "cookie", "1.2.3.4")
    with pytest.raises(InvalidRequest, match="somebody else's"):
        visitors.admit("abc", key, "1.2.3.4")
    visitors.admit("plain", "", "1.2.3.4")
    with pytest.raises(InvalidRequest, match="somebody else's"):
        visitors.admit("plain", "cookie", "1.2.3.4")


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a" * 65, "ä", "a b", "a\n"])
def test_a_name_that_is_none_is_refused(visitors: Visitors, name: str):
    with pytest.raises(InvalidRequest, match="name"):
        visitors.admit(name, "", "1.2.3.4")


def test_calls_without_a_session_have_an_owner_each(visitors: Visitors):
    owners = {visitors.of(request(None)).owner for _ in range(3)}
    owners |= {visitors.of(request(f"event{index}")).owner for index in range(3)}
    assert len(owners) == 6
    assert visitors.leave("api") is None
    assert visitors.leave(None) is None
    assert visitors.leave("event1").owner in owners


def test_a_page_that_comes_back_before_it_is_missed_has_not_left(visitors: Visitors):
    """A phone's connection is noticed to be gone long after the page has made another."""
    first = visitors.admit("abc", "cookie", "1.2.3.4")
    visitors.beat("abc")
    visitors.beat("abc")
    assert visitors.leave("abc") is None
    visitors.end_beat("abc")
    assert visitors.leave("abc") is first
    visitors.end_beat("abc")
    assert visitors.admit("abc", "cookie", "1.2.3.4") is first


def test_a_page_that_has_left_makes_room_and_its_session_stays_theirs(visitors: Visitors):
    for name in "abc":
        visitors.admit(name, "cookie", "1.2.3.4")
        visitors.beat(name)
    visitors.leave("a")
    visitors.admit("d", "cookie", "1.2.3.4")
    with pytest.raises(InvalidRequest, match="somebody else's"):
        visitors.admit("a", "other", "5.6.7.8")


def test_an_address_has_so_many_pages_until_they_rest(visitors: Visitors, clock: Clock):
    over: list[str] = []
    visitors.when_over(lambda sessions: over.extend(sessions))
    for name in "abc":
        visitors.admit(name, "", "1.2.3.4")
    visitors.open_page(request("a"))
    with pytest.raises(QueueFull, match="3 pages"):
        visitors.admit("d", "", "1.2.3.4")
    visitors.admit("e", "", "5.6.7.8")
    clock.now += CALLER_SECONDS + 1
    visitors.admit("d", "", "1.2.3.4")
    assert sorted(over) == ["b", "c", "e"]
    clock.now += 3601
    visitors.admit("f", "", "1.2.3.4")
    assert sorted(over) == ["a", "b", "c", "d", "e"]


def test_a_page_that_shows_that_it_is_open_does_not_rest(visitors: Visitors, clock: Clock):
    page = visitors.admit("a", "cookie", "1.2.3.4")
    visitors.beat("a")
    visitors.open_page(request("a"))
    clock.now += 4 * 3600
    visitors.admit("b", "", "5.6.7.8")
    assert visitors.admit("a", "cookie", "1.2.3.4") is page


def test_whoever_has_most_sessions_makes_room(clock: Clock):
    """Nobody is put out by one who opens, and leaves, many pages."""
    visitors = Visitors(Settings(visitor_pages=SESSIONS_KEPT), clock)
    over: list[str] = []
    visitors.when_over(lambda sessions: over.extend(sessions))
    visitors.admit("mine", "cookie", "1.2.3.4")
    for index in range(SESSIONS_KEPT + 20):
        clock.now += 0.01
        visitors.admit(f"theirs{index}", "", "5.6.7.8")
        visitors.leave(f"theirs{index}")
    assert over == [f"theirs{index}" for index in range(21)]
    assert not visitors.admit("mine", "cookie", "1.2.3.4").left
    # Calls keep nothing, so they put nobody out.
    for index in range(SESSIONS_KEPT):
        visitors.of(request(f"event{index}"))
    visitors.admit("new", "", "9.9.9.9")
    assert len(over) == 22


def test_a_phone_that_sleeps_keeps_its_page_beside_who_opens_many(clock: Clock):
    """Also where theirs are open, and of a whole site."""
    for hosts in (("5.6.7.8",), ("2001:db8:1:2::/64", "2001:db8:1:3::/64")):
        visitors = Visitors(Settings(visitor_pages=SESSIONS_KEPT), clock)
        over: list[str] = []
        visitors.when_over(lambda sessions, over=over: over.extend(sessions))
        visitors.admit("asleep", "cookie", "1.2.3.4")
        for index in range(SESSIONS_KEPT + 20):
            clock.now += 0.01
            visitors.admit(f"theirs{index}", "", hosts[index % len(hosts)])
            visitors.beat(f"theirs{index}")
        assert over == [f"theirs{index}" for index in range(21)]


def test_open_pages_stay_before_those_without_a_sign_of_life(clock: Clock):
    visitors = Visitors(Settings(visitor_pages=SESSIONS_KEPT), clock)
    over: list[str] = []
    visitors.when_over(lambda sessions: over.extend(sessions))
    for index in range(SESSIONS_KEPT):
        visitors.admit(f"page{index}", "", f"1.2.3.{index // 2}")
        if index:
            visitors.beat(f"page{index}")
    visitors.admit("page", "", "5.6.7.8")
    assert over == ["page0"]


def test_a_plain_call_belongs_to_the_page_that_made_it(visitors: Visitors):
    made = request("event1")
    made.cookies = {COOKIE: "k" * 43}
    call = visitors.of(made)
    assert visitors.admit("event1", "k" * 43, "1.2.3.4") is call
    with pytest.raises(InvalidRequest):
        visitors.admit("event1", "", "1.2.3.4")


def test_a_calls_session_that_is_named_as_a_pages_counts_as_one(visitors: Visitors):
    for index in range(4):
        visitors.of(request(f"event{index}"))
    owners = [visitors.admit(f"event{index}", "", "203.0.113.5").owner for index in range(3)]
    assert len(set(owners)) == 3
    with pytest.raises(QueueFull, match="3 pages are open from your address"):
        visitors.admit("event3", "", "203.0.113.5")
    with pytest.raises(QueueFull):
        visitors.admit("page", "", "203.0.113.5")
    assert visitors.admit("event0", "", "203.0.113.5").owner == owners[0]


@pytest.fixture
def weighing(clock: Clock) -> Visitors:
    """Ten megabytes for the tables of an address."""
    return Visitors(Settings(visitor_table_mb=10), clock)


def test_an_addresss_tables_have_so_many_bytes(weighing: Visitors):
    first, second = (weighing.admit(name, "", "203.0.113.5").owner for name in ("page1", "page2"))
    other = weighing.admit("page3", "", "203.0.113.6").owner
    weighing.weigh_table(first, 6_000_000)
    with pytest.raises(LimitExceeded, match="from your address hold more than 10 MB of pictures: close one"):
        weighing.weigh_table(second, 5_000_000)
    weighing.weigh_table(second, 4_000_000)
    weighing.weigh_table(other, 10_000_000)
    # What it was before does not count.
    weighing.weigh_table(first, 3_000_000)
    weighing.weigh_table(second, 7_000_000)
    with pytest.raises(LimitExceeded):
        weighing.weigh_table(other, 10_000_001)


def test_tables_within_one_site_are_weighed_together(weighing: Visitors):
    owners = [weighing.admit(f"page{n}", "", shared_address(f"2001:db8:1:{n}::1")).owner for n in range(3)]
    for owner in owners[:2]:
        weighing.weigh_table(owner, 10_000_000)
    with pytest.raises(LimitExceeded, match="more than 20 MB"):
        weighing.weigh_table(owners[2], 1)


def test_pages_that_were_left_make_room_for_tables(weighing: Visitors, clock: Clock):
    over: list[str] = []
    weighing.when_over(over.extend)
    owners = {}
    for name in ("left1", "left2", "open", "new"):
        owners[name] = weighing.admit(name, "", "203.0.113.5").owner
        clock.now += 1
    for name in ("left1", "left2", "open"):
        weighing.weigh_table(owners[name], 3_000_000)
    for name in ("left1", "left2"):
        weighing.leave(name)
    weighing.weigh_table(owners["new"], 4_000_000)
    assert over == ["left1"]
    with pytest.raises(LimitExceeded):
        weighing.weigh_table(owners["new"], 8_000_000)
    assert over == ["left1", "left2"]
    assert weighing.knows("open")


def test_a_table_of_nobody_is_not_weighed(weighing: Visitors):
    weighing.weigh_table("", 10**12)


def test_it_is_known_who_asked_for_an_answer(visitors: Visitors):
    visitors.listen("event1")
    assert visitors.is_listened_to("session", "event1")
    assert not visitors.is_listened_to("session", None)


def test_who_asked_is_known_for_as_long_as_it_matters(visitors: Visitors, clock: Clock):
    """However many others ask meanwhile."""
    visitors.listen("event1")
    visitors.listen("over")
    clock.now += CALLER_SECONDS
    for index in range(20_000):
        visitors.listen(f"other{index}")
    visitors.forget_listeners({"event1"})
    assert [visitors.is_listened_to(name) for name in ("event1", "over", "other0")] == [True, False, True]
    clock.now += CALLER_SECONDS
    visitors.forget_listeners({"event1"})
    assert list(visitors._listeners) == ["event1"]


def test_plain_calls_are_forgotten_though_no_page_ever_comes(visitors: Visitors, clock: Clock):
    for index in range(50):
        visitors.of(request(f"call-{index}"))
    clock.now += CALLER_SECONDS + 10
    visitors.of(request("later"))
    assert [visitors.knows(name) for name in ("call-0", "call-49", "later")] == [False, False, True]
