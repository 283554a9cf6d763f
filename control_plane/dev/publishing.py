"""A developer's own release for every change: keys, log and TUF repository in a folder, without people or a database.

    home/draft-keys/       the keys of the root, of the other roles and of the log, made on first use
    home/people/           the keys of the two who sign: the developer, and a stand-in for whoever would approve
    home/trust/root.json   what an app is opened with while it is developed
    home/draft-site/       the published files

Devices verify a draft just as they verify everything else (V1 to V9): two keys of the developer's own sign all of it,
under approval rules of which every line says so. The epoch of an entry is the number of the release that changed it, so
that it rises even if the entry went in between.
Promises: a release is published whole or not at all; one process at a time works on a home; numbers only rise.
Does not: check what it is given (see `checking`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import parse_checkpoint
from audit.disk import Disk
from audit.errors import AuditError
from audit.note import parse_note
from audit.record import Act, Auth, Client, LeafActor, LeafObject, LeafRecord, Outcome, encode_leaf, event_id
from audit.tiles import TileReader
from audit.writer import open_log
from control_plane.dev.checking import Content
from control_plane.errors import Conflict
from control_plane.files import write_atomic
from control_plane.keys import load_key, load_keys, make_key
from control_plane.repository import Site
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import APPROVING, ApprovalRule, ApprovalRules, Person, When
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import DRAFT, TIERS, Entry, Manifest, changed_entries
from edge_runtime.core.model import parse_model_card
from edge_runtime.core.parts import pack
from edge_runtime.core.release import (
    LogProof,
    closure_path,
    divide_release,
    encode_release,
    encode_withdrawals,
    open_release,
    parse_release,
    parts_of,
    release_path,
    withdrawals_path,
)
from edge_runtime.core.statements import Statement, sign_statement
from edge_runtime.core.trustfile import TrustFile, encode_trust

__all__ = ["Workshop"]

Key = tuple[str, str]
DEVELOPER, STAND_IN = "developer", "stand-in"
STANDS_IN_AS = APPROVING[0]
FRESH_FOR_S = VALID_FOR_S = 30 * 24 * 3600
RULES = ApprovalRules(
    (ApprovalRule("draft", "a draft, approved by nobody: the developer's own keys signed it", When(), STANDS_IN_AS),),
    STANDS_IN_AS,
)


class Workshop:
    """The home of one developer's root, open for publishing; `close` lets another process have it."""

    def __init__(self, home: Path) -> None:
        """Open a home, made on first use.

        Raises:
            Conflict: another process works on it.
            InvalidDocument: it is that of a server, or was edited or damaged.
            Unavailable: a key is missing.
        """
        if (home / "keys").exists():  # whose root an app may have been shipped with
            raise InvalidDocument(f"expected a home of its own for drafts, got that of a server at {home}")
        home.mkdir(parents=True, exist_ok=True)
        write_atomic(home / ".gitignore", b"*\n")  # it holds keys, and nothing that is worth keeping
        self.site = home / "draft-site"
        self.trust = home / "trust"
        self._keys = load_keys(home / "draft-keys", DRAFT)
        self._people = {name: _load_person(home / "people" / f"{name}.pem") for name in (DEVELOPER, STAND_IN)}
        log = self.site / "log"
        log.mkdir(parents=True, exist_ok=True)
        try:
            self._log = open_log(Disk(log), self._keys.log)
        except BlockingIOError as error:
            raise Conflict(f"expected {home} to be free, got one that another `mentorplane dev` works on") from error
        except AuditError as error:
            raise InvalidDocument(
                f"expected {home} as it was left: {error}", hint="remove it: it holds no work"
            ) from error

    def close(self) -> None:
        """Let another process open the home."""
        self._log.close()

    def live(self, now: datetime) -> int:
        """Return the number of the release that is live, 0 if there is none yet."""
        before = _live(Site(self.site, self._keys, now))
        return before.number if before else 0

    def publish(self, contents: Mapping[Key, Content], locales: tuple[str, ...], now: datetime) -> tuple[int, int]:
        """Publish contents as the next release, unless they are live.

        Returns its number, and how many entries it changes or removes.

        Args:
            contents: closures by kind and name, with one policy and no approval rules.
            locales: of its scripts.
            now: the time, in UTC and whole seconds.
        """
        site = Site(self.site, self._keys, now)
        before = _live(site)
        rules = Content(canonical.encode(RULES.as_json()), "R4")
        everything = {**contents, ("approval-rules", "approval-rules"): rules}
        manifest = _next(before, everything, locales)
        for content in everything.values():
            self._write_closure(content.data)
        if before is not None and (manifest.entries, manifest.locales) == (before.entries, before.locales):
            site.renew()  # nothing else does while nobody works here
            self._write_root(site)
            return before.number, 0
        # Crash from here on: what is written lies there unused until the timestamp names it; the next save goes on.
        targets = {
            release_path(DRAFT): self._release(site, manifest, now),
            withdrawals_path(DRAFT): encode_withdrawals(DRAFT, ()),
        }
        site.write(encode_trust(self._trust_file()), targets)
        self._write_root(site)
        gone = {entry.key for entry in before.entries} - everything.keys() if before else set()
        return manifest.number, len(changed_entries(manifest, before)) + len(gone)

    def _write_closure(self, data: bytes) -> None:
        """Write a closure unless it is there just so.

        Not durably, which takes a second for a hundred: what a power cut spoils, devices refuse, and a start mends it.
        """
        path, packed = self.site / closure_path(canonical.digest(data)), pack(data)
        if not path.is_file() or path.read_bytes() != packed:
            path.parent.mkdir(exist_ok=True)
            temporary = path.with_name(f".{path.name}")
            temporary.write_bytes(packed)
            temporary.replace(path)

    def _write_root(self, site: Site) -> None:
        write_atomic(self.trust / "root.json", site.read("metadata/1.root.json"))

    def _trust_file(self) -> TrustFile:
        roles = {DEVELOPER: ("author",), STAND_IN: (STANDS_IN_AS,)}
        return TrustFile(
            organisation=DRAFT,
            people={
                name: Person(name, dsse.public_bytes(key), "own", roles[name]) for name, key in self._people.items()
            },
            log_vkey=self._keys.log.verifier.vkey,
            floor=dict.fromkeys(TIERS, 1),
            own_keys=False,
            self_contained=True,
        )

    def _release(self, site: Site, manifest: Manifest, now: datetime) -> bytes:
        """Return the release file, its parts written: signed by both keys, and in the log."""
        digest = manifest.digest
        new = tuple(entry for entry in manifest.entries if entry.epoch == manifest.number)
        old = tuple(entry for entry in manifest.entries if entry.epoch != manifest.number)
        # What stays was signed for an earlier release: one pair of statements for all of it, as of the one before.
        parts = [(digest, new)] + ([(manifest.base, old)] if old else [])
        statements = [one for part in parts for one in self._signed(*part, at=f"{now:%Y-%m-%dT%H:%M:%SZ}")]
        release, named = divide_release(manifest.encode(), statements, self._logged(manifest, digest, now))
        site.write_parts(named)
        return encode_release(release)

    def _signed(self, manifest: str, entries: tuple[Entry, ...], *, at: str) -> Iterator[dsse.Envelope]:
        for person, act, role in ((DEVELOPER, "author", "author"), (STAND_IN, "approve", STANDS_IN_AS)):
            statement = Statement(
                act, DRAFT, DRAFT, manifest=manifest, entries=entries, person=person, role=role, reason="", at=at
            )
            yield sign_statement(statement, self._people[person])

    def _logged(self, manifest: Manifest, digest: str, now: datetime) -> LogProof:
        record = LeafRecord(
            act=Act.RELEASED,
            outcome=Outcome.DONE,
            actor=LeafActor(DEVELOPER, "release-manager", Auth.SYSTEM, Client.CLI),
            object=LeafObject("release", f"release-{DRAFT}-{manifest.number}"),
            at=now,
            seq=self._log.size,
            id=event_id(now, os.urandom(10)),
            organisation=DRAFT,
            channel=DRAFT,
            manifest=digest,
        )
        leaf = encode_leaf(record)
        index = self._log.append(leaf)
        note = self._log.checkpoint
        signed = parse_checkpoint(parse_note(note).text)
        reader = TileReader(self._log.disk.read, size=signed.size, root=signed.root)
        return LogProof(checkpoint=note, index=index, leaf=leaf, proof=reader.inclusion_proof(index))


def _live(site: Site) -> Manifest | None:
    published = site.target(release_path(DRAFT))
    if published is None:
        return None
    release = parse_release(published)
    return open_release(release, site.parts(parts_of(release)))[0]


def _next(before: Manifest | None, contents: Mapping[Key, Content], locales: tuple[str, ...]) -> Manifest:
    number = before.number + 1 if before else 1
    known = {entry.key: entry for entry in before.entries} if before else {}
    entries = []
    for key, content in sorted(contents.items()):
        entry = Entry(*key, number, digest=canonical.digest(content.data), tier=content.tier, author=DEVELOPER)
        old = known.get(key)
        entries.append(old if old and (old.digest, old.tier) == (entry.digest, entry.tier) else entry)
    models = [parse_model_card(content.data).listed for (kind, _), content in contents.items() if kind == "model"]
    return Manifest(
        organisation=DRAFT,
        channel=DRAFT,
        number=number,
        base=before.digest if before else "",
        entries=tuple(entries),
        locales=locales,
        stages=(100,),
        models=tuple(sorted(models, key=lambda model: model.name)),
        fresh_for_s=FRESH_FOR_S,
        valid_for_s=VALID_FOR_S,
        rollback_to=0,
    )


def _load_person(path: Path) -> Ed25519PrivateKey:
    """Return the key in a file, made now if there is none."""
    if not path.is_file():
        make_key(path)
    return load_key(path)
