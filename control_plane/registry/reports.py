"""Reports of checks: gathering what is checked, storing what came out, and whether that still says something.

A report is *fresh* for a revision while all of this holds: it is of this very manifest; what checks are given has the
same digests; every check that is installed now, and no other, has a result of its version of now; and it is not older
than the approval rules in force allow.

Promises: whoever approves or releases relies on a fresh report in which nothing failed; a report that is not fresh says
in which way. Does not: run checks (see `policy.checks.running`) or log anything (see `reviewing.review`).
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from control_plane import db
from control_plane.errors import Refused
from control_plane.policy.checks.records import SCRIPTS, WHOLE_RELEASE, Candidate, CheckResult, digests_of
from control_plane.policy.checks.running import required
from control_plane.registry import store
from control_plane.registry.affected import parsed
from control_plane.registry.live import live_manifest
from control_plane.tables.registry import CheckRow, ClosureRow, ReleaseRow, RevisionRow, SourceRow, VersionRow
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.manifest import Entry, Manifest, changed_entries, parse_manifest

__all__ = [
    "FRESH_DAYS",
    "closures_of",
    "examples_of",
    "fresh_days",
    "gather",
    "require_passed",
    "staleness",
    "store_report",
]

FRESH_DAYS = 7
"""How long a report is fresh where the approval rules in force say nothing."""
MAX_EARLIER = 200
"""Most earlier versions of a script that checks are given."""
EXAMPLES = ("cases", "recordings")
_SAYING_WHETHER_FRESH = (CheckRow, ClosureRow, ReleaseRow, RevisionRow, SourceRow, VersionRow)


def gather(session: Session, revision: RevisionRow, *, contents: bool = True) -> Candidate:
    """Return what checks are given of a revision.

    Args:
        session: a transaction.
        revision: what is checked.
        contents: whether closures are loaded; without, they are empty, and the candidate serves for digests alone.
    """
    manifest = parse_manifest(revision.manifest)
    base, _ = live_manifest(session, manifest.channel)
    introduced = changed_entries(manifest, base)
    earlier = {entry.key: _earlier(session, entry) for entry in introduced if entry.kind in SCRIPTS}
    digests = {entry.digest for entry in (*introduced, *_concerned(manifest, introduced))}
    digests |= {entry.digest for entry in _concerned(base, introduced)} if base else set()
    digests |= {digest for found in earlier.values() for digest in found}
    names = {entry.name for entry in introduced if entry.kind in SCRIPTS}
    examples = {kind: examples_of(session, revision, manifest.channel, kind=kind, names=names) for kind in EXAMPLES}
    return Candidate(
        manifest,
        base,
        introduced,
        closures=closures_of(session, digests) if contents else dict.fromkeys(digests, b""),
        cases=examples["cases"],
        recordings=examples["recordings"],
        earlier=earlier,
    )


def _concerned(manifest: Manifest, introduced: Iterable[Entry]) -> Iterable[Entry]:
    """Yield the entries that checks look at, changed or not: of the whole release, scripts before, translations."""
    keys = {entry.key for entry in introduced}
    for entry in manifest.entries:
        original = entry.kind, entry.name.rpartition(".")[0]
        if entry.kind in WHOLE_RELEASE or entry.key in keys or original in keys:
            yield entry


def _earlier(session: Session, entry: Entry) -> tuple[str, ...]:
    """Return the digests of released versions of an entry, newest first, without its own."""
    query = select(VersionRow.digest).where(VersionRow.kind == entry.kind, VersionRow.name == entry.name)
    found = session.exec(query.order_by(col(VersionRow.epoch).desc()).limit(MAX_EARLIER))
    return tuple(dict.fromkeys(digest for digest in found if digest != entry.digest))


def closures_of(session: Session, digests: AbstractSet[str]) -> dict[str, bytes]:
    """Return those closures that are stored, by digest."""
    wanted = sorted(digests)
    found: dict[str, bytes] = {}
    for start in range(0, len(wanted), 500):
        rows = session.exec(select(ClosureRow).where(col(ClosureRow.digest).in_(wanted[start : start + 500])))
        found |= {row.digest: row.data for row in rows}
    return found


def examples_of(
    session: Session, revision: RevisionRow, channel: str, *, kind: str, names: AbstractSet[str]
) -> dict[str, JsonObject]:
    """Return the cases or the recordings of scripts by name, as they would be on a channel with the revision."""
    live = select(SourceRow).where(SourceRow.channel == channel, SourceRow.kind == kind)
    texts = {row.name: (row.text, row.path) for row in session.exec(live.where(col(SourceRow.name).in_(names)))}
    texts |= {file["name"]: (file["text"], file["path"]) for file in revision.files if file["kind"] == kind}
    gone = {name for removed, name in revision.removed if removed == kind}
    return {name: _document(*texts[name]) for name in sorted((texts.keys() & names) - gone)}


def _document(text: str, path: str) -> JsonObject:
    """Return what a file of examples holds; it was read strictly when it was proposed, and is read only."""
    return parsed(text.encode(), path).document


def store_report(session: Session, manifest: str, results: Iterable[CheckResult], *, at: datetime) -> None:
    """Store the results for a manifest in place of those before."""
    session.exec(delete(CheckRow).where(col(CheckRow.manifest) == manifest))
    for position, result in enumerate(results):
        row = CheckRow(
            manifest=manifest,
            name=result.name,
            position=position,
            status=result.status,
            evidence=list(result.evidence),
            version=result.version,
            inputs=dict(result.inputs),
            at=at,
        )
        session.add(row)
    session.flush()


def staleness(session: Session, revision: RevisionRow, *, now: datetime) -> str:
    """Return why the report of a revision is not fresh; "" if it is."""
    asked = ("staleness", revision.proposal, revision.revision)
    why, since, days = db.once(session, asked, lambda: _standing(session, revision), of=_SAYING_WHETHER_FRESH)
    if since is not None and since + timedelta(days=days) < now:
        return f"expected checks to be run again, because the report is older than {days} days"
    return why


def _standing(session: Session, revision: RevisionRow) -> tuple[str, datetime | None, int]:
    """Return why the report of a revision says nothing, whatever its age, or its age and how many days it is fresh."""
    rows = session.exec(select(CheckRow).where(CheckRow.manifest == revision.digest)).all()
    if not rows:
        return "expected checks to be run on this very revision, and they were not", None, 0
    wanted, got = required(), {row.name: row.version for row in rows}
    if differing := sorted(name for name in wanted.keys() | got.keys() if wanted.get(name) != got.get(name)):
        why = f"expected checks to be run again, because these are installed now or gone: {', '.join(differing)}"
        return why, None, 0
    inputs = digests_of(gather(session, revision, contents=False))
    if other := sorted({name for row in rows for name in inputs if row.inputs.get(name) != inputs[name]}):
        return f"expected checks to be run again, because this is another by now: {', '.join(other)}", None, 0
    return "", min(row.at for row in rows), fresh_days(session, revision)


def fresh_days(session: Session, revision: RevisionRow) -> int:
    """Return how many days a report is fresh, by the approval rules in force, or for a first release by its own."""
    manifest = parse_manifest(revision.manifest)
    holder = live_manifest(session, manifest.channel)[0] or manifest
    stated = []
    for entry in holder.entries:
        if entry.kind == "approval-rules":
            document = canonical.parse(store.closure(session, entry.digest), max_bytes=1_000_000)
            stated.append(document.get("checks_fresh_days", FRESH_DAYS))
    return min((days for days in stated if type(days) is int and days > 0), default=FRESH_DAYS)


def require_passed(session: Session, revision: RevisionRow, *, now: datetime) -> None:
    """Refuse a revision that has no fresh report in which nothing failed.

    Raises:
        Refused: it has not; the message says which checks failed, or in which way the report is not fresh.
    """
    if why := staleness(session, revision, now=now):
        raise Refused(why, hint=f"mentorplane check {revision.proposal}")
    failed = [result.name for result in store.checks_of(session, revision.digest) if result.status == "failed"]
    if failed:
        raise Refused(f"expected every check to pass, and these did not: {', '.join(failed)}")
