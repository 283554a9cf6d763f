"""Outside evidence: a document that the organisation keeps, of which the log holds digest, kind and validity.

Such as an impact assessment, the notice to workers, a training record: the product cannot make them, and can show later
that this very document was there, who filed it and when.

Promises: the document is read once for its digest and stored nowhere here; only compliance and administrators file,
with a reason, and showing that they are here. Does not: judge what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from audit.record import Act, LeafObject, LeafRecord
from control_plane import ledger, texts
from control_plane.accounts import rights
from control_plane.accounts.rights import Attempt
from control_plane.keeping.keepers import Asking, require_keeper
from control_plane.plane import ControlPlane
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import is_digest

__all__ = ["KINDS", "Filed", "document_digest", "file_digest", "file_evidence", "filed_of"]

KINDS = {
    "ai-literacy": "record of training in AI literacy",
    "dpia": "data protection impact assessment",
    "emotion-review": "review that no emotions are inferred at work",
    "impact-assessment": "assessment of the impact on people and society",
    "incident-procedure": "procedure for serious incidents",
    "internal-audit": "report of an internal audit",
    "oversight-appointment": "appointment of a person for human oversight",
    "records-of-processing": "record of processing activities",
    "risk-assessment": "assessment of risks",
    "technical-documentation": "technical documentation",
    "worker-notice": "notice to workers and their representatives",
    "works-agreement": "agreement with the works council",
}
"""The kinds of documents, and what each is."""
MAX_DOCUMENT_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Filed:
    """A document on file: its kind and digest, the entry that says so, and the day after its last valid one."""

    index: int
    kind: str
    digest: str
    at: datetime
    ends: datetime | None

    def expired(self, now: datetime) -> bool:
        """Return whether it is not valid any more."""
        return self.ends is not None and self.ends <= now


def file_evidence(
    plane: ControlPlane,
    kind: str,
    document: bytes,
    *,
    asking: Asking,
    valid_until: date | None = None,
) -> int:
    """Log that a document is on file, and return the entry; `asking` says who files it, and why.

    Raises:
        InvalidDocument: an empty document, one that is too long, and as for `file_digest`.
        NotFound, Refused: as for `file_digest`.
    """
    return file_digest(plane, kind, document_digest(document), asking=asking, valid_until=valid_until)


def document_digest(document: bytes) -> str:
    """Return what is logged of a document. Raises: InvalidDocument: it is empty, or too long."""
    if not 0 < len(document) <= MAX_DOCUMENT_BYTES:
        raise InvalidDocument(f"expected a document of 1 to {MAX_DOCUMENT_BYTES} bytes")
    return canonical.digest(document)


def file_digest(
    plane: ControlPlane,
    kind: str,
    digest: str,
    *,
    asking: Asking,
    valid_until: date | None = None,
) -> int:
    """Log that the document of a digest is on file, and return the entry: it need not leave its place.

    A proof by an own key is for `doing("file-evidence", kind, digest)`.

    Raises:
        InvalidDocument: an unknown kind, no digest, one that is expired already, or no reason.
        NotFound: no such person.
        Refused: they are neither in compliance nor an administrator, or a wrong passphrase.
    """
    if kind not in KINDS:
        raise InvalidDocument(f"expected a kind out of {', '.join(sorted(KINDS))}")
    if not is_digest(digest):
        raise InvalidDocument("expected the SHA-256 of a document, as sha256: and 64 hex digits")
    if valid_until is not None and valid_until < plane.now().date():
        raise InvalidDocument("expected a document that is still valid, got one that has expired")
    # The only number that a leaf holds about its object is its version: here the last valid day, as 20271231.
    version = f"{valid_until:%Y%m%d}" if valid_until else ""
    target = LeafObject(kind, "", digest, version)
    attempt = Attempt("file-evidence", target)
    role, auth = require_keeper(plane, asking, attempt=attempt, what=(kind, digest))
    with rights.acting(plane, asking.by, role) as session:
        event = ledger.Event(
            Act.EVIDENCE_FILED,
            asking.by,
            role,
            auth,
            target,
            reason=texts.say(plane, asking.reason),
            ticket=asking.ticket,
        )
        return ledger.append(plane, session, event)


def filed_of(leaf: LeafRecord) -> Filed:
    """Return what an entry says is on file."""
    ends = None
    if len(leaf.object.version) == 8:
        try:
            ends = datetime.strptime(leaf.object.version, "%Y%m%d").replace(tzinfo=UTC) + timedelta(days=1)
        except ValueError:
            ends = leaf.at  # a day that the calendar does not have: valid for no day
    return Filed(leaf.seq, leaf.object.kind, leaf.object.digest, leaf.at, ends)
