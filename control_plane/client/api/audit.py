"""`/v1/audit`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from datetime import date, datetime

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now, segment
from control_plane.client.records.audit import AsOf, ControlsReport, Filed, Gap, Hit, LedgerReport
from control_plane.client.records.shared import Proving

__all__ = ["AsyncAuditApi", "AuditApi"]


def _search(
    *,
    act: str | None = None,
    actor: str | None = None,
    name: str | None = None,
    version: str | None = None,
    channel: str | None = None,
    manifest: str | None = None,
    release: int | None = None,
    words: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
    before: int | None = None,
    proofs: bool | None = None,
) -> Call[tuple[Hit, ...]]:
    """Search the audit log, newest first; `before` goes on below an index, `proofs` adds C2SP proof files."""
    return Call(
        "GET",
        "/v1/audit/search",
        tuple[Hit, ...],
        query=given(
            act=act,
            actor=actor,
            name=name,
            version=version,
            channel=channel,
            manifest=manifest,
            release=release,
            words=words,
            since=since,
            until=until,
            limit=limit,
            before=before,
            proofs=proofs,
        ),
    )


def _proof(index: int) -> Call[str]:
    """Return the C2SP proof file of one entry."""
    return Call("GET", f"/v1/audit/entries/{segment(index)}/proof", str)


def _as_of(*, at: datetime, channel: str | None = None, prompt: str | None = None) -> Call[AsOf]:
    """Say what was live on a channel at a moment, by whose approval, with the entries that evidence it."""
    return Call("GET", "/v1/audit/as-of", AsOf, query=given(at=at, channel=channel, prompt=prompt))


def _verify() -> Call[LedgerReport]:
    """Verify the whole audit log."""
    return Call("GET", "/v1/audit/verify", LedgerReport)


def _log_keys() -> Call[tuple[str, ...]]:
    """Return the public keys by which the log is verified, the log's own first, then its witnesses': public."""
    return Call("GET", "/v1/audit/keys", tuple[str, ...])


def _checkpoint() -> Call[str]:
    """Return the signed checkpoint of the audit log: public, as all of the log is."""
    return Call("GET", "/v1/audit/checkpoint", str)


def _make_pack(
    *,
    if_match: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    release: int | None = None,
    channel: str | None = None,
    nonce: str | None = None,
    with_texts: bool | None = None,
) -> Call[bytes]:
    """Make an evidence pack and return it as a ZIP file."""
    return Call(
        "POST",
        "/v1/audit/packs",
        bytes,
        headers=given(**{"If-Match": if_match}),
        body=given(since=since, until=until, release=release, channel=channel, nonce=nonce, with_texts=with_texts),
    )


def _gaps() -> Call[tuple[Gap, ...]]:
    """Return where the record is uncovered."""
    return Call("GET", "/v1/audit/gaps", tuple[Gap, ...])


def _report(rules: str, *, since: datetime | None = None, until: datetime | None = None) -> Call[ControlsReport]:
    """Return what the log holds and lacks for a rule book."""
    return Call("GET", f"/v1/audit/report/{segment(rules)}", ControlsReport, query=given(since=since, until=until))


def _report_page(rules: str, *, since: datetime | None = None, until: datetime | None = None) -> Call[str]:
    """Return the same as a page."""
    return Call("GET", f"/v1/audit/report/{segment(rules)}/page", str, query=given(since=since, until=until))


def _file_document(
    *,
    reason: str,
    kind: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
    document: str | None = None,
    digest: str | None = None,
    valid_until: date | None = None,
    ticket: str | None = None,
    role: str | None = None,
) -> Call[Filed]:
    """Log that the organisation has a document; only its digest is kept."""
    return Call(
        "POST",
        "/v1/audit/evidence",
        Filed,
        headers=given(**{"If-Match": if_match}),
        body=given(
            reason=reason,
            kind=kind,
            passphrase=passphrase,
            proof=proof,
            document=document,
            digest=digest,
            valid_until=valid_until,
            ticket=ticket,
            role=role,
        ),
    )


class AuditApi(Group):
    """`/v1/audit`, one call after the other."""

    search = now(_search)
    proof = now(_proof)
    as_of = now(_as_of)
    verify = now(_verify)
    log_keys = now(_log_keys)
    checkpoint = now(_checkpoint)
    make_pack = now(_make_pack)
    gaps = now(_gaps)
    report = now(_report)
    report_page = now(_report_page)
    file_document = now(_file_document)


class AsyncAuditApi(AsyncGroup):
    """The same for `await`."""

    search = later(_search)
    proof = later(_proof)
    as_of = later(_as_of)
    verify = later(_verify)
    log_keys = later(_log_keys)
    checkpoint = later(_checkpoint)
    make_pack = later(_make_pack)
    gaps = later(_gaps)
    report = later(_report)
    report_page = later(_report_page)
    file_document = later(_file_document)
