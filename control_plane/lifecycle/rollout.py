"""Rolling a release out: opening its next stage, halting it, and saying where it stands.

Promises: a stage is opened by a release manager, one at a time and only as far as people approved; anybody enrolled for
a role that may stop things may halt, and then only another release goes on; each word is signed by its person, names
the one before, stands in the log, and is read back by the function that devices use.
Does not: stop what runs already (see `withdrawing`), know which devices are in (see `edge_runtime.core.rollout`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from audit.record import Act, LeafObject
from control_plane import db, trust
from control_plane.accounts import people, rights
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.registry.facts import facts_of
from control_plane.registry.live import live_manifest, words_on
from control_plane.signing import Elsewhere, Signing, auth_of, key_of, sign
from control_plane.tables.registry import StatementRow
from edge_runtime.core import dsse
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Manifest
from edge_runtime.core.rollout import OPENING_ROLE, Rollout, read_rollout
from edge_runtime.core.withdrawals import WITHDRAWING_ROLES

__all__ = ["Staged", "halt", "open_stage", "show"]


@dataclass(frozen=True, slots=True)
class Staged:
    """How far the live release of a channel is rolled out: the stages people approved, and the one that is open."""

    channel: str
    release: int
    stages: tuple[int, ...]
    stage: int
    percent: int
    halted: bool


@dataclass(frozen=True, slots=True)
class _Saying:
    """Who says what about the stages of which release, in which role and why."""

    act: str
    person: str
    role: str
    reason: str
    given: str | Elsewhere
    release: int


def open_stage(
    plane: ControlPlane,
    actor: str,
    *,
    release: int,
    stage: int,
    passphrase: str | Elsewhere,
    reason: str = "",
    channel: str = "",
) -> Staged:
    """Open the next stage of the live release of a channel.

    Args:
        plane: the control plane.
        actor: person id of a release manager.
        release: number of the release that they looked at.
        stage: number of the stage that is to open, counted from 1: the one after that which is open.
        passphrase: opens their key for this one signature; or what they signed where their own key is.
        reason: why now, if there is something to say.
        channel: "" for the usual one.

    Raises:
        NotFound: the channel has no release.
        Conflict: another release is live, or it is at another stage.
        Refused: they are no release manager, it was halted, a wrong passphrase, or custodians did not sign them yet.
    """
    on = plane.on(channel)
    attempt = Attempt("open-stage", LeafObject("channel", on), auth_of(passphrase))
    role = rights.require_role(plane, actor, (OPENING_ROLE,), attempt=attempt)
    saying = _Saying("open", actor, role, reason.strip(), passphrase, release)
    return _say(plane, on, saying, stage=stage)


def halt(
    plane: ControlPlane,
    actor: str,
    *,
    release: int,
    reason: str,
    passphrase: str | Elsewhere,
    channel: str = "",
    role: str = "",
) -> Staged:
    """Halt the rollout of the live release of a channel: no further device adopts it.

    `role` is the one in which they sign, "" for the only one of theirs that may stop things.

    Raises: as for `open_stage`, InvalidDocument without a reason, and Conflict for a release without stages.
    """
    if not reason.strip():
        raise InvalidDocument("expected a reason, got none")
    on = plane.on(channel)
    attempt = Attempt("halt", LeafObject("channel", on), auth_of(passphrase))
    role = rights.require_eligible(plane, actor, sorted(WITHDRAWING_ROLES), attempt=attempt, chosen=role)
    return _say(plane, on, _Saying("halt", actor, role, reason, passphrase, release))


def show(plane: ControlPlane, *, channel: str = "") -> Staged:
    """Return how far the live release of a channel is rolled out.

    Raises:
        NotFound: it has none.
    """
    on = plane.on(channel)
    with db.read(plane.engine) as session:
        manifest, digest = _live(session, on)
        return _staged(manifest, _read(session, manifest, words_on(session, digest)))


def _say(plane: ControlPlane, channel: str, saying: _Saying, *, stage: int = 0) -> Staged:
    person = people.find_person(plane, saying.person)
    key = key_of(plane, saying.person, saying.given, use=saying.act)
    with rights.acting(plane, person.id, saying.role, eligible=saying.act == "halt") as session:
        manifest, digest = _live(session, channel)
        before = words_on(session, digest)
        _require_next(manifest, _read(session, manifest, before), saying, stage=stage)
        signing = Signing(
            act=saying.act,
            logged=Act.STAGE_CHANGED,
            channel=channel,
            person=person.id,
            role=saying.role,
            reason=saying.reason,
            key=key,
            manifest=digest,
            entries=(),
            target=LeafObject("release", f"release-{channel}-{manifest.number}", digest, str(manifest.number)),
            previous=before[-1].digest if before else "",
            facts=facts_of(manifest, manifest),
            code={"open": "opened", "halt": "halted"}[saying.act],
            said=tuple(row.envelope for row in before),
        )
        said = [*before, sign(plane, session, signing)]
        trust.require_signed_keyring(plane, _envelopes(said))
        made = _staged(manifest, _read(session, manifest, said))
    # Crash here: it is said and logged; `recover` publishes it.
    from control_plane.publish import publish  # brings `tuf`, which takes a third of a second to import

    publish(plane)
    return made


def _require_next(manifest: Manifest, now: Rollout, saying: _Saying, *, stage: int) -> None:
    if manifest.number != saying.release:
        raise Conflict(f"expected release {manifest.number}, which is live, got {saying.release}")
    if now.halted:
        hint = "propose a release with stages: it takes the quorum of one"
        raise Refused("expected a rollout under way, got one that was halted", hint=hint)
    if saying.act == "halt" and now.of == 1:
        hint = "withdraw what must stop"
        raise Conflict("expected a release in stages, got one that went to every device at once", hint=hint)
    if saying.act == "open" and now.stage == now.of:
        raise Conflict("expected a stage that is not open yet, got a release whose last stage is open")
    if saying.act == "open" and stage != now.stage + 1:
        raise Conflict(f"expected stage {now.stage + 1}, which is next, got {stage}")


def _live(session: Session, channel: str) -> tuple[Manifest, str]:
    manifest, digest = live_manifest(session, channel)
    if manifest is None:
        raise NotFound(f"expected a channel with a release, got {channel}, which has none")
    return manifest, digest


def _envelopes(rows: Sequence[StatementRow]) -> list[dsse.Envelope]:
    return [dsse.parse_envelope(row.envelope) for row in rows]


def _read(session: Session, manifest: Manifest, rows: Sequence[StatementRow]) -> Rollout:
    head = manifest.encode().split(b"\n", 1)[0]
    return read_rollout(head, _envelopes(rows), keyring=people.keyring(session))


def _staged(manifest: Manifest, rollout: Rollout) -> Staged:
    return Staged(
        manifest.channel,
        manifest.number,
        stages=manifest.stages if rollout.of > 1 else (100,),
        stage=rollout.stage,
        percent=rollout.percent,
        halted=rollout.halted,
    )
