"""The line before Argon2: bounded, in order, with real threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from control_plane.accounts import passphrases
from control_plane.app import create_app
from control_plane.errors import Busy
from control_plane.plane import ControlPlane
from control_plane.settings import Settings
from control_plane.turns import COME_AGAIN_S, Line, Together
from tests.server.acts import Acts, refused


class Crowd:
    """Threads that stay in a line until they are let go."""

    def __init__(self, line: Line) -> None:
        self.line, self.go = line, threading.Event()
        self.inside = self.most = self.turned_away = 0
        self.lock, self.changed = threading.Lock(), threading.Semaphore(0)

    def __call__(self, _: int) -> None:
        try:
            with self.line.turn():
                with self.lock:
                    self.inside += 1
                    self.most = max(self.most, self.inside)
                self.changed.release()
                self.go.wait(10)
                with self.lock:
                    self.inside -= 1
        except Busy:
            with self.lock:
                self.turned_away += 1
            self.changed.release()


def test_so_many_at_once_so_many_waiting_and_the_rest_come_again() -> None:
    """Of twelve at once three are inside, four wait, five are turned away; those who waited have their turn after."""
    crowd = Crowd(Line(at_once=3, waiting=4))
    with ThreadPoolExecutor(12) as pool:
        done = [pool.submit(crowd, number) for number in range(12)]
        for _ in range(3 + 5):
            assert crowd.changed.acquire(timeout=10)
        assert (crowd.inside, crowd.turned_away) == (3, 5)
        crowd.go.set()
        for one in done:
            one.result(10)
    assert (crowd.most, crowd.turned_away, crowd.inside) == (3, 5, 0)
    with crowd.line.turn():
        pass


def test_an_error_inside_gives_the_turn_back() -> None:
    """Whoever fails inside leaves the line as it was."""
    line = Line(at_once=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), line.turn():
            raise ZeroDivisionError
    with line.turn(), pytest.raises(Busy), line.turn():
        pass


def test_attack_a_flood_of_passphrases_counts_nothing_and_locks_nobody_out(acts: Acts) -> None:
    """Whoever finds the line full is not counted as a wrong passphrase: nothing changes at all."""
    full = Line(at_once=1, waiting=0)
    plane = replace(acts.plane, line=full)
    with full.turn():
        for _ in range(acts.plane.settings.wrong_passphrases + 1):
            with refused(plane, Busy):
                passphrases.open_key(plane, acts.id("tom"), "guess guess")
        with refused(plane, Busy):
            passphrases.sign_in(plane, "nobody", "guess guess")
    assert passphrases.sign_in(plane, "tom", acts.passphrase("tom")) == acts.id("tom")


def test_a_full_line_is_503_with_a_time_to_come_again(settings: Settings, acts: Acts) -> None:
    """Over HTTP the answer says when to come again."""
    app = create_app(settings)
    plane: ControlPlane = app.state.plane
    app.state.plane = replace(plane, line=Line(at_once=1, waiting=0))
    client = TestClient(app, raise_server_exceptions=False)
    body = {"login": "tom", "passphrase": acts.passphrase("tom")}
    with app.state.plane.line.turn():
        answer = client.post("/v1/session", json=body)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, str(COME_AGAIN_S))
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert client.post("/v1/session", json=body).status_code == 201
    plane.close()


def test_what_many_ask_for_is_done_by_one_at_a_time_each_thing_once() -> None:
    """Never two at once, never more than so many together; each gets what came of its own wish, refusals too."""
    together: Together[int] = Together(most=5)
    alone, batches = threading.Lock(), []

    def carry_out(some: Sequence[int]) -> list[Exception | None]:
        assert alone.acquire(blocking=False), "somebody else is doing it"
        batches.append(tuple(some))
        alone.release()
        return [KeyError(one) if one % 2 else None for one in some]

    with ThreadPoolExecutor(24) as pool:
        done = [pool.submit(together.do, number, carry_out) for number in range(24)]
    assert [type(one.exception()) for one in done] == [type(None), KeyError] * 12
    assert sorted(one for batch in batches for one in batch) == list(range(24))
    assert max(map(len, batches)) <= 5


def test_an_error_of_the_one_who_does_it_keeps_nobody_waiting() -> None:
    """Whoever did it gets the error itself, others are told to come again, and the next one is served."""
    together: Together[int] = Together()

    def fails(some: Sequence[int]) -> list[Exception | None]:
        raise OSError(f"no disk for {len(some)}")

    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(together.do, number, fails) for number in range(6)]
    assert {type(one.exception()) for one in done} <= {OSError, Busy}
    assert OSError in {type(one.exception()) for one in done}
    together.do(1, lambda some: [None] * len(some))
