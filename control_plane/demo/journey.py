"""The journey: author → checks → approvals → release → device → decision → reply → receipt → audit, in the terminal.

Each step is one line that says what was verified. Whatever does not hold ends the journey with exit code 1.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from control_plane.demo.parties import Device, RecordingCloud, Refusal, Server
from control_plane.plane import open_plane
from control_plane.publish import forge_mirror
from control_plane.settings import load_settings
from edge_runtime.core.errors import InvalidDocument, MentorplaneError

__all__ = ["Journey", "run"]

NAMES = ("Priya Nair", "Tom Becker", "Mara Lindqvist")
ON_DEVICE, IN_CLOUD = "private-session-summary", "summary-first-opener"
MAX_NOTE = 20_000
CHANGED = "compliment-first-opener"
CONSENTS = ("cloud", "special-categories", "unchecked-text")
MEMBERS = (
    "prompt",
    "version",
    "release",
    "approvals",
    "manifest_sha256",
    "route",
    "findings",
    "left_device_bytes",
    "cloud_route",
    "cloud_bytes",
    "cloud_leaks",
    "receipt",
    "audit_size",
    "audit_root",
    "tamper_refused",
    "seconds",
)
ADDED = "Leave room for silence after the question."
Say = Callable[[str, str], None]


class Unexpected(MentorplaneError):
    """A step of the journey did not end as the product promises."""


def expect(holds: object, what: str) -> None:
    """Go on if `holds`, else end the journey."""
    if not holds:
        raise Unexpected(f"expected {what}")


@dataclass
class Journey:
    """What the steps hand to each other, and what `--json` prints at the end."""

    note: str
    names: tuple[str, ...]
    say: Say
    folder: Path
    started: float = field(default_factory=time.monotonic)
    facts: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    manifest: str = ""

    def go(self) -> dict[str, Any]:
        """Walk the whole way and return the facts."""
        server = Server(self.folder / "server")
        try:
            device = Device(self.folder / "device", server.home / "trust", f"{server.url}/edge")
            self._start(server, device)
            self._propose(server)
            self._refuse_author(server)
            self._approve(server)
            self._release(server, device)
            self._run_on_device(device)
            self._run_in_cloud(device)
            self._tamper(server, device)
            self._verify_log(server)
        finally:
            server.close()
        self.facts["seconds"] = round(time.monotonic() - self.started, 1)
        return self.facts

    def _start(self, server: Server, device: Device) -> None:
        code, first = device.command("refresh")
        expect(
            code == 0 and first["release"] == 1,
            f"the device to adopt release 1, got {first['check']} {first['message']}",
        )
        _, status = device.command("status")
        self.say(
            "start",
            f"server at {server.url}; the device verified release 1 with {len(status['prompts'])} prompts (V1 to V9)",
        )

    def _propose(self, server: Server) -> None:
        shown = server.call("GET", f"/v1/prompts/{CHANGED}", person="maya")
        document = yaml.safe_load(shown["source"])
        document["instruction"] = str(document["instruction"]).rstrip("\n") + f"\n{ADDED}\n"
        body = {
            "title": "A calmer close for the opener",
            "files": {shown["path"]: yaml.safe_dump(document, allow_unicode=True, sort_keys=False)},
            "passphrase": server.passphrase("maya"),
        }
        proposal = server.call("POST", "/v1/proposals", person="maya", body=body)
        self.number, self.manifest = proposal["number"], proposal["manifest"]
        detail = server.call("GET", f"/v1/proposals/{self.number}", person="maya")
        change = detail["changes"][0]
        added = " ".join(s["text"].strip() for f in change["diff"] for s in f["spans"] if s["op"] == "added")
        expect(ADDED in added, "the word diff to show the words that were added")
        self.facts |= {"prompt": CHANGED, "version": change["digest"], "manifest_sha256": _hex(proposal["manifest"])}
        self.say("propose", f"Maya proposes {CHANGED}: +[{added}]; content {_short(change['digest'])}")
        results = server.call("POST", f"/v1/proposals/{self.number}/check", person="maya", body={})
        failed = [r["name"] for r in results if r["status"] == "failed"]
        expect(results and not failed, f"every check to pass, got {', '.join(failed)}")
        self.say("check", f"{len(results)} checks ran and passed: {', '.join(r['name'] for r in results)}")

    def _decide(self, server: Server, person: str, role: str) -> Any:
        body = {
            "role": role,
            "reason": "reads well",
            "passphrase": server.passphrase(person),
            "manifest": self.manifest,
        }
        return server.call("POST", f"/v1/proposals/{self.number}/approve", person=person, body=body)

    def _refuse_author(self, server: Server) -> None:
        try:
            self._decide(server, "maya", "learning-designer")
        except Refusal as refusal:
            expect(refusal.status == 403, "the refusal to have status 403")
            self.say("refuse", f"Maya cannot approve her own change: {refusal}")
        else:
            raise Unexpected("expected the author's own approval to be refused")

    def _approve(self, server: Server) -> None:
        approvals = []
        for person, role in (("tom", "facilitator"), ("ines", "community-host")):
            self._decide(server, person, role)
            approvals.append(
                {"person": server.people[person]["id"], "name": server.people[person]["name"], "role": role}
            )
        detail = server.call("GET", f"/v1/proposals/{self.number}", person="maya")
        expect(detail["ready"], "two approvals to be enough")
        self.facts["approvals"] = approvals
        names = " and ".join(f"{a['name']} ({a['role']})" for a in approvals)
        self.say("approve", f"{names} signed exactly this content with their own keys")

    def _release(self, server: Server, device: Device) -> None:
        manager = next(login for login, p in server.people.items() if "release-manager" in p["roles"])
        released = server.call("POST", f"/v1/proposals/{self.number}/release", person=manager, body={})
        self.facts["release"] = released["number"]
        self.say(
            "release", f"release {released['number']} is published; entry {released['leaf']} of the audit log says so"
        )
        code, result = device.command("refresh")
        expect(
            code == 0 and result["release"] == released["number"], f"the device to adopt it, got {result['message']}"
        )
        for step in result["steps"]:
            self.say(f"  {step['check']}", step["said"])

    def _run_on_device(self, device: Device) -> None:
        note = self.folder / "note.txt"
        note.write_text(self.note, "utf-8")
        names = [argument for name in self.names for argument in ("--name", name)]
        code, reply = device.command("run", ON_DEVICE, "--input", f"notes=@{note}", *names)
        expect(code == 0, "the private summary to run")
        findings = [{"type": f["type"], "start": f["start"], "end": f["end"]} for f in reply["findings"]]
        self.facts |= {
            "route": reply["route"],
            "findings": findings,
            "left_device_bytes": reply["sent_bytes"],
            "receipt": reply["receipt"],
        }
        expect(reply["route"] in {"device", "hand-off"} and reply["sent_bytes"] == 0, "nothing to leave the device")
        kinds = ", ".join(f"{sum(f['type'] == t for f in findings)} {t}" for t in sorted({f["type"] for f in findings}))
        self.say(
            "run",
            f"{ON_DEVICE} ran by route {reply['route']}; found {kinds or 'nothing'}; {reply['sent_bytes']} bytes left",
        )
        for line in reply["text"].splitlines()[:6]:
            self.say("", line)

    def _run_in_cloud(self, device: Device) -> None:
        person = " with [PERSON_1]" if any(f["type"] == "PERSON" for f in self.facts["findings"]) else ""
        answer = {"recap": [f"You settled what comes next{person}."], "open_question": "Where do you want to start?"}
        cloud = RecordingCloud(answer)
        try:
            names = [argument for name in self.names for argument in ("--name", name)]
            consents = [part for consent in CONSENTS for part in ("--consent", consent)]
            model = ["--cloud-url", cloud.base_url, "--cloud-model", "recording-model"]
            given = f"last_session_summary=@{self.folder / 'note.txt'}"
            code, reply = device.command("run", IN_CLOUD, "--input", given, *names, *consents, *model)
        finally:
            cloud.close()
        expect(code == 0, "the opener to run")
        sent = b"\n".join(cloud.recorded)
        leaks = self._leaks(cloud.recorded)
        self.facts |= {"cloud_route": reply["route"], "cloud_bytes": len(sent), "cloud_leaks": leaks}
        left = f"these {len(sent)} bytes left the device:" if sent else "nothing left the device"
        self.say("cloud", f"{IN_CLOUD} ran by route {reply['route']} with consent; {left}")
        for line in sent.decode("utf-8", errors="replace").splitlines():
            self.say("  >", line)
        expect(reply["outcome"] == "answered" or not sent, "the model's answer to be taken")
        expect(not leaks, f"no raw finding in the bytes that left, got {', '.join(leaks)}")
        self.say("restored", " ".join(reply["text"].split()))

    def _leaks(self, recorded: list[bytes]) -> list[str]:
        """Return the types of findings whose raw text left, looked up anew in the bytes and in the JSON they carry."""
        carried = [json.dumps(json.loads(r[r.index(b"{") :]), ensure_ascii=False) for r in recorded]
        haystack = "\n".join([*(r.decode("utf-8", errors="replace") for r in recorded), *carried]).casefold()
        values = {self.note[f["start"] : f["end"]].casefold(): f["type"] for f in self.facts["findings"]}
        return sorted({t for v, t in values.items() if re.search(rf"(?<!\w){re.escape(v)}(?!\w)", haystack)})

    def _tamper(self, server: Server, device: Device) -> None:
        _, before = device.command("status")
        plane = open_plane(load_settings(server.home, os.environ))
        try:
            forged = forge_mirror(plane, self.folder / "forged")
        finally:
            plane.close()
        code, result = device.command("refresh", source=str(forged.folder))
        _, after = device.command("status")
        refused = code == 2 and not result["ok"] and after["manifest_sha256"] == before["manifest_sha256"]
        self.facts["tamper_refused"] = refused
        expect(refused, "the device to refuse a release that people did not approve")
        words = f"{forged.before_word!r} became {forged.after_word!r}"
        self.say("tamper", f"in {forged.name} {words}, signed with every server key")
        self.say("", f"the device refuses it at {result['check']}: {result['message']}")
        self.say("", f"release {after['release']} is still active, unchanged")

    def _verify_log(self, server: Server) -> None:
        report = server.call("GET", "/v1/audit/verify", person="ruth")
        expect(report["ok"], f"the audit log to verify, got {'; '.join(report['problems'])}")
        self.facts |= {"audit_size": report["size"], "audit_root": report["root"]}
        claim = "self-contained: no outside witness signed" if report["self_contained"] else "witnessed"
        self.say("audit", f"{report['size']} entries recomputed to root {_short(report['root'])}; {claim}")


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _short(digest: str) -> str:
    return f"{_hex(digest)[:12]}…"


@contextmanager
def _temporary_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mentorplane-demo-") as folder:
        yield Path(folder)


def read_note(path: Path) -> str:
    """Return the text of a note.

    Raises:
        InvalidDocument: it is not there, or is not UTF-8.
    """
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise InvalidDocument(f"expected a note at {path}, got: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidDocument(f"expected a UTF-8 text at {path}, got other bytes") from error


def run(note: Path | None, *, names: tuple[str, ...], say: Say) -> dict[str, Any]:
    """Walk the journey in a temporary home; return the facts.

    Args:
        note: a UTF-8 text; the note that comes with the demonstration if None.
        names: people's names to cover; the names in the demonstration's own note if there are none and no note.
        say: called with the name of each step and its line.

    Raises:
        MentorplaneError: a step did not end as promised, or something could not be started.
    """
    text = read_note(note) if note else files("control_plane.demo").joinpath("note.txt").read_text("utf-8")
    if len(text) > MAX_NOTE:
        say("note", f"the first {MAX_NOTE} of {len(text)} characters are used: as many as the scripts take")
        text = text[:MAX_NOTE]
    if note and not names:
        say("note", "no --name was given: of names that nobody told it, a device finds what its model, if any, finds")
    with _temporary_home() as folder:
        return Journey(text, names or (() if note else NAMES), say, folder).go()


def print_json(facts: dict[str, Any]) -> str:
    """Return the facts as the one line that `--json` prints last, members in their fixed order."""
    return json.dumps({name: facts[name] for name in MEMBERS}, ensure_ascii=False)
