"""Opening proposals, and approving several that were opened with one re-authentication.

Promises: a batch is listed by its approver, with the manifest digest of each item; every item was opened by that very
person as it is now; each gets a statement and an entry of the log of its own; all are signed or none is.
Does not: make approving easier in any other way: each item meets all that `review.approve` asks.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit.record import Act, Auth
from control_plane import db, ledger
from control_plane.accounts import rights
from control_plane.accounts.rights import Attempt
from control_plane.overview import queries
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.discussed import BatchItem
from control_plane.registry.records import Proposal, ProposalDetail
from control_plane.reviewing import review
from control_plane.signing import Elsewhere
from control_plane.tables.reviewing import OpeningRow
from edge_runtime.core.errors import InvalidDocument

__all__ = ["MAX_BATCH", "approve_batch", "open_proposal"]

MAX_BATCH = 50


def open_proposal(plane: ControlPlane, actor: str, number: int, *, auth: Auth = Auth.TOKEN) -> ProposalDetail:
    """Return a proposal with all that is needed to decide, and record that this person was shown it as it is now.

    Raises:
        NotFound: no such proposal or person.
        Refused: their token is not good for approving.
    """
    rights.require_scope(plane, actor, attempt=Attempt("approve", store.target_named(number)))
    detail = queries.show_proposal(plane, number)
    with db.read(plane.engine) as session:
        person = rights.find_row(session, actor).id
        if session.get(OpeningRow, (person, detail.proposal.manifest)) is not None:
            return detail
    with rights.acting(plane, person) as session:
        proposal, revision = store.find_proposal(session, number)
        row = rights.find_row(session, person)
        if (
            revision.digest != detail.proposal.manifest
            or session.get(OpeningRow, (person, revision.digest)) is not None
        ):
            return detail  # edited meanwhile: what was shown is no more, and the approval will say so
        event = ledger.Event(
            Act.OPENED,
            person,
            rights.part_of(plane, row.roles),
            auth,
            store.target_of(proposal, revision),
            channel=proposal.channel,
            manifest=revision.digest,
        )
        leaf = ledger.append(plane, session, event)
        opening = OpeningRow(
            person=person,
            manifest=revision.digest,
            proposal=number,
            revision=revision.revision,
            leaf=leaf,
            at=plane.now(),
        )
        session.add(opening)
    return detail


def approve_batch(
    plane: ControlPlane, actor: str, items: Sequence[BatchItem], *, passphrase: str | Elsewhere
) -> tuple[Proposal, ...]:
    """Approve several proposals, each opened by the actor, with one re-authentication: all or none.

    Who keeps their key themselves hands in what they signed: one statement for each item, in the same order.

    Raises:
        NotFound, Refused, Conflict: as for `review.approve`, for any of them; or it was not opened as it is now.
        InvalidDocument: nothing listed, too much, or a proposal twice.
    """
    numbers = [item.number for item in items]
    if not 1 <= len(items) <= MAX_BATCH or len(set(numbers)) != len(numbers):
        raise InvalidDocument(f"expected 1 to {MAX_BATCH} proposals, each once")
    verdicts = [review.Verdict(one.number, one.role, one.reason, one.manifest) for one in items]
    return review.review_all(plane, actor, verdicts, act=Act.APPROVED, passphrase=passphrase, opened=True)
