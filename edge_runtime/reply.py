"""What the host app gets: typed records, no behaviour.

`repr` of these never shows a person's text, so that a stray log line cannot leak it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.frozen import frozen, member
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.disclosure import Disclosure
from edge_runtime.core.errors import NotTrusted, Unavailable
from edge_runtime.core.policy import Decision, Reason
from edge_runtime.core.trust import Step, TrustState
from edge_runtime.receipts import Receipt

if TYPE_CHECKING:
    from edge_runtime.core.manifest import Entry
    from edge_runtime.core.reader import Reading
    from edge_runtime.encoder import Installed
    from edge_runtime.waiting import Standing

__all__ = [
    "Check",
    "Finding",
    "Lineage",
    "Preview",
    "Refresh",
    "Reply",
    "Stage",
    "Status",
    "ToolCall",
    "Usage",
    "refreshed",
    "unchanged",
    "without_run",
]

_FETCHED = (
    Step("V1", "the chain of root keys begins with the one that came with the app"),
    Step("V2", "the list of what is published is signed, in date and no older than the last one"),
    Step("V3", "each file has the length and fingerprint that the list states"),
)


@frozen
class Finding:
    """An entity found in an input: which input, what type, where (code points, end excluded)."""

    input: str
    type: str
    start: int
    end: int


@frozen
class Check:
    """A named check of an output, and whether it passed."""

    name: str
    passed: bool


@frozen
class ToolCall:
    """What a model asks the app to do: a tool that the prompt declares, with arguments that fit, values in place."""

    id: str
    name: str
    arguments: JsonObject = member(repr=False)

    def as_json(self) -> JsonObject:
        """Return the call as a JSON object, texts included."""
        return {"id": self.id, "name": self.name, "arguments": self.arguments}


@frozen
class Usage:
    """How many tokens language models were given and gave, in all tries: as they say, or else as the reader counts."""

    input_tokens: int = 0
    output_tokens: int = 0

    def plus(self, other: Usage) -> Usage:
        """Return both together."""
        return Usage(self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens)

    def as_json(self) -> JsonObject:
        """Return it as a JSON object."""
        return {"input_tokens": self.input_tokens, "output_tokens": self.output_tokens}


@frozen
class Lineage:
    """Where a reply comes from, without a text: what ran, who approved it, which rules decided, who answered, how.

    `model` is "" where no language model was asked; `place` is where the text went: `device`, `redacted`, `cloud`, or
    what came instead. `receipt` is the digest of the receipt.
    """

    prompt: str
    version: str
    manifest: str
    release: int
    rules: tuple[str, ...]
    model: str
    place: str
    checks: tuple[Check, ...]
    receipt: str

    def as_json(self) -> JsonObject:
        """Return the lineage as a JSON object."""
        return {
            "prompt": self.prompt,
            "version": self.version,
            "manifest": self.manifest,
            "release": self.release,
            "rules": list(self.rules),
            "model": {"name": self.model, "place": self.place} if self.model else None,
            "checks": {check.name: "passed" if check.passed else "failed" for check in self.checks},
            "receipt": self.receipt,
        }


@frozen
class Reply:
    """The answer of one run.

    `route` is how far its texts went: `device`, `redacted`, `cloud`, `block` or `hand-off`. `disclosures` are the texts
    that left the device, in order, also where no answer came of them. `outcome` is `filled`, `answered`, `calls` (no
    text: the model asks for `calls`), `fallback`, `handed-off`, `blocked`, `withdrawn`, `stopped` (the app wanted no
    more), or `not-adopted` before the first release (`release` is 0 then, `text` a fixed one). `checks` are those of
    the last answer. `instead_of` is the withdrawn prompt that was asked for, where `prompt` replaces it.
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
    disclosures: tuple[Disclosure, ...]
    sent_bytes: int
    receipt: Receipt | None
    problems: tuple[str, ...] = ()
    instead_of: str = ""
    manifest: str = ""
    model: str = ""
    checks: tuple[Check, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()

    @property
    def disclosure(self) -> Disclosure | None:
        """The last text that left, None if nothing did."""
        return self.disclosures[-1] if self.disclosures else None

    @property
    def lineage(self) -> Lineage:
        """Where it comes from."""
        return Lineage(
            prompt=self.prompt,
            version=self.version,
            manifest=self.manifest,
            release=self.release,
            rules=tuple(reason.name for reason in self.reasons),
            model=self.model,
            place=self.route,
            checks=self.checks,
            receipt=self.receipt.digest if self.receipt else "",
        )

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
            "disclosures": [{"text": str(one), "route": one.route} for one in self.disclosures],
            "sent_bytes": self.sent_bytes,
            "receipt": self.receipt.digest if self.receipt else None,
            "problems": list(self.problems),
            "instead_of": self.instead_of,
            "calls": [call.as_json() for call in self.calls],
            "usage": self.usage.as_json(),
            "lineage": self.lineage.as_json(),
        }


def without_run(
    prompt: str,
    entry: Entry | None,
    state: TrustState | None,
    *,
    receipt: Receipt | None,
    problems: tuple[str, ...],
) -> Reply:
    """Return a reply for which no prompt ran: a hand-off, without its text yet."""
    return Reply(
        text="",
        route="hand-off",
        outcome="handed-off",
        prompt=prompt,
        version=entry.digest if entry else "",
        release=state.manifest.number if state else 0,
        output=None,
        findings=(),
        reasons=(),
        obligations=(),
        notice="",
        disclosures=(),
        sent_bytes=0,
        receipt=receipt,
        problems=problems,
        manifest=state.manifest_digest if state else "",
    )


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
    """What a refresh found. `check` and `message` say why it was refused or unavailable, if it was.

    `notes` say what went wrong besides and did not stop it, such as a second source that did not answer.
    """

    ok: bool
    changed: bool
    release: int | None
    check: str
    message: str
    steps: tuple[Step, ...]
    stage: Stage | None = None
    notes: tuple[str, ...] = ()

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
            "notes": list(self.notes),
        }


@frozen
class Status:
    """What the device runs now and how far its claims go.

    `newer_format` is the format, later than this program knows, that the last refresh met: "" for none. `as_of` is the
    newest signed time that it saw, in POSIX seconds, from which freshness counts; `forks` is how many pieces of
    evidence it keeps that the log showed two histories. `clock_behind`: the clock shows a time before one that it has
    shown, so the release counts as expired.
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
    as_of: int = 0
    clock_behind: bool = False
    forks: int = 0

    @classmethod
    def of_state(cls, state: TrustState, reader: Installed, *, fresh: str, prompts: tuple[str, ...]) -> Status:
        """Return what an adopted state says."""
        return cls(
            organisation=state.manifest.organisation,
            channel=state.manifest.channel,
            release=state.manifest.number,
            manifest_sha256=state.manifest_digest.removeprefix("sha256:"),
            fresh=fresh,
            self_contained=state.trust.self_contained or state.checkpoint.witnesses == 0,
            prompts=prompts,
            reader=reader,
            log_size=state.checkpoint.size,
            log_root=state.checkpoint.root.hex(),
        )

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
            "as_of": self.as_of,
            "clock_behind": self.clock_behind,
            "forks": self.forks,
        }


def refreshed(before: Standing | None, after: Standing, *, notes: tuple[str, ...]) -> Refresh:
    """Return what a refresh found that succeeded."""
    state, steps = after.adoption.state, _FETCHED + after.adoption.steps
    changed = before is None or before.adoption.state.manifest_digest != state.manifest_digest
    stage = Stage.of_standing(after)
    return Refresh(True, changed, state.manifest.number, "", "", steps=steps, stage=stage, notes=notes)


def unchanged(state: TrustState | None, error: Exception | None, *, notes: tuple[str, ...] = ()) -> Refresh:
    """Return what a refresh found that failed: what runs stays."""
    if isinstance(error, OSError):
        check, message = "", f"expected a home that can be written, got {error.strerror or type(error).__name__}"
    else:
        check = error.check if isinstance(error, NotTrusted) else "" if isinstance(error, Unavailable) else "V4"
        message = str(error)
    return Refresh(False, False, state.manifest.number if state else None, check, message, steps=(), notes=notes)
