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

__all__ = ["Finding", "Preview", "Refresh", "Reply", "Status"]


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
class Refresh:
    """What a refresh found. `check` and `message` say why it was refused or unavailable, if it was."""

    ok: bool
    changed: bool
    release: int | None
    check: str
    message: str
    steps: tuple[Step, ...]

    def as_json(self) -> JsonObject:
        """Return the result as a JSON object."""
        return {
            "ok": self.ok,
            "changed": self.changed,
            "release": self.release,
            "check": self.check,
            "message": self.message,
            "steps": [{"check": step.check, "said": step.said} for step in self.steps],
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
    log_size: int
    log_root: str
    newer_format: str = ""

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
            "log_size": self.log_size,
            "log_root": self.log_root,
            "newer_format": self.newer_format,
        }
