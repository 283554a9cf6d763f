"""Withdrawing: stopping a prompt on every channel that has it, or all of a channel.

Promises: one person eligible for a role that may stop things suffices, whether it is granted now or not, with a
signature that names what runs instead: a live prompt with a contract that takes the place and nothing looser, an
earlier version, or the fallback text; it is linked to the one before on its channel; all of a channel takes two people
about the same release; hand-off texts are exempt.
Does not: lift a withdrawal (see `derived`: it takes a proposal and a quorum).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, select

from audit.record import Act, LeafObject
from control_plane.accounts import people, rights
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.policy.compatibility import Version, find_breaks
from control_plane.registry import store
from control_plane.registry.facts import Facts, facts_of
from control_plane.registry.live import live_manifest
from control_plane.registry.records import Withdrawal
from control_plane.registry.withdrawals import (
    who_stopped,
    withdrawal_record,
    withdrawal_rows,
    withdrawals_of,
    withdrawn_digests,
)
from control_plane.signing import Elsewhere, Signing, auth_of, key_of, sign, sign_all
from control_plane.tables.registry import VersionRow
from edge_runtime.core.change_judges import judge_levels, judge_scripts
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Entry, Manifest
from edge_runtime.core.policy import parse_policy
from edge_runtime.core.prompt import Prompt, parse_prompt
from edge_runtime.core.withdrawals import WHOLE_CHANNEL, WITHDRAWING_ROLES

__all__ = [
    "ChannelWithdrawn",
    "withdraw",
    "withdraw_channel",
]

WITHDRAWABLE = ("prompt",)


@dataclass(frozen=True, slots=True)
class ChannelWithdrawn:
    """How many more people must withdraw a channel before it stops."""

    channel: str
    missing: int


@dataclass(frozen=True, slots=True)
class _Stopping:
    """Who stops something, in which role, why, and what runs instead."""

    person: str
    role: str
    reason: str
    key: Ed25519PrivateKey | Elsewhere
    replacement: str = ""


def withdraw(
    plane: ControlPlane,
    actor: str,
    *,
    target: str,
    reason: str,
    passphrase: str | Elsewhere,
    replacement: str = "",
    channel: str = "",
    role: str = "",
) -> Withdrawal:
    """Withdraw a prompt: devices stop using this content as soon as they learn of it.

    Args:
        plane: the control plane.
        actor: person id; one person suffices, because this can only tighten.
        target: name of a prompt that is live on the channel, or digest of any released version.
        reason: why, in their own words.
        passphrase: opens their key for this; or what they signed where their own key is, for each channel.
        replacement: what runs instead: name or digest of another live prompt, digest of an earlier version of the
            prompt, which runs once it is live again; "" for the fallback text.
        channel: where names are looked up, "" for the usual one; the content stops on every channel that had it.
        role: in which they sign, "" for the only one of theirs that may stop things.

    Raises:
        NotFound: nothing released has that name or digest, or no such person.
        Refused: they are eligible for no role that may stop things; it is not a prompt (a hand-off text cannot be
            withdrawn), the replacement cannot take its place, or a wrong passphrase.
        Conflict: it is withdrawn already, or the replacement is.
    """
    if not reason.strip():
        raise InvalidDocument("expected a reason, got none")
    role = _role(plane, actor, target, given=passphrase, chosen=role)
    person = people.find_person(plane, actor)
    key = key_of(plane, actor, passphrase, use="withdraw")
    on = plane.on(channel)
    with rights.acting(plane, actor, role, eligible=True) as session:
        version = _find_version(session, on, target)
        if version.kind not in WITHDRAWABLE:
            raise Refused(f"expected a prompt, got a {version.kind}, which cannot be withdrawn")
        instead = _replacement(session, on, version, wanted=replacement) if replacement else ""
        stopping = _Stopping(person.id, role, reason, key, instead)
        signings = [
            _withdrawing(session, one, version=version, stopping=stopping)
            for one in _channels_with(plane, session, version.digest)
            if version.digest not in withdrawn_digests(session, one)
        ]
        if not signings:
            raise Conflict("expected content that is in use, got what is withdrawn already")
        done = [withdrawal_record(row, reason) for row in sign_all(plane, session, signings)]
        made = next((one for one in done if one.channel == on), done[0])
    # Crash here: the withdrawal is made and logged; `recover` publishes it.
    _publish(plane)
    return made


def withdraw_channel(
    plane: ControlPlane, actor: str, *, channel: str, reason: str, passphrase: str | Elsewhere, role: str = ""
) -> ChannelWithdrawn:
    """Withdraw all prompts of a channel, which takes two people, about the same release.

    Raises: as for `withdraw`, and Conflict if this person has done so already.
    """
    if not reason.strip():
        raise InvalidDocument("expected a reason, got none")
    on = plane.on(channel)
    role = _role(plane, actor, on, given=passphrase, chosen=role)
    person = people.find_person(plane, actor)
    key = key_of(plane, actor, passphrase, use="withdraw")
    with rights.acting(plane, actor, role, eligible=True) as session:
        manifest, digest = live_manifest(session, on)
        if manifest is None:
            raise NotFound(f"expected a channel with a release, got {on}, which has none")
        said = who_stopped(withdrawals_of(session, on), digest, manifest.lifts)
        if person.id in said:
            raise Conflict("expected another person, got one who has withdrawn this channel already")
        before = withdrawal_rows(session, on)
        signing = Signing(
            act="withdraw",
            logged=Act.WITHDRAWN,
            channel=on,
            person=person.id,
            role=role,
            reason=reason,
            key=key,
            manifest=digest,
            entries=(),
            target=LeafObject("channel", on, digest, str(manifest.number)),
            previous=before[-1].digest if before else "",
            facts=facts_of(manifest, manifest),
            before=digest,
        )
        sign(plane, session, signing)
    _publish(plane)
    return ChannelWithdrawn(on, max(0, WHOLE_CHANNEL - len(said) - 1))


def _role(plane: ControlPlane, actor: str, target: str, *, given: str | Elsewhere, chosen: str) -> str:
    """Return the role in which somebody stops something. Raises: as for `rights.require_eligible`."""
    name = target if target.replace("-", "").replace(".", "").isalnum() else ""
    attempt = Attempt("withdraw", LeafObject("prompt", name), auth_of(given))
    return rights.require_eligible(plane, actor, sorted(WITHDRAWING_ROLES), attempt=attempt, chosen=chosen)


def _publish(plane: ControlPlane) -> None:
    from control_plane.publish import publish  # brings `tuf`, which takes a third of a second to import

    publish(plane)


def _withdrawing(session: Session, channel: str, *, version: VersionRow, stopping: _Stopping) -> Signing:
    before = withdrawal_rows(session, channel)
    entry = Entry(version.kind, version.name, version.epoch, version.digest, version.tier, version.author)
    return Signing(
        act="withdraw",
        logged=Act.WITHDRAWN,
        channel=channel,
        person=stopping.person,
        role=stopping.role,
        reason=stopping.reason,
        key=stopping.key,
        manifest=live_manifest(session, channel)[1],
        entries=(entry,),
        target=LeafObject(version.kind, version.name, version.digest, str(version.epoch)),
        previous=before[-1].digest if before else "",
        facts=_facts_now(session, channel, version),
        before=version.digest,
        after=stopping.replacement,
        replacement=stopping.replacement,
    )


def _channels_with(plane: ControlPlane, session: Session, digest: str) -> Iterable[str]:
    """Return the channels that ever had a content, or are to have it: it may be on its way there."""
    had = set(session.exec(select(VersionRow.channel).where(VersionRow.digest == digest)))
    return [channel for channel in plane.settings.channels if channel in had]


def _replacement(session: Session, channel: str, version: VersionRow, *, wanted: str) -> str:
    """Return the digest of what is to run instead."""
    manifest, _ = live_manifest(session, channel)
    live = [entry for entry in (manifest.entries if manifest else ()) if entry.kind == "prompt"]
    found = next((entry.digest for entry in live if wanted in {entry.name, entry.digest}), "")
    if not found:
        earlier = select(VersionRow.digest).where(VersionRow.kind == version.kind, VersionRow.name == version.name)
        found = wanted if wanted in set(session.exec(earlier)) else ""
    if not found or found == version.digest:
        raise NotFound("expected another live prompt, or an earlier version of this one, got something else")
    if found in withdrawn_digests(session, channel):
        raise Conflict("expected a replacement that is in use, got what is withdrawn itself")
    stopped = parse_prompt(store.closure(session, version.digest))
    other = parse_prompt(store.closure(session, found))
    breaks = find_breaks(other, [Version(version.name, stopped)], "backward")
    if breaks:
        raise Refused(f"expected a replacement with a contract that takes the place, got: {breaks[0].sentence}")
    if found in {entry.digest for entry in live} and "loosening" in _judged(session, manifest, (stopped, other)):
        raise Refused(
            "expected a replacement that is bound as strictly, got one that loosens something",
            hint="one person stops things; that anything is looser takes a proposal and a quorum",
        )
    return found


def _judged(session: Session, manifest: Manifest | None, prompts: tuple[Prompt, Prompt]) -> set[str]:
    """Return the kinds of change from what is stopped to what is live instead, in the words of the live policy."""
    policies = [entry for entry in (manifest.entries if manifest else ()) if entry.kind == "policy"]
    if not policies:
        return {"loosening"}
    vocabulary = parse_policy(store.closure(session, policies[0].digest)).vocabulary
    stopped, other = prompts
    return judge_scripts(stopped, other, vocabulary) | judge_levels(stopped.tier, other.tier)


def _facts_now(session: Session, channel: str, version: VersionRow) -> Facts:
    """Return the facts about the live release, and the tier of a version."""
    manifest, _ = live_manifest(session, channel)
    return replace(facts_of(manifest, manifest), tier=version.tier, diff="") if manifest else Facts(tier=version.tier)


def _find_version(session: Session, channel: str, target: str) -> VersionRow:
    query = select(VersionRow).order_by(col(VersionRow.epoch).desc())
    if target.startswith("sha256:"):
        found = session.exec(query.where(VersionRow.digest == target)).first()
    else:
        manifest, _ = live_manifest(session, channel)
        live = {entry.digest for entry in manifest.entries} if manifest else set()
        named = session.exec(query.where(VersionRow.name == target, VersionRow.channel == channel))
        found = next((row for row in named if row.digest in live), None)
    if found is None:
        raise NotFound("expected the name of a live prompt or the digest of a released one")
    return found
