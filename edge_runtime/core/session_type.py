"""A session type's closure: how a kind of session goes.

Its stages with their minutes and the prompts of each, where its boundaries are, whom to go to with what lies beyond,
which hand-off leads to a person, under which agreement it is held, and what of it is measured.

Promises: strict parse; the minutes of the stages add up to each length that is offered. That the prompts, the hand-off
and the agreement exist, and that it measures no more than was agreed, is checked when a release is drafted.
Does not: run a session. Format: docs/formats.md, `mentorplane-session-type/1`.
"""

from __future__ import annotations

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.filing import Filing, Translation, read_filing, read_locale, read_translation
from edge_runtime.core.manifest import TIERS
from edge_runtime.core.measures import Measure, read_measures, read_names

__all__ = ["FORMAT", "Escalation", "SessionType", "Stage", "parse_session_type"]

FORMAT = "mentorplane-session-type/1"
MAX_BYTES = 100_000
MAX_MINUTES = 480


@frozen
class Stage:
    """One part of a session: what it is for, its minutes (one for each length of the session), its prompts."""

    id: str
    title: str
    goal: str
    minutes: tuple[int, ...]
    prompts: tuple[str, ...]


@frozen
class Escalation:
    """What lies beyond the session: what is noticed, the role to go to, and what to say."""

    when: str
    to: str
    say: str


@frozen
class SessionType:
    """One kind of session in one language; `lengths` in minutes, none for what has no fixed length."""

    name: str
    title: str
    purpose: str
    tier: str
    locale: str
    filing: Filing
    translation_of: Translation | None
    agreement: str
    lengths: tuple[int, ...]
    stages: tuple[Stage, ...]
    boundaries: tuple[str, ...]
    escalation: tuple[Escalation, ...]
    handoff: str
    measures: tuple[Measure, ...]

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompts of all stages, each once."""
        return tuple(dict.fromkeys(prompt for stage in self.stages for prompt in stage.prompts))


def parse_session_type(data: bytes) -> SessionType:
    """Return the session type that the canonical bytes of a closure hold.

    Raises:
        InvalidDocument: malformed, a stage given twice, or minutes that do not add up.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    name, locale = fields.name("name"), read_locale(fields)
    kind = SessionType(
        name=name,
        title=fields.text("title", at_most=120),
        purpose=fields.text("purpose", at_most=500),
        tier=fields.choice("tier", TIERS),
        locale=locale,
        filing=read_filing(fields, optional=False),
        translation_of=read_translation(fields, name=name, locale=locale),
        agreement=fields.name("agreement"),
        lengths=fields.items("lengths", _read_minutes, at_most=10),
        stages=fields.items("stages", _read_stage, at_most=20),
        boundaries=fields.texts("boundaries", at_most=20),
        escalation=fields.items("escalation", _read_escalation, at_most=20),
        handoff=fields.name("handoff"),
        measures=read_measures(fields),
    )
    fields.close()
    _verify(kind)
    return kind


def _read_minutes(value: object) -> int:
    if type(value) is not int or not 1 <= value <= MAX_MINUTES:
        raise InvalidDocument(f"{FORMAT}: expected minutes from 1 to {MAX_MINUTES}")
    return value


def _read_stage(document: object) -> Stage:
    fields = Fields(document, "stage", tagged=False)
    stage = Stage(
        id=fields.name("id"),
        title=fields.text("title", at_most=120),
        goal=fields.text("goal", at_most=300),
        minutes=fields.items("minutes", _read_minutes, at_most=10),
        prompts=read_names(fields, "prompts", empty=True),
    )
    fields.close()
    return stage


def _read_escalation(document: object) -> Escalation:
    fields = Fields(document, "escalation", tagged=False)
    escalation = Escalation(
        when=fields.text("when", at_most=300), to=fields.name("to"), say=fields.text("say", at_most=500)
    )
    fields.close()
    return escalation


def _verify(kind: SessionType) -> None:
    if not kind.stages or len({stage.id for stage in kind.stages}) != len(kind.stages):
        raise InvalidDocument(f"{FORMAT}: expected at least one stage, each id once")
    if list(kind.lengths) != sorted(set(kind.lengths)):
        raise InvalidDocument(f"{FORMAT}: expected lengths in ascending order, each once")
    for stage in kind.stages:
        if len(stage.minutes) != len(kind.lengths):
            raise InvalidDocument(f"{FORMAT}: expected minutes of stage {stage.id!r} for each length of the session")
    for position, length in enumerate(kind.lengths):
        total = sum(stage.minutes[position] for stage in kind.stages)
        if total != length:
            raise InvalidDocument(f"{FORMAT}: expected stages that add up to {length} minutes, got {total}")
