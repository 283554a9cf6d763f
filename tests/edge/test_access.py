"""A private channel: the token of an app reaches its source and nothing else."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime, InvalidDocument, MentorplaneError, Unavailable
from edge_runtime.delivery.access import Access
from tests.edge.sources import SourceServer, serving
from tests.edge.test_cli import invoke
from tests.published import Published, published_once

TOKEN = "app-6f1c2d"


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release."""
    return published_once(tmp_path)


@pytest.fixture
def server(published: Published) -> Iterator[SourceServer]:
    """A private channel of it."""
    with serving(published.folder) as made:
        made.token = TOKEN
        yield made


def device(published: Published, tmp_path: Path, server: SourceServer, token: str = TOKEN) -> EdgeRuntime:
    """A device of the app."""
    return EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=server.address, token=token)


def test_the_token_opens_the_channel_and_shows_nowhere(
    published: Published, tmp_path: Path, server: SourceServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It is in one header of each request: not in an address, a log, a status, a representation or the home."""
    with caplog.at_level(logging.DEBUG):
        edge = device(published, tmp_path, server)
        results = [edge.refresh(), edge.refresh()]
        server.token = "another"
        results.append(edge.refresh())
    assert [result.ok for result in results] == [True, True, False]
    assert all(f"\r\nAuthorization: Bearer {TOKEN}\r\n".encode() in request for request in server.asked)
    assert all(request.count(TOKEN.encode()) == 1 for request in server.asked)
    assert not any(TOKEN in path for _, path in server.answered)
    shown = [caplog.text, repr(edge._sources), repr(results), json.dumps(edge.status().as_json())]
    shown += [json.dumps(result.as_json()) for result in results]
    assert not any(TOKEN in text for text in shown)
    assert not any(TOKEN.encode() in file.read_bytes() for file in (tmp_path / "home").rglob("*") if file.is_file())


def test_no_token_or_another_one_opens_nothing(published: Published, tmp_path: Path, server: SourceServer) -> None:
    """Without it the source is not available, and the message quotes no address."""
    for token in ("", "app-other"):
        result = device(published, tmp_path, server, token).refresh()
        assert (result.ok, result.check) == (False, "")
        assert server.address not in result.message


def test_the_token_is_sent_on_to_somebody_else(published: Published, tmp_path: Path, server: SourceServer) -> None:
    """Attack: a source that sends devices on, another source, and a second source never see it."""
    with serving(published.folder) as other:
        (published.trust / "second-source").write_text(other.address)
        server.moved = other.address
        edge = device(published, tmp_path, server)
        assert not edge.refresh().ok
        assert [path for _, path in other.answered] == ["/withdrawals/production.json"]
        assert edge.refresh(other.address).ok
        assert not any(b"uthorization" in request or TOKEN.encode() in request for request in other.asked)


@pytest.mark.parametrize("source", ["http://coach.example/edge", "http://10.0.0.7/edge", "http://127.0.0.1.example/e"])
def test_a_token_is_never_sent_in_the_clear(published: Published, tmp_path: Path, source: str) -> None:
    """Without TLS a token is for this machine only; refused when the device is opened, before anything is made."""
    with pytest.raises(Unavailable, match="https") as caught:
        EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=source, token=TOKEN)
    assert TOKEN not in str(caught.value)
    assert not (tmp_path / "home").exists()
    for private in ("https://coach.example/edge", "http://127.0.0.1:8/edge", "http://[::1]:8/e", "http://localhost/e"):
        assert EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=private, token=TOKEN)


@pytest.mark.parametrize("token", ["two words", "line\r\nX-Device: 7", "é", "x" * 5_000])
def test_a_token_that_is_more_than_a_token(published: Published, tmp_path: Path, token: str) -> None:
    """What could be another header is refused, and not quoted."""
    with pytest.raises(InvalidDocument) as caught:
        EdgeRuntime.open(tmp_path / "home", trust=published.trust, source="https://coach.example", token=token)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "source", ["https://u:p@coach.example/e", "https://coach.example/e?token=1", "https:///e", "http://[::1"]
)
def test_a_secret_in_an_address(published: Published, tmp_path: Path, source: str) -> None:
    """Addresses are logged along the way: one that carries a name, a password or a query is refused, unquoted."""
    with pytest.raises(MentorplaneError) as caught:
        EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=source)
    assert source not in str(caught.value)


def test_another_header_carries_the_bare_token() -> None:
    """Some stores ask for a header of their own."""
    access = Access("https://coach.example/edge", TOKEN, "X-Api-Key")
    assert access.headers("https://coach.example/edge/") == {"X-Api-Key": TOKEN}
    assert access.headers("https://coach.example/other") == {}
    with pytest.raises(InvalidDocument):
        Access("https://coach.example/edge", TOKEN, "X Api")


def test_the_command_line_takes_it_from_the_environment(
    published: Published, tmp_path: Path, server: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments are seen by everybody on the machine."""
    options = ["--home", str(tmp_path / "home"), "--trust", str(published.trust), "--source", server.address]
    assert invoke("refresh", *options).exit_code == 1
    monkeypatch.setenv("MENTORPLANE_SOURCE_TOKEN", TOKEN)
    assert invoke("refresh", *options).exit_code == 0
