"""Adopting what a source publishes, and reading again what was adopted: the shell around `core.trust`.

Promises: only what was approved is kept. Does not: decide whom to trust (see `core.trust`), speak TUF (see `delivery`),
say when to look and what stays of a look that failed (see `refreshing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import AuditError
from audit.frozen import frozen, replace
from edge_runtime.core import basis as basis_format
from edge_runtime.core.approval import Changed
from edge_runtime.core.canonical import digest
from edge_runtime.core.checkpoints import read_checkpoint
from edge_runtime.core.errors import NotTrusted, Unavailable
from edge_runtime.core.manifest import Entry, parse_manifest
from edge_runtime.core.parts import Part
from edge_runtime.core.release import parse_release, parts_of, release_path, withdrawals_path, written_manifest
from edge_runtime.core.rollout import Rollout, parse_words, read_rollout, stages_path
from edge_runtime.core.trust import EAGER_KINDS, Adoption, Basis, Delivery, adopt, changed_closures
from edge_runtime.delivery import TRUST_PATH
from edge_runtime.home import Home, write_file
from edge_runtime.waiting import RELEASE, RUNNING, Standing, load_key, running_in

if TYPE_CHECKING:
    from edge_runtime.core.manifest import Manifest
    from edge_runtime.core.trustfile import TrustFile
    from edge_runtime.delivery.cached import Cached
    from edge_runtime.delivery.online import Source

__all__ = ["GATHERED", "HEAD", "PARTS", "Adopter", "Held", "released_checkpoint"]

# Files of a generation:
PARTS = "parts.jsonl"
BASIS = "basis.json"
GATHERED = "withdrawals.json"
"""What a second source withdrew; an empty list if it said nothing, or there is none."""
HEAD = "log-head"
"""The newest signed checkpoint of the log that this device saw."""


@frozen
class Held:
    """A generation that was verified: its folder, what it says about time, what runs, what was witnessed besides."""

    generation: Path
    cached: Cached
    standing: Standing
    head: bytes
    gathered: bytes


@frozen
class Adopter:
    """What does not change from one adoption to the next: the home, the shipped root, the channel.

    `reader` gives the digest of the model that this device reads with, tested; asked where a release names models.
    """

    home: Home
    root: bytes
    channel: str
    reader: Callable[[], str] = str

    def load(self) -> Held | None:
        """Return what the home holds, verified again without a network; None if nothing was adopted yet.

        Raises:
            NotTrusted: it does not verify.
            InvalidDocument: the home is damaged.
        """
        generation = self.home.current()
        return self.held(generation) if generation else None

    def held(self, generation: Path, source: Source | None = None) -> Held:
        """Return what a generation holds, verified again; a source mends what is damaged of it.

        Raises: as for `load`.
        """
        cached, kept = self._kept(generation, source)
        standing = kept.stand()
        head = _read(generation / HEAD, check="V7")
        read_checkpoint(head, standing.adoption.state.trust.log_vkey)
        return Held(generation, cached, standing, head, kept.gathered)

    def adopt(self, staging: Path, cached: Cached, source: Source, *, before: Held | None, gathered: bytes) -> Standing:
        """Judge what was fetched into `staging`, and keep there and in the home what it takes to judge it again.

        A release in stages is verified in any case, and adopted once its stage is this device's.

        Raises:
            NotTrusted: a check failed.
            InvalidDocument: what was fetched is malformed.
            Unavailable: the source did not answer.
        """
        import shutil  # it brings three compressors: only for a refresh

        files = cached.files
        kept = self._kept(before.generation, source)[1] if before else None
        basis = before.standing.adoption.state.basis() if before else None
        growth = _growth(basis, files, source=source, channel=self.channel)
        parts = _parts(files[release_path(self.channel)], kept.parts if kept else {}, source)
        delivery = self._delivery(
            files, growth, parts=parts, gathered=gathered, source=source, basis=basis, is_new=True
        )
        adoption = adopt(basis, delivery)
        seen = before.standing.rollout if before else None
        rollout = _rollout(files, self.channel, adoption.state.trust, seen=seen)
        waiting = self._waiting(replace(kept, files=files, gathered=gathered) if kept else None, rollout)
        # Only what was approved is kept: a refused release leaves nothing behind.
        self.mend(adoption.state.manifest, source, delivery.closures, given_only=waiting is not None)
        write_file(staging / PARTS, b"\n".join(parts.values()))
        if kept and waiting:
            keep_running(staging, kept.delivery, kept.basis)
        else:
            shutil.rmtree(staging / RUNNING, ignore_errors=True)
            write_file(staging / BASIS, basis_format.encode_basis(basis, growth, adoption.changes))
        return Standing(waiting or adoption, rollout)

    def mend(
        self, manifest: Manifest, source: Source, closures: Mapping[str, bytes], *, given_only: bool = False
    ) -> None:
        """Keep the closures of a release that are missing or damaged here, from those given or from the source.

        Raises:
            NotTrusted: the source has another one under its name.
            Unavailable: it has none, or did not answer.
        """
        from edge_runtime.delivery.contents import fetch_closures

        entries = manifest.entries
        lacking = self.home.lacking(e.digest for e in entries if e.digest in closures or not given_only)
        given = {digest: closures[digest] for digest in closures.keys() & lacking}
        self.home.save_closures(given.items())
        self.home.save_closures(fetch_closures(source, manifest, lacking - given.keys()))

    def mended_parts(self, held: Held, source: Source) -> bytes:
        """Return the parts of the newest release as a generation keeps them, b"" if they lie there just so.

        Raises: as for `mend`.
        """
        release = held.cached.files[release_path(self.channel)]
        kept = _load_parts(held.generation / PARTS, release)
        parts = _parts(release, kept, source)
        return b"" if parts == kept else b"\n".join(parts.values())

    def _waiting(self, kept: _Kept | None, rollout: Rollout) -> Adoption | None:
        """Return what goes on running, with all that is new but the release; None if the release is this device's."""
        if kept is None or (rollout.percent == 100 and not rollout.halted):
            return None
        if kept.running == rollout.manifest or rollout.admits(load_key(self.home.folder)):
            return None
        try:
            return kept.stand().adoption
        except NotTrusted:  # who signed it counts no more: then it may not run, whatever the stage
            return None

    def _kept(self, generation: Path, source: Source | None = None) -> tuple[Cached, _Kept]:
        """Return what a generation was adopted on top of, and what it is; a source mends what is damaged."""
        from edge_runtime.delivery.cached import load_cached

        cached = load_cached(generation, self.root, channel=self.channel)
        newest = cached.files[release_path(self.channel)]
        folder, release = generation, newest
        if found := running_in(generation):
            folder, release = found, _read(found / RELEASE)
        basis, growth, changes = basis_format.parse_basis(_read(folder / BASIS))
        held = _load_parts(folder / PARTS, release)
        gathered = _read(generation / GATHERED)
        delivery = self._delivery(
            {**cached.files, release_path(self.channel): release},
            growth,
            parts=_parts(release, held, source),
            gathered=gathered,
            source=source,
            changes=changes,
        )
        seen = held if folder is generation else {**held, **_load_parts(generation / PARTS, newest)}
        parts = {**seen, **delivery.parts}
        return cached, _Kept(self.channel, cached.files, basis, delivery, parts=parts, gathered=gathered)

    def _delivery(
        self,
        files: Mapping[str, bytes],
        growth: tuple[bytes, ...],
        *,
        parts: Mapping[str, bytes],
        gathered: bytes,
        source: Source | None = None,
        basis: Basis | None = None,
        changes: tuple[Changed, ...] | None = None,
        is_new: bool = False,
    ) -> Delivery:
        """Return what `adopt` judges; on top of a basis, with the contents before and after of all that changes.

        What was adopted before is read again whatever model is there now: one that is not named is not read with.
        """
        release = files[release_path(self.channel)]
        manifest = parse_manifest(written_manifest(parse_release(release), parts))
        wanted = {e.digest: e for e in manifest.entries if e.kind in EAGER_KINDS}
        if digests := changed_closures(basis, manifest):
            known = (*manifest.entries, *(basis.before.entries.values() if basis else ()))
            wanted |= {entry.digest: entry for entry in known if entry.digest in digests}
        return Delivery(
            channel=self.channel,
            trust=files[TRUST_PATH],
            release=release,
            withdrawals=files[withdrawals_path(self.channel)],
            parts=parts,
            closures={digest: self._closure(entry, source, manifest.version) for digest, entry in wanted.items()},
            growth=growth,
            changes=changes,
            gathered=gathered,
            reader=self.reader() if is_new and manifest.models else None,
        )

    def _closure(self, entry: Entry, source: Source | None, version: str) -> bytes:
        """Return the bytes of an entry's closure, from this device or, missing or damaged there, from the source."""
        if source is None:
            return self.home.load_closure(entry.digest)
        from edge_runtime.delivery.contents import fetch_closure

        return self._held(entry) or fetch_closure(source, entry, version)

    def _held(self, entry: Entry) -> bytes | None:
        """Return the bytes that this device holds for an entry, None if there are none or they are damaged."""
        try:
            data = self.home.load_closure(entry.digest)
        except Unavailable:
            return None
        return data if digest(data) == entry.digest else None


@frozen
class _Kept:
    """What a generation holds: target files, the parts that it has, and what runs, as it was adopted on its basis."""

    channel: str
    files: Mapping[str, bytes]
    basis: Basis | None
    delivery: Delivery
    parts: Mapping[str, bytes]
    gathered: bytes

    @property
    def running(self) -> str:
        """The digest of the manifest of what runs."""
        return digest(parse_release(self.delivery.release).manifest)

    def stand(self) -> Standing:
        """Return what runs, verified under the trust file and the withdrawals among the files.

        Raises:
            NotTrusted, InvalidDocument: it does not verify.
        """
        newest = self.files[release_path(self.channel)]
        delivery = replace(
            self.delivery,
            trust=self.files[TRUST_PATH],
            withdrawals=self.files[withdrawals_path(self.channel)],
            gathered=self.gathered,
        )
        adoption = adopt(self.basis, delivery)
        trust = adoption.state.trust
        if delivery.release != newest:  # the newest log is what the next one must grow from
            seen = read_checkpoint(parse_release(newest).log.checkpoint, trust.log_vkey)
            adoption = replace(adoption, state=replace(adoption.state, checkpoint=seen))
        return Standing(adoption, _rollout(self.files, self.channel, trust))


def _rollout(files: Mapping[str, bytes], channel: str, trust: TrustFile, *, seen: Rollout | None = None) -> Rollout:
    """Return how far the newest release is rolled out."""
    said = files.get(stages_path(channel))
    words = parse_words(said, channel) if said is not None else ()
    return read_rollout(parse_release(files[release_path(channel)]).manifest, words, keyring=trust.people, seen=seen)


def _read(path: Path, *, check: str = "V6") -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotTrusted("expected what the last adoption built on, got none in the home", check=check) from error


def released_checkpoint(cached: Cached, channel: str) -> bytes:
    """Return the signed checkpoint under which the newest release stands in the log."""
    return parse_release(cached.files[release_path(channel)]).log.checkpoint


def keep_running(staging: Path, delivery: Delivery, basis: Basis | None) -> None:
    """Keep what runs beside the newest release in a generation; what is there stays as it is."""
    if running_in(staging):
        return
    (staging / BASIS).unlink()
    folder = staging / RUNNING
    folder.mkdir(mode=0o700)
    write_file(folder / RELEASE, delivery.release)
    write_file(folder / PARTS, b"\n".join(delivery.parts.values()))
    write_file(folder / BASIS, basis_format.encode_basis(basis, delivery.growth, delivery.changes))


def _named(release: bytes) -> tuple[Part, ...]:
    return tuple(dict.fromkeys(parts_of(parse_release(release))))  # two shards may be empty, and so the same


def _load_parts(path: Path, release: bytes) -> dict[str, bytes]:
    """Return what lies in a generation as the parts of its release: one a line, in the order in which it names them."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return {}
    return {part.digest: line for part, line in zip(_named(release), lines, strict=False)}


def _parts(release: bytes, held: Mapping[str, bytes], source: Source | None) -> dict[str, bytes]:
    """Return the parts of a release in their order: those that are held; the others from the source, if there is one.

    What is neither here nor there is missed by `adopt`.
    """
    found: dict[str, bytes] = {}
    for part in _named(release):
        data = held.get(part.digest)
        if source is not None and (data is None or not part.is_of(data)):
            from edge_runtime.delivery.contents import fetch_part

            data = fetch_part(source, part)
        if data is not None:
            found[part.digest] = data
    return found


def _growth(basis: Basis | None, files: Mapping[str, bytes], *, source: Source, channel: str) -> tuple[bytes, ...]:
    """Return the proof that the log grew from the checkpoint last seen to the one of this release."""
    if basis is None:
        return ()
    from audit.tiles import MAX_BUNDLE_BYTES, TileReader
    from edge_runtime.core.trustfile import parse_trust

    log = parse_release(files[release_path(channel)]).log
    seen = read_checkpoint(log.checkpoint, parse_trust(files[TRUST_PATH]).log_vkey)
    if seen.size <= basis.checkpoint.size:  # of one size, the roots must be the same
        return ()
    try:
        tiles = TileReader(
            lambda path: source.fetch(f"log/{path}", max_bytes=MAX_BUNDLE_BYTES), size=seen.size, root=seen.root
        )
        return tiles.consistency_proof(size=basis.checkpoint.size, root=basis.checkpoint.root)
    except AuditError as error:
        raise NotTrusted(f"expected the log to have grown from the one seen before: {error}", check="V7") from error
