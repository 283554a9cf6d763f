"""The way to a cloud model on its own: what a request holds, what it may not hold, and which way it takes."""

from __future__ import annotations

import httpx
import pytest

from edge_runtime.cloud import CloudModel, Wire, complete
from edge_runtime.core.disclosure import Disclosure, disclose
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.policy import Decision, Route
from tests.recording_cloud import Cloud

ALLOWED = {"accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host"}
DEAD = "http://127.0.0.1:9"


@pytest.fixture
def disclosure() -> Disclosure:
    """A text that a policy lets out."""
    return disclose(Decision(Route.CLOUD, (), (), ()), "Summarise: a good talk.", prompt="opener")


def find_mara(outgoing: bytes) -> tuple[str, ...]:
    """Find one raw value."""
    return ("PERSON",) if b"mara" in outgoing.lower() else ()


def test_a_request_says_nothing_about_the_device(disclosure: Disclosure, cloud: Cloud) -> None:
    """P2: system, versions and language of the device are in no header; the user agent names the product only."""
    complete(disclosure, cloud.model, wire=Wire(find_mara), max_tokens=9)

    [headers] = cloud.headers
    assert headers["user-agent"] == "mentorplane"
    assert {name for name in headers if name.startswith("x-stainless-")} <= {"x-stainless-raw-response"}
    assert set(headers) - ALLOWED <= {"user-agent", "x-stainless-raw-response"}


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_not_used(
    disclosure: Disclosure, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """P2: what leaves goes to the configured server only, whatever the environment says."""
    monkeypatch.setenv(name, DEAD)
    for exempt in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(exempt, raising=False)
    wire = Wire(find_mara)

    assert complete(disclosure, cloud.model, wire=wire, max_tokens=9)
    assert wire.sent_bytes == sum(map(len, cloud.requests)) > 0


@pytest.mark.parametrize(
    ("url", "content"), [(f"{DEAD}/v1?for=Mara", b"{}"), (f"{DEAD}/mara/v1", b"{}"), (f"{DEAD}/v1", b"for Mara")]
)
def test_the_address_is_scanned_as_the_body_is(url: str, content: bytes) -> None:
    """P2: a raw value in the path or query refuses the request, and is remembered as the reason."""
    wire = Wire(find_mara)
    with pytest.raises(PermissionError):
        wire.check(httpx.Request("POST", url, content=content))
    assert wire.refused == ("PERSON",)


def test_a_refused_request_is_not_sent(disclosure: Disclosure, cloud: Cloud) -> None:
    """P2: a raw value in the address configured by the host stops the request before the socket."""
    wire = Wire(find_mara)
    model = CloudModel("m", cloud.model.base_url.replace("/v1", "/mara/v1"))
    with pytest.raises(Unavailable, match="refused to send: PERSON"):
        complete(disclosure, model, wire=wire, max_tokens=9)
    assert (cloud.requests, wire.sent_bytes) == ([], 0)


def test_only_a_disclosure_is_sent(cloud: Cloud) -> None:
    """P2: a plain text is no disclosure."""
    with pytest.raises(TypeError, match="Disclosure"):
        complete("a text", cloud.model, wire=Wire(find_mara), max_tokens=9)  # type: ignore[arg-type]
    assert cloud.requests == []
