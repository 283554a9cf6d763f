"""Whether the rows that people read say what the bytes beside them say: entries, statements, manifests, closures.

Promises: each column that repeats logged, signed or digested bytes is compared with them, and what an entry of the log
names must be there; each difference is one line that names the entry or row, never a person's text.
Does not: read the published files (see `verifying.verify`), or know whether the entries themselves were replaced.
What no digest covers is not verified: YAML texts beside their closures, logins, tokens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from audit.errors import AuditError
from audit.record import Act, LeafRecord, parse_leaf
from control_plane.accounts.problems import problems as accounts_problems
from control_plane.accounts.standing import RENEWED, TAKEN, key_digest
from control_plane.lifecycle.problems import problems as lifecycle_problems
from control_plane.plane import ControlPlane
from control_plane.policy.checks.records import CheckResult
from control_plane.registry.facts import checks_digest
from control_plane.reviewing.problems import problems as reviewing_problems
from control_plane.tables.accounts import KeyRow
from control_plane.tables.registry import (
    CheckRow,
    ClosureRow,
    LeafRow,
    PersonRow,
    ProposalRow,
    ReleaseRow,
    RevisionRow,
    StatementRow,
    VersionRow,
)
from control_plane.texts.problems import problems as texts_problems
from edge_runtime.core import canonical, dsse
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.manifest import Entry, Manifest, manifest_digest, parse_manifest
from edge_runtime.core.statements import MEANINGS, Statement, open_statement

__all__ = ["problems"]

_UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MentorplaneError,
    SQLAlchemyError,
    TypeError,
    ValueError,
)
_SIGNED = {
    "approve": {Act.APPROVED, Act.REVIEWED},
    "author": {Act.PROPOSED, Act.EDITED},
    "halt": {Act.STAGE_CHANGED},
    "open": {Act.STAGE_CHANGED},
    "reject": {Act.REJECTED},
    "withdraw": {Act.WITHDRAWN},
}


@dataclass(slots=True)
class _Known:
    """What the bytes say, as far as it was read: entries by index, statements and manifests by digest."""

    leaves: dict[int, LeafRecord] = field(default_factory=dict)
    statements: dict[str, Statement] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    keys: dict[str, list[bytes]] = field(default_factory=dict)


def problems(plane: ControlPlane, session: Session) -> tuple[str, ...]:
    """Return every difference between rows and the bytes that they repeat, in one transaction of the caller."""
    known = _Known()
    found: list[str] = []
    sections = (_entries, _people, _statements, _manifests, _proposals, _versions, _closures, _checks)
    for section in sections:
        try:
            found += section(session, known)
        except _UNREADABLE:
            # A driver lets a row hold what its column cannot: then the rest of its table cannot be read either.
            found.append(f"{section.__name__.removeprefix('_')}: a row holds what no use case writes")
    try:
        found += accounts_problems(session, known.leaves)
    except _UNREADABLE:
        found.append("accounts: a row holds what no use case writes")
    try:
        found += lifecycle_problems(session, known.leaves)
    except _UNREADABLE:
        found.append("lifecycle: a row holds what no use case writes")
    try:
        found += reviewing_problems(session, known.leaves)
    except _UNREADABLE:
        found.append("reviewing: a row holds what no use case writes")
    try:
        found += texts_problems(plane, session, known.leaves)
    except _UNREADABLE:
        found.append("texts: a row holds what no use case writes")
    return tuple(found)


def _differing(shown: Mapping[str, object], said: Mapping[str, object]) -> str:
    return ", ".join(name for name in said if shown[name] != said[name])


def _compared(what: str, row: object, said: Mapping[str, object]) -> Iterator[str]:
    differing = _differing({name: getattr(row, name) for name in said}, said)
    if differing:
        yield f"{what}: the row differs from its bytes in {differing}"


def _entries(session: Session, known: _Known) -> Iterator[str]:
    for index, row in enumerate(session.exec(select(LeafRow).order_by(col(LeafRow.seq)))):
        try:
            leaf = parse_leaf(row.data)
        except AuditError:
            yield f"entry {row.seq}: not a record of the log"
            continue
        known.leaves[row.seq] = leaf
        if row.seq != index:
            yield f"entry {index}: expected next, got entry {row.seq}"
        target = leaf.object
        said = {"seq": leaf.seq, "act": str(leaf.act), "actor": leaf.actor.id}
        said |= {"role": leaf.actor.role, "kind": target.kind, "channel": leaf.channel, "subject": leaf.subject}
        said |= {"name": target.name, "digest": target.digest, "manifest": leaf.manifest, "at": leaf.at}
        yield from _compared(f"entry {row.seq}", row, said)


def _people(session: Session, known: _Known) -> Iterator[str]:
    enrolled = {}
    for index in sorted(known.leaves):
        leaf = known.leaves[index]
        if leaf.act == Act.PERSON_ENROLLED or (leaf.act == Act.KEY_ENROLLED and leaf.reason.code in {RENEWED, TAKEN}):
            enrolled[leaf.object.name] = leaf.object.digest  # the newest is the present one
    for row in session.exec(select(PersonRow).order_by(PersonRow.id)):
        known.keys[row.id] = [row.public_key] if row.public_key else []
        if enrolled.get(row.id) != key_digest(row.public_key):
            yield f"person {row.id}: the key is not the one that was enrolled"
    for key in session.exec(select(KeyRow)):
        known.keys.setdefault(key.person, []).append(key.public_key)
    yield from (f"person {name}: enrolled, but not in the database" for name in sorted(set(enrolled) - set(known.keys)))


def _statements(session: Session, known: _Known) -> Iterator[str]:
    logged = {leaf.signature.statement: index for index, leaf in known.leaves.items() if leaf.signature.statement}
    for row in session.exec(select(StatementRow).order_by(col(StatementRow.id))):
        what = f"statement {row.id}"
        try:
            envelope = dsse.parse_envelope(row.envelope)
            statement = open_statement(envelope)
        except MentorplaneError:
            yield f"{what}: not a signed statement"
            continue
        digest = canonical.digest(envelope.payload)
        known.statements[digest] = statement
        said = {name: getattr(statement, name) for name in ("act", "channel", "manifest", "person", "role", "previous")}
        yield from _compared(what, row, {"digest": digest, **said})
        if f"{row.at:%Y-%m-%dT%H:%M:%SZ}" != statement.at:
            yield f"{what}: the row differs from its bytes in at"
        if not any(dsse.verified_by(envelope, key) for key in known.keys.get(statement.person, ())):
            yield f"{what}: not signed by the person it names"
        if digest not in logged:
            yield f"{what}: not in the log"
        else:
            yield from _logged(what, row, statement, leaf=known.leaves[logged[digest]])
            yield from _compared(what, row, {"leaf": logged[digest]})
    yield from (
        f"entry {logged[digest]}: its statement is gone" for digest in sorted(set(logged) - set(known.statements))
    )


def _logged(what: str, row: StatementRow, statement: Statement, *, leaf: LeafRecord) -> Iterator[str]:
    acts = _SIGNED[statement.act]
    proposal = f"proposal-{row.proposal}" if leaf.object.kind == "proposal" else None
    shown = (leaf.act in acts, leaf.actor.id, leaf.actor.role, leaf.manifest, leaf.signature.meaning, leaf.reason.text)
    said = (True, statement.person, statement.role, statement.manifest, MEANINGS[statement.act], statement.reason)
    if shown != said or (proposal is not None and proposal != leaf.object.name):
        yield f"{what}: its entry {leaf.seq} of the log says something else"


def _manifests(session: Session, known: _Known) -> Iterator[str]:
    authors = defaultdict(set)
    for statement in known.statements.values():
        if statement.act == "author":
            authors[statement.manifest].add(statement.person)
    for revision in session.exec(select(RevisionRow)):
        what = f"proposal {revision.proposal}, revision {revision.revision}"
        yield from _manifest(what, revision, known=known)
        if revision.editor not in authors[revision.digest]:
            yield f"{what}: the editor did not sign it"
    released = {leaf.manifest: index for index, leaf in known.leaves.items() if leaf.act == Act.RELEASED}
    for row in session.exec(select(ReleaseRow).order_by(ReleaseRow.channel, col(ReleaseRow.number))):
        what = f"release {row.number} on {row.channel}"
        yield from _manifest(what, row, known=known)
        leaf = known.leaves.get(released.pop(row.digest, -1))
        if leaf is None or (leaf.seq, leaf.actor.id) != (row.leaf, row.person):
            yield f"{what}: its entry of the log says something else"
    yield from (f"entry {index}: its release is gone" for index in sorted(released.values()))


def _manifest(what: str, row: RevisionRow | ReleaseRow, *, known: _Known) -> Iterator[str]:
    try:
        manifest = parse_manifest(row.manifest)
    except MentorplaneError:
        yield f"{what}: not a manifest"
        return
    said: dict[str, object] = {"digest": manifest_digest(row.manifest)}
    if isinstance(row, ReleaseRow):
        said |= {"number": manifest.number, "channel": manifest.channel}
    else:
        said |= {"base": manifest.base}
    known.manifests[str(said["digest"])] = manifest
    yield from _compared(what, row, said)


def _proposals(session: Session, known: _Known) -> Iterator[str]:
    proposed = [leaf for leaf in known.leaves.values() if leaf.act == Act.PROPOSED]
    logged = {leaf.object.name: (leaf.actor.id, leaf.seq, leaf.channel) for leaf in proposed}
    for proposal in session.exec(select(ProposalRow).order_by(col(ProposalRow.number))):
        what = f"proposal-{proposal.number}"
        if logged.pop(what, None) != (proposal.author, proposal.leaf, proposal.channel):
            yield f"proposal {proposal.number}: author, title or channel are not those that were signed"
    yield from (f"{what}: logged, but not in the database" for what in sorted(logged))


def _versions(session: Session, known: _Known) -> Iterator[str]:
    released = {leaf.manifest for leaf in known.leaves.values() if leaf.act == Act.RELEASED}
    manifests = [manifest for digest, manifest in known.manifests.items() if digest in released]
    releases = {(manifest.channel, manifest.number): manifest for manifest in manifests}
    for row in session.exec(select(VersionRow)):
        manifest = releases.get((row.channel, row.release))
        entry = Entry(row.kind, row.name, row.epoch, row.digest, row.tier, row.author)
        if manifest is None or entry not in manifest.entries:
            yield f"version {row.epoch} of {row.kind} {row.name!r}: not in release {row.release} on {row.channel}"


def _closures(session: Session, _known: _Known) -> Iterator[str]:
    for row in session.exec(select(ClosureRow).order_by(ClosureRow.digest)):
        if canonical.digest(row.data) != row.digest:
            yield f"closure {row.digest}: the bytes have another digest"


def _checks(session: Session, known: _Known) -> Iterator[str]:
    logged: dict[str, tuple[str, datetime]] = {}
    for leaf in known.leaves.values():
        if leaf.act == Act.CHECKED:
            logged[leaf.manifest] = leaf.after, leaf.at
        elif (
            leaf.act == Act.EDITED and not leaf.signature.statement
        ):  # other cases for the same manifest void its checks
            logged.pop(leaf.manifest, None)
    stored: dict[str, list[CheckResult]] = defaultdict(list)
    times: dict[str, set[datetime]] = defaultdict(set)
    for row in session.exec(select(CheckRow).order_by(col(CheckRow.position))):
        stored[row.manifest].append(CheckResult(row.name, row.status, tuple(row.evidence), row.version, row.inputs))
        times[row.manifest].add(row.at)
    for manifest in sorted({*logged, *stored}):
        report, at = logged.get(manifest, ("", None))
        if checks_digest(stored[manifest]) != report:
            yield f"checks of {manifest}: not the results that were logged"
        elif times[manifest] != {at}:
            yield f"checks of {manifest}: not of the time that was logged"
