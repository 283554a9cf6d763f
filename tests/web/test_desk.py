"""The desk: what a browser, a foreign page and a curious neighbour get from the device's own page."""

from __future__ import annotations

import re
import shutil
import threading
from graphlib import TopologicalSorter
from importlib.resources import files
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.desk import DeskServer, DeskSettings
from edge_runtime.desk.words import CHECKS, REFUSALS, ROUTES
from tests.published import Published, fingerprint
from tests.simulator import prompt_document
from tests.web.desks import PARENT, call, note


def test_the_status_names_scripts_and_consents(desk: DeskServer) -> None:
    """The page learns which scripts take a note and which consents the rules ask for."""
    answer = call(desk, "/api/status").json

    assert (answer["release"], answer["parent"], answer["has_model"]) == (1, PARENT, False)
    assert [script["name"] for script in answer["scripts"]] == ["opener"]
    assert [consent["name"] for consent in answer["consents"]] == ["cloud", "special-categories", "unchecked-text"]


@pytest.mark.parametrize("token", ["", "wrong", "ü"])
def test_without_the_token_nothing_is_told(desk: DeskServer, token: str) -> None:
    """Every question needs the token of this start, and a refusal tells nothing about the device."""
    for path, question in (("/api/status", None), ("/api/read", note()), ("/api/refresh", {"source": ""})):
        answer = call(desk, path, question, X_Desk_Token=token)
        assert answer.status == 403
        assert set(answer.json) == {"error"}


def test_dns_rebinding_a_foreign_host_name_reads_nothing(desk: DeskServer) -> None:
    """Only the bound address is served, even to somebody who knows the token."""
    port = desk.server_address[1]
    for host in ("evil.example", f"evil.example:{port}", f"localhost:{port}", f"127.0.0.1:{port + 1}", ""):
        for path in ("/", "/api/status"):
            assert call(desk, path, Host=host).status == 421


def test_cross_site_request_forgery_a_foreign_origin_is_refused(desk: DeskServer) -> None:
    """A page of another origin, the framing page included, cannot ask; and it may not even try: no CORS answer."""
    for origin in (PARENT, "http://evil.example", "null"):
        answer = call(desk, "/api/read", note(), Origin=origin)
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content_Type": "text/plain"}, b"{}", 415),
        ({"Content_Length": ""}, b"{}", 411),
        ({"Content_Length": "-1"}, b"", 411),
        ({"Content_Length": "2097153"}, b"", 413),
        ({"Content_Length": "9" * 4000}, b"", 413),
        ({}, b"{", 400),
        ({}, b"[]", 400),
        ({}, b"\xff\xfe", 400),
        ({}, b"[" * 100_000, 400),
    ],
)
def test_malformed_questions_are_refused(desk: DeskServer, headers: dict[str, str], body: bytes, status: int) -> None:
    """Another type, no or too great a length, broken JSON: refused with a reason, before it is read."""
    answer = call(desk, "/api/read", body=body, **headers)

    assert answer.status == status
    assert answer.json["error"].startswith("expected")


def test_imports_of_the_page_run_one_way() -> None:
    """No script of the page imports one that imports it, directly or through others."""
    static = files("edge_runtime.desk").joinpath("static")
    imports = {
        page.name: set(re.findall(r'from "\./([\w.]+)"', page.read_text("utf-8")))
        for page in static.iterdir()
        if page.name.endswith(".js")
    }
    assert tuple(TopologicalSorter(imports).static_order()) == ("page.js", "note.js", "desk.js")


def test_refresh_shows_nine_checks(desk: DeskServer, published: Published) -> None:
    """An adoption is told check by check, in order, with what was verified."""
    published.release({("prompt", "opener"): canonical.encode(prompt_document(instruction="Shorter:\n{{ notes }}"))})

    answer = call(desk, "/api/refresh", {"source": ""}).json

    assert [(c["check"], c["result"]) for c in answer["checks"]] == [(check, "yes") for check in CHECKS]
    assert all(check["said"] for check in answer["checks"])
    assert (answer["ok"], answer["changed"], answer["status"]["release"]) == (True, True, 2)
    assert answer["headline"] == "Version 2 is in use now"


def test_a_forged_mirror_is_refused_and_nothing_changes(desk: DeskServer, published: Published, tmp_path: Path) -> None:
    """A release with every server signature but no approvals is refused at V6; what was active stays, byte for byte."""
    shutil.copytree(published.folder, tmp_path / "genuine")
    changed = {("prompt", "opener"): canonical.encode(prompt_document(instruction="Forged:\n{{ notes }}"))}
    forged = published.organisation.build(changed)
    published.organisation.log_release(forged)
    published.publish(forged)
    published.folder.rename(tmp_path / "forged")
    before = fingerprint(tmp_path / "home" / "generations")

    answer = call(desk, "/api/refresh", {"source": "forged"}).json

    assert (answer["ok"], answer["check"], answer["status"]["release"]) == (False, "V6", 1)
    results = [check["result"] for check in answer["checks"]]
    assert results == ["yes"] * 5 + ["no"] + ["skipped"] * 3
    assert answer["checks"][5]["said"] == REFUSALS["V6"]
    assert fingerprint(tmp_path / "home" / "generations") == before


def test_a_source_that_is_gone_is_not_called_a_refusal(desk: DeskServer, published: Published) -> None:
    """No answer means no check was made, and the page says so."""
    shutil.rmtree(published.folder)

    answer = call(desk, "/api/refresh", {"source": ""}).json

    assert (answer["ok"], answer["checks"], answer["check"]) == (False, [], "")
    assert (answer["headline"], answer["sentence"]) == ("The source does not answer", "Version 1 stays in use.")


@pytest.mark.parametrize("source", ["http://evil.example", "../site", "FORGED", 1, None])
def test_only_named_mirrors_are_asked(desk: DeskServer, source: object) -> None:
    """A page cannot make the device fetch from an address of its choice."""
    answer = call(desk, "/api/refresh", {"source": source})

    assert answer.status == 400
    assert answer.json["error"].startswith("expected the name of a mirror")


def test_nothing_is_logged(desk: DeskServer, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither a note, nor an error about one, nor a broken request leaves a trace on the standard streams."""
    call(desk, "/api/read", note())
    call(desk, "/api/read", note(prompt="no-such-script"))
    call(desk, "/nowhere", note())
    call(desk, "/api/read", body=b"{", X_Desk_Token="wrong")

    assert capfd.readouterr() == ("", "")


def test_answers_are_neither_kept_nor_framed_by_strangers(desk: DeskServer) -> None:
    """Pages and answers alike carry the policy that names who may frame them, and are not cached."""
    for path in ("/", "/desk.js", "/api/status", "/nowhere"):
        headers = call(desk, path).headers
        policy = headers["Content-Security-Policy"]
        assert f"frame-ancestors 'self' {PARENT}" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["Cache-Control"] == "no-store"


def test_the_page_loads_nothing_from_elsewhere() -> None:
    """The desk's files name no other origin, hold no inline script or style, and never set markup from text."""
    for page in files("edge_runtime.desk").joinpath("static").iterdir():
        source = page.read_text("utf-8")
        assert re.search(r"https?://|innerHTML|insertAdjacent|document\.write|eval\(", source) is None, page.name
        assert re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", source) is None, page.name


@pytest.mark.parametrize(
    "settings",
    [
        DeskSettings(host="0.0.0.0"),
        DeskSettings(host="192.0.2.1"),
        DeskSettings(allow_parent="*"),
        DeskSettings(allow_parent="http://127.0.0.1:8420/"),
        DeskSettings(allow_parent="http://127.0.0.1; script-src *"),
        DeskSettings(allow_parent="http://a\r\nX: y"),
    ],
)
def test_open_settings_are_refused(published: Published, tmp_path: Path, settings: DeskSettings) -> None:
    """The desk binds loopback addresses only, and one well-formed origin may frame it."""
    edge = EdgeRuntime.open(tmp_path / "home", trust=published.trust)
    with pytest.raises(ValueError, match="expected"):
        DeskServer(edge, settings)


def test_the_token_is_new_at_each_start_and_in_no_repr(published: Published, tmp_path: Path) -> None:
    """A token made by the desk is long and unlike the last; a given one shows in no representation."""
    edge = EdgeRuntime.open(tmp_path / "home", trust=published.trust)
    tokens = set()
    for _ in range(2):
        with DeskServer(edge, DeskSettings()) as server:
            tokens.add(server.token)
            assert server.link == f"{server.origin}/#{server.token}"
    assert len(tokens) == 2
    assert min(map(len, tokens)) >= 32
    assert "secret" not in repr(DeskSettings(token="secret"))


def test_a_device_without_a_release_says_so(published: Published, tmp_path: Path) -> None:
    """Before the first adoption there is no script to ask about, and a note is refused with the reason."""
    edge = EdgeRuntime.open(tmp_path / "empty", trust=published.trust)
    with DeskServer(edge, DeskSettings()) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        status = call(server, "/api/status").json
        answer = call(server, "/api/read", note())
        server.shutdown()
    assert (status["release"], status["scripts"], status["consents"]) == (None, [], [])
    assert (answer.status, answer.json["error"]) == (400, "expected an adopted release, got none yet")


def test_a_new_device_finds_its_first_version_by_itself(published: Published, tmp_path: Path) -> None:
    """A device that runs nothing looks for a version at the start; one that runs something waits to be asked."""
    edge = EdgeRuntime.open(tmp_path / "new", trust=published.trust, source=str(published.folder))
    with DeskServer(edge, DeskSettings()) as server:
        server.look_once(threading.Event())
        assert edge.status().release == 1
        published.release({("prompt", "opener"): canonical.encode(prompt_document(title="Another opener"))})
        server.look_once(threading.Event())
    assert edge.status().release == 1


def test_a_new_device_gives_up_on_a_refusal_and_on_its_end(published: Published, tmp_path: Path) -> None:
    """A first version that is refused is not asked for again and again, and an ended desk looks no more."""
    other = Published(tmp_path / "other")
    edge = EdgeRuntime.open(tmp_path / "new", trust=other_trust(other), source=str(published.folder))
    ended = threading.Event()
    ended.set()
    with DeskServer(edge, DeskSettings()) as server:
        server.look_once(threading.Event())
        server.look_once(ended)
    assert edge.state is None


def other_trust(other: Published) -> Path:
    """Return what the apps of another organisation ship."""
    other.release()
    return other.trust


def test_every_route_and_check_has_plain_words() -> None:
    """Whatever the runtime can answer, the page has words for."""
    assert list(CHECKS) == list(REFUSALS) == [f"V{number}" for number in range(1, 10)]
    assert set(ROUTES) == {"block", "device", "redacted", "cloud", "hand-off"}
