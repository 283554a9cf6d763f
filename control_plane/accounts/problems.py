"""Whether the rows of people, grants, keys and addresses say what the entries of the log and the signed bytes say.

Promises: each difference is one line that names the row. Does not: change anything, or verify sessions and tokens, of
which the log knows digests only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlmodel import Session, select

from audit.record import Act, LeafRecord
from control_plane.accounts.holdings import enrolment_digest, first_grants
from control_plane.accounts.people import keyring
from control_plane.tables.accounts import MOVED, ContactRow, GrantRow, KeyRow
from control_plane.tables.registry import PersonRow
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import Person
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.grants import missing_signatures, open_grant, signers_of

__all__ = ["problems"]

_ENDING = {Act.ROLE_ENDED, Act.HANDED_OVER, Act.KEY_REVOKED, Act.PERSON_RETIRED}
_GRANTING = {True: Act.ROLE_DELEGATED, False: Act.ROLE_GRANTED}


def problems(session: Session, leaves: Mapping[int, LeafRecord]) -> Iterator[str]:
    """Yield what differs between rows of accounts and the entries of the log."""
    known: set[str] = set()
    people = keyring(session)
    for row in session.exec(select(GrantRow).order_by(GrantRow.id)):
        known.add(row.id)
        wrong = _signed(row, leaves, people) if row.envelope else _enrolled(session, row, leaves)
        if wrong:
            yield f"grant {row.id}: {wrong}"
    logged = {leaf.object.name for leaf in leaves.values() if leaf.object.kind == "grant" and leaf.act != Act.REFUSED}
    yield from (f"grant {name}: logged, but not in the database" for name in sorted(logged - known))
    for key in session.exec(select(KeyRow).order_by(KeyRow.id)):
        wrong = _key(key, leaves)
        if wrong:
            yield f"key {key.id}: {wrong}"
    left = {leaf.object.name: index for index, leaf in leaves.items() if leaf.act == Act.PERSON_RETIRED}
    for person in session.exec(select(PersonRow).order_by(PersonRow.id)):
        if person.retired != left.get(person.id):
            yield f"person {person.id}: left otherwise than the log says"
    yield from _addresses(session, leaves)


def _signed(row: GrantRow, leaves: Mapping[int, LeafRecord], people: Mapping[str, Person]) -> str:
    try:
        envelope = dsse.parse_envelope(row.envelope)
        grant = open_grant(envelope)
    except MentorplaneError:
        return "not a signed statement"
    said = (grant.id, grant.person, grant.role, grant.behalf, grant.previous, grant.since, grant.until)
    shown = (row.id, row.person, row.role, row.behalf, row.previous, f"{row.since:{_TIME}}", f"{row.until:{_TIME}}")
    if said != shown or row.digest != canonical.digest(envelope.payload):
        return "the row differs from what was signed"
    if row.granted is not None and missing_signatures(grant, signers_of(envelope, people), people):
        return "not signed by whom it takes"
    if not _is(leaves, row.granted, _GRANTING[bool(row.behalf)], row=row):
        return "not granted by the entry that it names"
    if not _is(leaves, row.handed_over, Act.HANDED_OVER, row=row):
        return "not handed over by the entry that it names"
    return _ended(row, leaves)


_TIME = "%Y-%m-%dT%H:%M:%SZ"


def _enrolled(session: Session, row: GrantRow, leaves: Mapping[int, LeafRecord]) -> str:
    person = session.get(PersonRow, row.person)
    leaf = leaves.get(row.granted) if row.granted is not None else None
    if person is None or leaf is None or leaf.act != Act.PERSON_ENROLLED or leaf.object.name != row.person:
        return "not the one that came with the enrolment"
    first = first_grants(person)
    # People take their key to themselves later, or come with it.
    kept = [PersonRow(**{**person.model_dump(), "custody": custody}) for custody in ("server", "own")]
    before = canonical.digest(canonical.encode({"custody": "server", "roles": list(person.roles)}))
    ours = [(one.id, one.role, one.since, one.until) for one in first]
    if leaf.after not in {before, *(enrolment_digest(one, first) for one in kept)}:
        return "not the one that came with the enrolment"
    if (row.id, row.role, row.since, row.until) not in ours or row.behalf or row.previous:
        return "not the one that came with the enrolment"
    return _ended(row, leaves)


def _ended(row: GrantRow, leaves: Mapping[int, LeafRecord]) -> str:
    leaf = leaves.get(row.ended) if row.ended is not None else None
    ends = {leaf.seq for leaf in leaves.values() if leaf.act == Act.ROLE_ENDED and leaf.object.name == row.id}
    if row.ended is None:
        return "not ended, as the log says that it is" if ends or row.ended_at else ""
    if leaf is None or leaf.act not in _ENDING or leaf.at != row.ended_at:
        return "not ended by the entry that it names"
    return ""


def _is(leaves: Mapping[int, LeafRecord], index: int | None, act: Act, *, row: GrantRow) -> bool:
    logged = {leaf.seq for leaf in leaves.values() if leaf.act == act and leaf.object.name == row.id}
    if index is None:
        return not logged
    leaf = leaves.get(index)
    return index in logged and leaf is not None and leaf.object.digest == row.digest


def _key(row: KeyRow, leaves: Mapping[int, LeafRecord]) -> str:
    enrolled = leaves.get(row.enrolled)
    named = "sha256:" + dsse.key_id(row.public_key)
    acts = {Act.KEY_ENROLLED, Act.PERSON_ENROLLED}
    if row.id != dsse.key_id(row.public_key) or enrolled is None or enrolled.act not in acts:
        return "not enrolled by the entry that it names"
    if (enrolled.object.name, enrolled.object.digest) != (row.person, named):
        return "not enrolled by the entry that it names"
    revoked = {leaf.seq for leaf in leaves.values() if leaf.act == Act.KEY_REVOKED and leaf.object.digest == named}
    if (row.retired is None and revoked) or (row.retired is not None and row.retired not in revoked):
        return "not retired by the entry that the log says"
    return "" if row.retired is None or not row.sealed_key else "retired, and still sealed here"


def _addresses(session: Session, leaves: Mapping[int, LeafRecord]) -> Iterator[str]:
    logged: dict[str, tuple[str, str]] = {}
    for index in sorted(leaves):
        leaf = leaves[index]
        person = leaf.object.name
        if leaf.act == Act.ADDRESS_SET:
            by = logged.get(person, ("", ""))[1] if leaf.reason.code == MOVED else leaf.actor.id
            logged[person] = leaf.after, by
        elif leaf.act in {Act.ADDRESS_REMOVED, Act.ERASED}:  # whose texts are erased on request keeps no key
            logged.pop(leaf.actor.behalf if leaf.act == Act.ERASED else person, None)
    stored = {row.person: (canonical.digest(row.data), row.by) for row in session.exec(select(ContactRow))}
    for person in sorted({*logged, *stored}):
        if logged.get(person) != stored.get(person):
            yield f"address of {person}: not the one that was logged"
