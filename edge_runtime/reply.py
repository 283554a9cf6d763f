"""What the host app gets: typed records, no behaviour.

`repr` of these never shows a person's text, so that a stray log line cannot leak it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.frozen import frozen, member
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.disclosure import Disclosure
from edge_runtime.core.policy import Decision, Reason
from edge_runtime.core.trust import Step
from edge_runtime.receipts import Receipt

if TYPE_CHECKING:
    from edge_runtime.core.reader import Reading
    from edge_runtime.encoder import Installed
    from edge_runtime.waiting import Standing

__all__ = ["Finding", "Preview", "Refresh", "Reply", "Stage", "Status"]


@frozen
class Finding:
    """An entity found in an input: which input, what type, where (code points, end excluded)."""

    input: str
    type: str
    start: int
    end: int


@frozen
class Reply:
    """The answer of one run.

    `route` is where it ran: `device`, `redacted`, `cloud`, `block` or `hand-off`. `disclosure` is what left the
    device, None if nothing did. `outcome` is `filled`, `answered`, `fallback`, `handed-off`, `blocked`,
    `withdrawn` or `failed`. `instead_of` is the withdrawn prompt that was asked for, where `prompt` replaces it.
    """

    text: str = member(repr=False)
    route: str
    outcome: str
    prompt: str
    version: str
    release: int
    output: JsonObject | None = member(repr=False)
    findings: tuple[Finding, ...]
    reasons: tuple[Reason, ...]
    obligations: tuple[str, ...]
    notice: str
    disclosure: Disclosure | None
    sent_bytes: int
    receipt: Receipt | None
    problems: tuple[str, ...] = ()
    instead_of: str = ""

    def as_json(self) -> JsonObject:
        """Return the reply as a JSON object, texts included."""
        return {
            "text": self.text,
            "route": self.route,
            "outcome": self.outcome,
            "output": self.output,
            "prompt": self.prompt,
            "version": self.version,
            "release": self.release,
            "findings": [{"input": f.input, "type": f.type, "start": f.start, "end": f.end} for f in self.findings],
            "reasons": [{"layer": r.layer, "rule": r.rule, "because": r.because} for r in self.reasons],
            "obligations": list(self.obligations),
            "notice": self.notice,
            "disclosure": str(self.disclosure) if self.disclosure else None,
            "sent_bytes": self.sent_bytes,
            "receipt": self.receipt.digest if self.receipt else None,
            "problems": list(self.problems),
            "instead_of": self.instead_of,
        }


@frozen
class Preview:
    """What a run would see and do: readings by input, the decision, and the text that would leave if it left."""

    readings: dict[str, Reading]
    decision: Decision
    outgoing: str = member(repr=False)


@frozen
class Stage:
    """How far the newest release is rolled out: stage `number` of `of` is open, which is `percent` of all devices.

    `waits`: this device runs an earlier one until its stage opens. `halted`: the release goes no further.
    """

    release: int
    number: int
    of: int
    percent: int
    halted: bool
    waits: bool

    @classmethod
    def of_standing(cls, standing: Standing) -> Stage:
        """Return what a device's standing says."""
        rollout = standing.rollout
        return cls(
            rollout.release,
            rollout.stage,
            rollout.of,
            percent=rollout.percent,
            halted=rollout.halted,
            waits=standing.waits,
        )

    def __str__(self) -> str:
        """Return it as a sentence."""
        how = "was halted at" if self.halted else "goes out in stages:"
        own = "this device waits for it" if self.waits else "this device has it"
        return f"release {self.release} {how} stage {self.number} of {self.of}, {self.percent} % of devices; {own}"

    def as_json(self) -> JsonObject:
        """Return the stage as a JSON object."""
        return {
            "release": self.release,
            "number": self.number,
            "of": self.of,
            "percent": self.percent,
            "halted": self.halted,
            "waits": self.waits,
        }


@frozen
class Refresh:
    """What a refresh found. `check` and `message` say why it was refused or unavailable, if it was."""

    ok: bool
    changed: bool
    release: int | None
    check: str
    message: str
    steps: tuple[Step, ...]
    stage: Stage | None = None

    def as_json(self) -> JsonObject:
        """Return the result as a JSON object."""
        return {
            "ok": self.ok,
            "changed": self.changed,
            "release": self.release,
            "check": self.check,
            "message": self.message,
            "steps": [{"check": step.check, "said": step.said} for step in self.steps],
            "stage": self.stage.as_json() if self.stage else None,
        }


@frozen
class Status:
    """What the device runs now and how far its claims go.

    `newer_format` is the format, later than this program knows, that the last refresh met: "" for none.
    """

    organisation: str
    channel: str
    release: int | None
    manifest_sha256: str
    fresh: str
    self_contained: bool
    prompts: tuple[str, ...]
    reader: Installed
    log_size: int
    log_root: str
    newer_format: str = ""
    stage: Stage | None = None

    def as_json(self) -> JsonObject:
        """Return the status as a JSON object."""
        return {
            "organisation": self.organisation,
            "channel": self.channel,
            "release": self.release,
            "manifest_sha256": self.manifest_sha256,
            "fresh": self.fresh,
            "self_contained": self.self_contained,
            "prompts": list(self.prompts),
            "reader": self.reader.as_json(),
            "log_size": self.log_size,
            "log_root": self.log_root,
            "newer_format": self.newer_format,
            "stage": self.stage.as_json() if self.stage else None,
        }
