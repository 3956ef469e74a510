"""What Gradio keeps for sessions: gone once nobody asks for it, and never because of others."""

from __future__ import annotations

from types import SimpleNamespace

import asynchronous
import gradio as gr
import pytest
from clock_made import Clock
from gradio.server_messages import ProcessCompletedMessage
from gradio.state_holder import StateHolder

from durian.errors import QueueFull
from durian.settings import Settings
from durian.ui.answers import MOST_UNFETCHED, MOST_UNFETCHED_BYTES, Answers, keep_answers
from durian.ui.visitors import CALLER_SECONDS, SECONDS_BETWEEN_LOOKS, Visitors


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def visitors(clock: Clock) -> Visitors:
    return Visitors(Settings(), clock)


@pytest.fixture
def answers(visitors: Visitors, clock: Clock) -> Answers:
    return Answers(visitors, clock)


@pytest.fixture
def blocks() -> gr.Blocks:
    made = gr.Blocks().queue()
    StateHolder().set_blocks(made)
    keep_answers(made)
    return made


def begin(blocks: gr.Blocks, session: str, ended: bool = False) -> None:
    """An event, as the queue takes it on, and lets go of it where it has ended or was cancelled."""
    queue = blocks._queue
    if session not in queue.pending_messages_per_session:
        queue.pending_messages_per_session[session] = object()
    queue.pending_event_ids_session.setdefault(session, set()).add(f"event of {session}")
    if not ended:
        queue.event_ids_to_events[f"event of {session}"] = SimpleNamespace(session_hash=session)


def pass_time(clock: Clock, answers: Answers, blocks: gr.Blocks, seconds: float) -> None:
    """With calls in between, which look through what there is."""
    for _ in range(round(seconds / SECONDS_BETWEEN_LOOKS) + 1):
        clock.now += SECONDS_BETWEEN_LOOKS
        answers.tidy(blocks)


def sessions(blocks: gr.Blocks) -> list[str]:
    queue = blocks._queue
    assert queue.pending_messages_per_session.keys() == queue.pending_event_ids_session.keys()
    return list(queue.pending_messages_per_session)


def test_thousands_of_calls_put_out_nobody_who_waits(clock: Clock, answers: Answers, blocks: gr.Blocks):
    begin(blocks, "waits")
    for index in range(3000):
        begin(blocks, f"cancelled {index}", ended=True)
    assert sessions(blocks)[0] == "waits"
    pass_time(clock, answers, blocks, CALLER_SECONDS)
    assert sessions(blocks) == ["waits"]


def test_answers_stay_while_somebody_asks_and_for_a_while(clock: Clock, answers: Answers, blocks: gr.Blocks):
    begin(blocks, "asked", ended=True)
    begin(blocks, "ended", ended=True)
    with answers.fetching("asked"), answers.fetching("asked"):
        pass_time(clock, answers, blocks, CALLER_SECONDS - 2 * SECONDS_BETWEEN_LOOKS)
        assert sessions(blocks) == ["asked", "ended"]
        pass_time(clock, answers, blocks, CALLER_SECONDS)
        assert sessions(blocks) == ["asked"]
    assert not answers._asked
    pass_time(clock, answers, blocks, CALLER_SECONDS / 2)
    begin(blocks, "asked")  # the next event of that session
    pass_time(clock, answers, blocks, CALLER_SECONDS)
    assert sessions(blocks) == ["asked"]
    del blocks._queue.event_ids_to_events["event of asked"]
    pass_time(clock, answers, blocks, CALLER_SECONDS)
    assert sessions(blocks) == []
    pass_time(clock, answers, blocks, SECONDS_BETWEEN_LOOKS)
    assert not answers._rests


def test_data_of_sessions_that_were_let_go_goes(clock: Clock, answers: Answers, visitors: Visitors, blocks: gr.Blocks):
    visitors.admit("page", "", "1.2.3.4")
    visitors.beat("page")
    begin(blocks, "running")
    for session in ("page", "running", "gone"):
        blocks.state_holder[session]
    pass_time(clock, answers, blocks, SECONDS_BETWEEN_LOOKS)
    assert list(blocks.state_holder.session_data) == ["page", "running"]


HOST, SITE = "1.2.3.4", "2001:db8:1:{:x}::/64"


def test_a_session_fetches_its_answers(answers: Answers, blocks: gr.Blocks):
    answers.check_fetched(blocks, ["new"], HOST)
    unfetched = blocks._queue.pending_event_ids_session["page"] = {str(index) for index in range(MOST_UNFETCHED)}
    with pytest.raises(QueueFull, match="100 answers of this session were not fetched"):
        answers.check_fetched(blocks, ["page"], HOST)
    unfetched.pop()
    answers.check_fetched(blocks, ["page"], HOST)


def told(blocks: gr.Blocks, answers: Answers, session: str, address: str, size: int) -> None:
    """An event of a page is answered with a picture of ``size`` bytes, as Gradio's queue does it."""
    answers.check_fetched(blocks, [session], address)
    begin(blocks, session, ended=True)
    output = {"data": [{"image": "x" * size, "points": [[1.0, 2.0]]}]}
    blocks._queue.pending_messages_per_session[session].put_nowait(ProcessCompletedMessage(output=output, success=True))


def test_an_address_fetches_its_answers(clock: Clock, answers: Answers, blocks: gr.Blocks):
    """However many sessions it has, and whether or not they are still known."""
    size = MOST_UNFETCHED_BYTES // 4
    for session in ("a", "b", "a", "c"):
        told(blocks, answers, session, HOST, size)
    for session in ("a", "new"):
        with pytest.raises(QueueFull, match="50 MB of answers for your address were not fetched: ask for them first"):
            answers.check_fetched(blocks, [session], HOST)
    answers.check_fetched(blocks, ["other"], "1.2.3.5")
    fetched = blocks._queue.pending_messages_per_session["a"]
    assert fetched.weight > 2 * size
    while not fetched.empty():
        fetched.get_nowait()
    assert fetched.weight == 0
    told(blocks, answers, "a", HOST, size)
    told(blocks, answers, "a", HOST, size)
    pass_time(clock, answers, blocks, CALLER_SECONDS)
    assert not answers._addresses
    answers.check_fetched(blocks, ["a"], HOST)


def test_a_site_fetches_its_answers(answers: Answers, blocks: gr.Blocks):
    for index in range(4):
        told(blocks, answers, f"page {index}", SITE.format(index), MOST_UNFETCHED_BYTES // 2)
    with pytest.raises(QueueFull, match="100 MB of answers"):
        answers.check_fetched(blocks, ["page 4"], SITE.format(4))
    answers.check_fetched(blocks, ["elsewhere"], "2001:db8:2::/64")


def test_the_page_keeps_answers_itself():
    """Gradio's own list would drop the first."""
    from durian.ui.demo import create_demo

    queue = create_demo()._queue

    async def fill() -> int:
        for index in range(3000):
            queue.pending_messages_per_session[str(index)] = object()
        return len(queue.pending_messages_per_session)

    assert asynchronous.run(fill()) == 3000
    # Nor does it compute statistics of events at the end of each.
    queue.events_recorded = 10_000
    assert queue.compute_analytics_summary([{"function": "preview", "status": "success", "process_time": 1.0}]) == {
        "functions": {}
    }
