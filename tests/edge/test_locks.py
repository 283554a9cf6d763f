"""Locks between processes: one holder at a time, and whoever dies holds nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime.core.errors import Unavailable
from edge_runtime.home import holding
from edge_runtime.locks import give_back, take

HOLDER = """
import pathlib, sys
from edge_runtime.locks import take
assert take(pathlib.Path(sys.argv[1]), timeout_s=0) is not None
print("held", flush=True)
input()
"""


def test_one_at_a_time_threads_too(tmp_path: Path) -> None:
    """A second taker waits as long as it was told, then goes without; given back, the lock is there again."""
    first = take(tmp_path / "lock", timeout_s=0)
    assert first is not None
    assert take(tmp_path / "lock", timeout_s=0) is None
    give_back(first)
    again = take(tmp_path / "lock", timeout_s=0)
    assert again is not None
    give_back(again)


def test_another_process_is_waited_for_and_named(tmp_path: Path) -> None:
    """Who cannot have a lock learns what is held; when the holder is killed, the lock is free."""
    arguments = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    holder = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with (
        pytest.raises(Unavailable, match="expected the home to be free within 0 s"),
        holding(tmp_path / "lock", "home", timeout_s=0),
    ):
        raise AssertionError
    holder.kill()
    holder.wait()
    with holding(tmp_path / "lock", "home", timeout_s=0):
        assert (tmp_path / "lock").read_bytes() == b""


def test_an_error_within_is_not_taken_for_a_lock(tmp_path: Path) -> None:
    """What fails while a lock is held comes out as it is, and the lock is given back."""
    with pytest.raises(TimeoutError), holding(tmp_path / "lock", "home", timeout_s=0):
        raise TimeoutError
    with holding(tmp_path / "lock", "home", timeout_s=0):
        pass
