"""Publishing: from the database and the keys to the static files that devices read.

Everything published follows from the database: `publish` compares what should be there with what is, writes what
differs, and may be run at any time. Order: a changed trust file is logged, log tiles and checkpoint, closures, then the
TUF repository (see `repository`), whose timestamp is last and makes all of it count. Where custodians keep the offline
keys, the trust file is the one that they signed last (see `ceremony`), and before they did nothing is published.

Where devices ask for witnesses, a release waits until enough of them have cosigned the log with it, and one whose
approvers cannot be shown to have held their roles waits for ever: till then the channel goes on as it is published,
with the newest withdrawals.

Promises: writers take turns by the log-head row. Does not: decide what is released. Source: DESIGN section 6, publish.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sqlmodel import Session, col, select

from audit.checkpoint import parse_checkpoint
from audit.folder import folder_reader
from audit.note import parse_note
from audit.policy import evaluate
from audit.tiles import TileReader
from control_plane import checkpoints, db, ledger, mandates, trust
from control_plane.errors import NotFound
from control_plane.files import copy_published, write_atomic
from control_plane.plane import ControlPlane
from control_plane.registry.live import live_release, words_on
from control_plane.registry.withdrawals import withdrawal_rows
from control_plane.repository import Site, site_of
from control_plane.tables.registry import ClosureRow, LeafRow, ReleaseRow, StatementRow
from edge_runtime.core import canonical, dsse
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.manifest import PREVIOUS, parse_manifest
from edge_runtime.core.release import (
    LogProof,
    ReleaseFile,
    divide_release,
    encode_release,
    encode_withdrawals,
    offered_path,
    open_release,
    parse_release,
    parts_of,
    release_path,
    withdrawals_path,
)
from edge_runtime.core.rollout import encode_words, stages_path
from edge_runtime.core.trustfile import TRUST_PATH, TrustFile, encode_trust, parse_trust

__all__ = ["ForgedMirror", "channel_targets", "forge_mirror", "is_witnessed", "publish", "publish_waiting", "renew"]

WITNESS_WAIT_S = 2.0
_LOG = logging.getLogger(__name__)
_AT_ONCE = 5_000
"""How many closures are looked up at once, within what databases take as parameters."""
_FORGED_WORD = "never"


def publish(plane: ControlPlane) -> tuple[str, ...]:
    """Publish what the database holds and return the paths that were new; () if all was there.

    Raises:
        Unavailable: the published log does not agree with the database.
    """
    while True:
        with db.write(plane.engine) as session:
            ledger.require_current(plane, session)
            if plane.keys.is_self_contained:
                trust.log_change(plane, session)
        # Crash here: the change is logged and devices do not see it yet; the next publication goes on.
        ledger.publish_log(plane)
        ledger.ask_witnesses(plane, timeout_s=WITNESS_WAIT_S)
        with db.write(plane.engine) as session:
            if not plane.keys.is_self_contained:
                told = trust.signed_trust(plane)
                return _publish_site(plane, session, told) if told else ()
            told = encode_trust(trust.trust_file(plane, session))
            if trust.is_logged(session, told):  # else somebody was enrolled in between
                return _publish_site(plane, session, told)


def _publish_site(plane: ControlPlane, session: Session, told: bytes) -> tuple[str, ...]:
    site = site_of(plane)
    targets = channel_targets(plane, session, site, told=parse_trust(told))
    _offer_withdrawals(plane, targets)
    changed = site.write(told, targets)
    root = plane.settings.home / "trust" / "root.json"
    if not root.is_file():
        # Crash before this line: the next start writes it; no app can have shipped it yet.
        write_atomic(root, site.read("metadata/1.root.json"))
    return changed


def _offer_withdrawals(plane: ControlPlane, targets: Mapping[str, bytes]) -> None:
    """Write the lists beside the site, too: whoever copies them elsewhere is a second source, with no key of ours."""
    for channel in plane.settings.channels:
        data, path = targets.get(withdrawals_path(channel)), plane.site.parent / offered_path(channel)
        if data is not None and not (path.is_file() and path.read_bytes() == data):
            write_atomic(path, data)


def channel_targets(plane: ControlPlane, session: Session, site: Site, *, told: TrustFile) -> dict[str, bytes]:
    """Return what is to be published below `channels/`, with the closures behind it written.

    Args:
        told: the trust file by which devices will judge it.

    Raises:
        Unavailable: a live release is not in the published log.
    """
    targets: dict[str, bytes] = {}
    for channel in plane.settings.channels:
        live = live_release(session, channel)
        if live is None:
            continue
        _write_closures(session, live, site)
        targets[withdrawals_path(channel)] = encode_withdrawals(channel, _withdrawals(session, channel))
        release = _release_bytes(plane, session, live, site=site, told=told)
        before = site.target(release_path(channel))
        if before not in (None, release) and not _is_taken(session, live, release, site=site, told=told):
            held = (release_path(channel), stages_path(channel))
            targets |= {path: data for path in held if (data := site.target(path)) is not None}
            continue
        targets[release_path(channel)] = release
        if said := words_on(session, live.digest):
            targets[stages_path(channel)] = encode_words(channel, [dsse.parse_envelope(row.envelope) for row in said])
    return targets


def publish_waiting(plane: ControlPlane) -> None:
    """Publish the releases that waited for witnesses, if there is one and enough have cosigned."""
    known = trust.signed_trust_file(plane)
    site = site_of(plane)
    if known is None or known.witnesses is None or not is_witnessed(known, site.read("log/checkpoint")):
        return
    with db.read(plane.engine) as session:
        live = {channel: row.digest for channel in plane.settings.channels if (row := live_release(session, channel))}
    for channel, digest in live.items():
        data = site.target(release_path(channel))
        published = parse_release(data) if data else None
        good = published and is_witnessed(known, published.log.checkpoint)
        if published is None or not good or canonical.digest(published.manifest) != digest:
            publish(plane)
            return


def renew(plane: ControlPlane) -> None:
    """Sign a fresh timestamp, and whatever else is past half of its life."""
    with db.write(plane.engine):
        site_of(plane).renew()


def _write_closures(session: Session, live: ReleaseRow, site: Site) -> None:
    manifest = parse_manifest(live.manifest)
    plain = manifest.version == PREVIOUS
    lacking = sorted(site.lacking({entry.digest for entry in manifest.entries}, plain=plain))
    for start in range(0, len(lacking), _AT_ONCE):
        rows = session.exec(select(ClosureRow).where(col(ClosureRow.digest).in_(lacking[start : start + _AT_ONCE])))
        site.write_closures({row.digest: row.data for row in rows}, plain=plain)


def _withdrawals(session: Session, channel: str) -> tuple[dsse.Envelope, ...]:
    return tuple(dsse.parse_envelope(row.envelope) for row in withdrawal_rows(session, channel))


def _release_bytes(plane: ControlPlane, session: Session, live: ReleaseRow, *, site: Site, told: TrustFile) -> bytes:
    """Return the release file, its parts written: the one that is published if it is of this release, or a new one."""
    # The checkpoint is the published one, so its tiles are there; other acts may have been logged after the release.
    note, published = site.read("log/checkpoint"), site.target(release_path(live.channel))
    if published is not None and _is_good(plane, before := parse_release(published), live, site=site):
        checkpoint, parts = before.log.checkpoint, site.parts(before.mandates)
        if not is_witnessed(told, note) or (
            is_witnessed(told, checkpoint) and mandates.is_proven(session, live, before, told=told, parts=parts)
        ):
            return published
    leaf = session.get(LeafRow, live.leaf)
    signed = parse_checkpoint(parse_note(note).text)
    if leaf is None or live.leaf >= signed.size:
        raise Unavailable("expected the release in the published log, got no such entry")
    reader = TileReader(folder_reader(plane.site / "log"), size=signed.size, root=signed.root)
    proof = LogProof(note, live.leaf, leaf.data, proof=reader.inclusion_proof(live.leaf))
    proofs = mandates.make(plane, session, live, told=told, tiles=reader)
    release, parts = divide_release(live.manifest, _statements(session, live), proof, mandates=proofs)
    site.write_parts(parts)
    return encode_release(release)


def _is_taken(session: Session, live: ReleaseRow, data: bytes, *, site: Site, told: TrustFile) -> bool:
    """Return whether devices take a release file: enough witnesses saw it, and its approvers held their roles."""
    release = parse_release(data)
    if not is_witnessed(told, release.log.checkpoint):
        return False
    if mandates.is_proven(session, live, release, told=told, parts=site.parts(release.mandates)):
        return True
    _LOG.warning("release %s of %s waits: an approver is not shown to have held the role", live.number, live.channel)
    return False


def _statements(session: Session, live: ReleaseRow) -> list[dsse.Envelope]:
    rows = select(StatementRow.envelope).where(col(StatementRow.id).in_(live.statements)).order_by(col(StatementRow.id))
    return [dsse.parse_envelope(envelope) for envelope in session.exec(rows)]


def _is_good(plane: ControlPlane, release: ReleaseFile, live: ReleaseRow, *, site: Site) -> bool:
    """Return whether a release file is of this release, its parts there, its checkpoint by the key of the log now."""
    return (
        canonical.digest(release.manifest) == live.digest
        and checkpoints.is_by_present_key(plane, release.log.checkpoint)
        and site.has_parts(parts_of(release))
    )


def is_witnessed(told: TrustFile, checkpoint: bytes) -> bool:
    """Return whether a checkpoint satisfies the witness policy that devices were told of, if there is one."""
    return told.witnesses is None or evaluate(told.witnesses, checkpoint).ok


@dataclass(frozen=True, slots=True)
class ForgedMirror:
    """What a forger changed: one word of one prompt, in a manifest that nobody approved."""

    folder: Path
    kind: str
    name: str
    before_word: str
    after_word: str
    manifest: str


def forge_mirror(plane: ControlPlane, folder: Path) -> ForgedMirror:
    """Make the published site as a thief of every server key would publish it, for demonstrations.

    One word of a live prompt is changed and everything is signed again: every TUF signature is valid and every version
    rises. People's keys are not on the list of what was stolen, so the approvals are those of the genuine release, and
    devices must refuse. No leaf is appended to the audit log.

    Raises:
        NotFound: nothing is released yet, or no prompt has a word to change.
    """
    with db.read(plane.engine) as session:
        live = live_release(session, plane.channel)
        if live is None:
            raise NotFound("expected a release to forge, got none")
        manifest = parse_manifest(live.manifest)
        entry = next((entry for entry in manifest.entries if entry.kind == "prompt"), None)
        row = session.get(ClosureRow, entry.digest) if entry else None
        genuine = live.digest
    if entry is None or row is None:
        raise NotFound("expected a live prompt to forge, got none")
    document = canonical.parse(row.data, max_bytes=len(row.data))
    words = [word for word in document["fallback"].split() if word.isalpha()]
    word = max(words, key=len, default="")
    if not word:
        raise NotFound("expected a prompt with a word to change, got none")
    forged = canonical.encode({**document, "fallback": document["fallback"].replace(word, _FORGED_WORD, 1)})
    changed = entry._replace(digest=canonical.digest(forged), epoch=entry.epoch + 1)
    forgery = replace(
        manifest,
        number=manifest.number + 1,
        base=genuine,
        entries=tuple(sorted({*manifest.entries} - {entry} | {changed})),
        rollback_to=manifest.number,
    )
    _write_forgery(plane, folder, manifest=forgery.encode(), closure=forged)
    return ForgedMirror(folder, entry.kind, entry.name, word, _FORGED_WORD, forgery.digest)


def _write_forgery(plane: ControlPlane, folder: Path, *, manifest: bytes, closure: bytes) -> None:
    staging = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(staging, ignore_errors=True)
    copy_published(plane.site, staging)
    site = Site(staging, plane.keys, plane.now())
    channel = plane.channel
    path = release_path(channel)
    release, trust = site.target(path), site.target(TRUST_PATH)
    if release is None or trust is None:
        raise Unavailable("expected a published release to copy, got none")
    genuine = parse_release(release)
    _, statements = open_release(genuine, site.parts(parts_of(genuine)))
    forged, parts = divide_release(manifest, statements, genuine.log)
    site.write_closures({canonical.digest(closure): closure}, plain=not parts)
    site.write_parts(parts)
    site.write(trust, {**site.targets(), path: encode_release(forged)})
    site.resign()
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)
