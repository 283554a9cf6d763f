"""The proof: it holds where nothing leaks, and fails for every way out that is not guarded."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge_runtime import EdgeRuntime
from edge_runtime.proving.proof import Proof, prove
from edge_runtime.proving.records import DISCLOSED, MISSED, Settings
from edge_runtime.proving.report import as_json, claim, in_words
from edge_runtime.proving.runs import SCENARIOS
from tests.command_table import program
from tests.edge.conftest import POLICY_RULES
from tests.proving import leaking_app
from tests.published import Published, adopted, fingerprint
from tests.simulator import prompt_document

RUNNER = CliRunner()
APP = "tests.proving.leaking_app"
CONNECTED = "connection: to 192.0.2.7:80"


@pytest.fixture
def allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the app may write, and a file that it may not."""
    folder = tmp_path / "allowed"
    folder.mkdir()
    (tmp_path / "mapped").write_bytes(b"nothing")
    monkeypatch.setenv("ALLOWED", str(folder))
    monkeypatch.setenv("MAPPED", str(tmp_path / "mapped"))
    return folder


def proof_of(function: str, allowed: Path, texts: int) -> Proof:
    """Prove a function of the leaking app."""
    return prove(Settings(texts, app=f"{APP}:{function}", folders=(str(allowed),)))


def test_attack_a_text_leaves_by_a_path_that_is_not_guarded(allowed: Path) -> None:
    """A hook that posts, a proxy, a name, a packet, native code, files, logs, output, arguments, errors, headers."""
    proof = proof_of("leaks", allowed, len(leaking_app.WAYS))
    leaks = {f"{leak.way}: {leak.what}" for leak in proof.verdict.leaks}
    with_canaries = {leak.way for leak in proof.verdict.leaks if leak.canaries}

    assert proof.verdict.failing((DISCLOSED, MISSED))
    assert {
        CONNECTED,
        "connection: to 192.0.2.7:3128",
        "connection: to 192.0.2.7:514",
        f"file: open {Path.cwd() / 'app.log'}",
        "request: a canary beside the disclosed text",
        f"file: mmap.__new__ {allowed.parent / 'mapped'}",
    } <= leaks
    assert {
        "exception",
        "file",
        "http.client.send",
        "log record of app at DEBUG",
        "look-up",
        "program",
        "request",
        "standard output",
        "subprocess.Popen",
    } <= with_canaries
    assert any(leak.startswith("file: open /") and "mentorplane-proof-" in leak for leak in leaks)  # the temporary one
    kept = {leak.what for leak in proof.verdict.leaks if leak.way == "file" and "a canary in" in leak.what}
    assert kept == {f"a canary in {allowed / name}" for name in ("cache.bin", "index.json")}
    if not proof.chamber:
        assert "packet: TCP to 192.0.2.7 port 8443" in leaks
    every = (DISCLOSED, MISSED)
    assert claim(proof, tolerated=every).startswith("NOT HELD")
    assert "NOT HELD" in in_words(proof, tolerated=every)


def test_an_app_that_does_not_leak_holds(allowed: Path) -> None:
    """The counterpart: what an app may write is searched, and found to hold nothing."""
    proof = proof_of("counts", allowed, 3)

    assert not proof.verdict.leaks, as_json(proof, tolerated=())["leaks"]
    assert len(proof.evidence.runs) >= 3
    assert str(allowed / "count") in {kept.path for kept in proof.evidence.kept}


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[EdgeRuntime, Published]:
    """A device whose policy lets redacted text leave with consent, and plain text where nobody found a detail."""
    from edge_runtime.core import canonical
    from edge_runtime.core.policy import read_policy

    published = Published(tmp_path)
    documents = published.organisation.base_documents()
    policy = json.loads(documents["policy", "organisation"])
    entities = ["ADDRESS", "BANK", "CARD", "DATE_OF_BIRTH", "EMAIL", "ID_NUMBER", "PERSON", "PHONE", "SALARY"]
    entities += ["TERM", "URL"]
    personal = {**POLICY_RULES[1], "when": {"entities": {"any_of": entities}}}
    late = {
        "id": "expired",
        "because": "far too old",
        "when": {"staleness": {"at_least": "expired"}, "tier": {"at_least": "R2"}},
        "at_most": "block",
    }
    policy["rules"] = [POLICY_RULES[0], personal, late]
    read_policy(policy)
    documents["policy", "organisation"] = canonical.encode(policy)
    documents["prompt", "opener"] = canonical.encode(prompt_document(placement="cloud"))
    published.release(documents)
    return adopted(published, tmp_path), published


def proved(published: Published, home: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Prove a home from the command line, and return the exit code and what it tells."""
    arguments = ["--home", str(home), "--trust", str(published.trust), "--json", *options]
    result = RUNNER.invoke(program(), ["edge", "prove-no-egress", *arguments])
    return result.exit_code, json.loads(result.stdout)


def test_the_routes_of_a_release_are_proved(
    device: tuple[EdgeRuntime, Published], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P2: every route is taken, what left is told byte for byte, nothing else was reached, the home stays as it was."""
    _, published = device
    monkeypatch.delenv("MENTORPLANE_READER")  # the packaged model: it assesses all that the policy asks for
    before = fingerprint(tmp_path / "home")
    code, told = proved(published, tmp_path / "home", "--texts", "8", "--write", str(tmp_path / "sent"))

    assert (code, told["held"], told["leaks"]) == (0, True, []), told["leaks"]
    assert told["claim"].startswith("held: ")
    turns = told["scenarios"]["device"]
    assert turns >= 8
    assert told["scenarios"] == dict.fromkeys(SCENARIOS, turns)  # `serve` and `handed over` among them, by name
    routes = {one["route"]: one for one in told["routes"]}
    taken = {name: one["runs"] for name, one in routes.items()}
    assert set(taken) == {"block", "cloud", "device", "hand-off", "handed over", "local model", "redacted"}, taken
    assert all(taken.values())
    assert sum(taken.values()) == told["runs"] == turns * len(SCENARIOS)
    assert all(routes[route]["requests"] == 0 for route in ("device", "block", "hand-off"))
    assert all(routes[route]["requests"] > 0 for route in ("redacted", "cloud", "local model"))
    assert routes["local model"]["sent_bytes"] == 0
    assert all(one["disclosed"] == one["missed"] == one["leaked"] == 0 for one in routes.values())
    sent = sorted((tmp_path / "sent").iterdir())
    assert [path.read_bytes().decode() for path in sent] == [one["text"] for one in told["requests"]]
    assert sum(one["requests"] for one in told["routes"]) == len(sent)
    assert re.search(rb"\[[A-Z_]+_\d+\]", b"".join(path.read_bytes() for path in sent))  # which, is chance
    assert fingerprint(tmp_path / "home") == before


def test_a_folder_that_is_no_home_is_refused(tmp_path: Path) -> None:
    """There is nothing to prove, and it says so."""
    result = RUNNER.invoke(program(), ["edge", "prove-no-egress", "--home", str(tmp_path)])
    assert (result.exit_code, list(tmp_path.iterdir())) == (3, [])


def test_an_app_that_cannot_be_called_is_refused() -> None:
    """A misspelt function is the developer's mistake, not a proof that holds."""
    for app in (f"{APP}:nothing", "half"):
        result = RUNNER.invoke(program(), ["edge", "prove-no-egress", "--app", app, "--texts", "1"])
        assert result.exit_code == 3, app
