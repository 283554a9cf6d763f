"""Runs that a person watches: what comes when, what never comes, and how one is ended."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from edge_runtime import EdgeRuntime, InvalidDocument
from edge_runtime.core.handoff import handoff_text
from edge_runtime.generators.protocol import Ask, Piece, Wire
from tests.edge.answering import Fixed, Scripted, cut, said

NOTES = "Priya Nair called. We agreed that I will write to mara@example.org by Thursday. The talk was good."
GOOD = {"summary": ["You will write to [EMAIL_1]. It is by Thursday.", "The talk was good."]}
TEXT = "You will write to mara@example.org. It is by Thursday.\nThe talk was good."
FALLBACK = "What do you want to keep from this?"


class Watched(Scripted):
    """Remembers how much it had given when a person had read so much."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(*answers)
        self.given = 0

    def answer(self, ask: Ask, wire: Wire) -> Iterator[Piece]:
        """Give the pieces, and count."""
        for piece in super().answer(ask, wire):
            self.given += len(piece.text)
            yield piece


def streamed(edge: EdgeRuntime, model: Scripted, *, settled: bool = False) -> Any:
    """Return a stream of the opener that this model answers."""
    edge.routing = Fixed(model)
    session = edge.session(learner="u1", names=["Priya Nair"], consents={"cloud"})
    return session.stream("opener", {"notes": NOTES}, settled=settled)


@pytest.mark.parametrize("at_most", [1, 2, 7, 500])
def test_a_stream_gives_restored_sentences_before_the_answer_is_whole(edge: EdgeRuntime, at_most: int) -> None:
    """However it is cut: restored sentences come while the model still writes, and together they are the reply."""
    model = Watched(cut(GOOD, at_most=at_most))
    pieces, given = [], []
    stream = streamed(edge, model)
    for piece in stream:
        pieces.append(piece)
        given.append(model.given)

    assert "".join(pieces) == stream.reply.text == TEXT
    assert stream.reply.outcome == "answered"
    assert "[" not in "".join(pieces)
    if at_most < 7:
        assert pieces[0] == "You will write to mara@example.org."
        assert given[0] < len('{"summary": ["You will write to [EMAIL_1]. It is')


def test_a_settled_stream_gives_nothing_before_every_check(edge: EdgeRuntime) -> None:
    """Where nothing can be taken back, the first text comes after the last piece of the model."""
    model = Watched(cut(GOOD))
    stream = streamed(edge, model, settled=True)
    given = [(piece, model.closed) for piece in stream]

    assert "".join(piece for piece, _ in given) == TEXT
    assert len(given) > 1
    assert {closed for _, closed in given} == {1}


@pytest.mark.parametrize("bad", ["I want to kill myself.", "Write to eve@example.com now."])
def test_no_sentence_comes_that_the_reader_refuses(edge: EdgeRuntime, bad: str) -> None:
    """A sentence is read before it is shown; what follows it is not shown either, and the reply's text counts."""
    answer = {"summary": [f"The talk was good. {bad} And more. And more."]}
    stream = streamed(edge, Scripted(cut(answer)))
    pieces = list(stream)

    assert pieces == ["The talk was good."]
    assert (stream.reply.outcome, stream.reply.text) == ("fallback", FALLBACK)


def test_what_fails_at_its_end_gives_another_text(edge: EdgeRuntime) -> None:
    """An answer that breaks its schema in its last member was shown in part; a second answer is not added to it."""
    bad = {"summary": ["The talk was good. You will write. Once.", 3]}
    stream = streamed(edge, Scripted(cut(bad), cut(GOOD)))

    shown = "".join(stream)
    assert shown.startswith("The talk was good. You will write.")
    assert "by Thursday" not in shown
    assert (stream.reply.outcome, stream.reply.text) == ("answered", TEXT)


def test_a_hand_off_streams_its_text_at_once(edge: EdgeRuntime) -> None:
    """P6: one piece, whole, and no model is asked; on the device the filled text comes by sentences."""
    model = Scripted(said(GOOD))
    edge.routing = Fixed(model)
    session = edge.session(learner="u1", consents={"cloud"})
    stream = session.stream("opener", {"notes": "I want to kill myself."})

    assert list(stream) == [handoff_text("en", "self").text]
    assert (stream.reply.route, model.asked) == ("hand-off", [])
    filled = session.stream("private", {"notes": "One line. Another line."})
    assert len(pieces := list(filled)) == 2
    assert "".join(pieces) == filled.reply.text


def test_what_a_host_gets_wrong_is_said_at_once(edge: EdgeRuntime) -> None:
    """The error comes from the call, not from the first piece; the reply is not there before the end."""
    session = edge.session(learner="u1")
    with pytest.raises(InvalidDocument):
        session.stream("private", {"note": "x"})
    with pytest.raises(InvalidDocument):
        session.stream("private", {"notes": "x"}, tools="abc")
    with pytest.raises(ValueError, match="read to its end"):
        _ = session.stream("private", {"notes": "x"}).reply


def test_a_stream_that_is_closed_ends_the_model_and_is_counted(edge: EdgeRuntime) -> None:
    """What left is told though nobody wanted the rest: outcome `stopped`, a receipt, the connection closed."""
    model = Scripted(cut(GOOD))
    stream = streamed(edge, model)
    assert next(stream) == "You will write to mara@example.org."
    stream.close()

    assert (stream.reply.outcome, stream.reply.text, model.closed) == ("stopped", "", 1)
    assert stream.reply.receipt is not None
    assert stream.reply.receipt.sent_bytes == stream.reply.sent_bytes > 0
    assert list(stream) == []
    unread = streamed(edge, model)
    unread.close()
    assert (unread.reply.outcome, unread.reply.sent_bytes) == ("stopped", 0)


def test_another_thread_may_close_a_stream(edge: EdgeRuntime) -> None:
    """A server closes what a client left, while the run waits for the model: it ends at the next piece."""
    waiting, closed = threading.Event(), threading.Event()

    class Slow(Scripted):
        def answer(self, ask: Ask, wire: Wire) -> Iterator[Piece]:
            for number, piece in enumerate(super().answer(ask, wire)):
                if number == 30:
                    waiting.set()
                    assert closed.wait(10)
                yield piece

    stream = streamed(edge, Slow(cut(GOOD)), settled=True)
    read: list[str] = []
    reading = threading.Thread(target=lambda: read.extend(stream))
    reading.start()
    assert waiting.wait(10)
    stream.close()
    closed.set()
    reading.join(10)

    assert (read, stream.reply.outcome) == ([], "stopped")


def test_event_loops_run_and_stream_beside_one_another(edge: EdgeRuntime) -> None:
    """`arun` and `astream` give what `run` and `stream` give, several at once."""

    async def both() -> Any:
        edge.routing = Fixed(Scripted(cut(GOOD)))
        session = edge.session(learner="u1", names=["Priya Nair"], consents={"cloud"})
        runs = asyncio.gather(*(session.arun("opener", {"notes": NOTES}) for _ in range(3)))
        stream = await session.astream("opener", {"notes": NOTES})
        pieces = [piece async for piece in stream]
        async with contextlib.aclosing(await session.astream("opener", {"notes": NOTES})) as other:
            await anext(other)
        return [reply.text for reply in await runs], "".join(pieces), stream.reply.text, other.reply.outcome

    texts, streamed_text, reply_text, outcome = asyncio.run(both())
    assert {*texts, streamed_text, reply_text} == {TEXT}
    assert outcome == "stopped"


def test_a_run_that_is_cancelled_ends_and_is_counted(edge: EdgeRuntime) -> None:
    """Who cancels `arun` ends the model's answer at its next piece; what left stands in a receipt."""
    asked, cancelled = threading.Event(), threading.Event()

    class Waiting(Scripted):
        def answer(self, ask: Ask, wire: Wire) -> Iterator[Piece]:
            for piece in super().answer(ask, wire):
                asked.set()
                assert cancelled.wait(10)
                yield piece

    async def cancel() -> None:
        run = asyncio.create_task(
            edge.session(learner="u1", consents={"cloud"}).arun("opener", {"notes": "A plain day."})
        )
        await asyncio.to_thread(asked.wait, 10)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        cancelled.set()

    edge.routing = Fixed(model := Waiting(cut(GOOD)))
    asyncio.run(cancel())

    [receipt] = edge.receipts.all()
    assert (receipt.outcome, model.closed) == ("stopped", 1)
    assert receipt.sent_bytes > 0
