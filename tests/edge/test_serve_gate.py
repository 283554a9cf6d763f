"""Who may ask `serve`: the token and its file, the address that is bound, and the command that starts it."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.serving.errors import Refusal
from edge_runtime.serving.gate import TOKEN_FILE, Gate, check_host, kept_token
from edge_runtime.serving.server import listen
from tests.edge.test_cli import assert_one_line, invoke
from tests.published import Published, fingerprint

TOKEN = "token-of-a-test-0123456789"


def test_the_token_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    """Two starts have one token, in a file that nobody else reads; nothing else lies about."""
    first, second = kept_token(tmp_path), kept_token(tmp_path)
    assert first == second == (tmp_path / TOKEN_FILE).read_text("ascii").strip()
    assert len(first) >= 43
    assert stat.S_IMODE((tmp_path / TOKEN_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [TOKEN_FILE]


@pytest.mark.parametrize(("content", "mode"), [(f"{TOKEN}\n", 0o644), (f"{TOKEN}\n", 0o660), ("", 0o600), ("x", 0o600)])
def test_a_token_that_others_read_or_that_is_none_is_refused(tmp_path: Path, content: str, mode: int) -> None:
    """It is not used, nor silently replaced."""
    path = tmp_path / TOKEN_FILE
    path.write_text(content)
    path.chmod(mode)
    before = fingerprint(tmp_path)
    with pytest.raises(Unavailable, match=TOKEN_FILE):
        kept_token(tmp_path)
    assert fingerprint(tmp_path) == before


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "localhost", "127.0.0.1:80", ""])
def test_attack_binding_beyond_this_machine(host: str) -> None:
    """Only a loopback address is bound; a name might lead elsewhere tomorrow."""
    with pytest.raises(InvalidDocument, match="loopback"):
        check_host(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
def test_each_loopback_address_is_taken(host: str) -> None:
    """IPv4 and IPv6, and the gate knows how URLs write them."""
    gate = Gate.of(check_host(host), 8422, origins=(), token=TOKEN)
    written = f"[{host}]:8422" if ":" in host else f"{host}:8422"
    assert gate.check_address([("host", written)]) == gate.check_address([("host", "LOCALHOST:8422")]) == ""
    for hosts in ([], [("host", written), ("host", written)], [("host", f"{written}.evil.example")]):
        with pytest.raises(Refusal):
            gate.check_address(hosts)


@pytest.mark.parametrize("origin", ["*", "https://coach.example/path", "coach.example", "null"])
def test_an_origin_that_is_none_is_refused(origin: str) -> None:
    """A page is named by its origin, exactly."""
    with pytest.raises(InvalidDocument, match="origin"):
        Gate.of("127.0.0.1", 1, origins=(origin,), token=TOKEN)


def test_no_repr_shows_the_token() -> None:
    """A stray log line leaks nothing."""
    assert TOKEN not in repr(Gate.of("127.0.0.1", 1, origins=(), token=TOKEN))


def test_a_start_that_would_not_be_safe_is_invalid_input(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another address, any page, a token that can be guessed, a token of the environment in print: one line, code 3."""
    options = ["--port", "0", "--home", str(tmp_path / "home"), "--trust", str(published.trust)]
    for more, token in (
        (["--host", "0.0.0.0"], ""),
        (["--allow-origin", "*"], ""),
        ([], "short"),
        (["--print-token"], TOKEN),
    ):
        monkeypatch.setenv("MENTORPLANE_SERVE_TOKEN", token)
        assert_one_line(invoke("serve", *options, *more), 3, "expected")


def test_small_pieces_of_a_stream_go_at_once() -> None:
    """The socket says that it speaks TCP: asyncio then sends without waiting for more, which cost 40 ms a piece."""
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP
