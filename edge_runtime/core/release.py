"""The files of a release as devices fetch them: release file, its parts, and the withdrawal list.

A bundle is the manifest, the closures, the approvals and the proofs. The release file holds the head of the manifest
and the proof, and names the rest by digest: the shards of the manifest, groups of signed statements, one for each
manifest that they were made for, and the mandates of its approvers (see `mandates`); so that a device fetches only what
is new. Closures are fetched by digest as well.
Head and leaf are carried as the text that was signed and logged, never re-encoded. A release whose manifest is of the
version before is written as that version was: whole, with plain closures, without mandates.

Promises: `open_release(*divide_release(m, s, log))` gives the manifest and the statements back. Does not: verify (see
`trust`). Formats: docs/formats.md, `mentorplane-release/3`, `mentorplane-statements/1`, `mentorplane-withdrawals/1`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from audit.frozen import frozen
from edge_runtime.core import canonical, dsse
from edge_runtime.core.errors import InvalidDocument, NotTrusted
from edge_runtime.core.fields import Fields
from edge_runtime.core.manifest import Manifest, is_previous, parse_manifest, shards_of
from edge_runtime.core.parts import MAX_PART_BYTES, PACKED, Part, parse_part
from edge_runtime.core.statements import open_statement

__all__ = [
    "CHECKPOINT_PATH",
    "CLOSURE_FOLDER",
    "TIMESTAMP_PATH",
    "LogProof",
    "ReleaseFile",
    "closure_path",
    "divide_release",
    "encode_release",
    "encode_withdrawals",
    "mandates_of",
    "offered_path",
    "open_release",
    "parse_release",
    "parse_withdrawals",
    "parts_of",
    "plain_closure_path",
    "release_path",
    "withdrawals_path",
    "written_manifest",
]

FORMAT = "mentorplane-release/3"
PREVIOUS = "mentorplane-release/1"
GROUP_FORMAT = "mentorplane-statements/1"
_GROUP = b'{"format":"%b","statements":' % GROUP_FORMAT.encode()
MAX_STATEMENTS = 10_000
WITHDRAWALS_FORMAT = "mentorplane-withdrawals/1"
MAX_BYTES = 16_000_000
MAX_PARTS_BYTES = 64_000_000
"""How large all parts of a release may be together, uncompressed."""
CHECKPOINT_PATH = "log/checkpoint"
TIMESTAMP_PATH = "metadata/timestamp.json"
"""These two published files change under their names; what a refresh with nothing new asks for."""
CLOSURE_FOLDER = "closures"
MAX_CLOSURE_BYTES = 1_000_000
"""The largest that the format of a closure allows: that of a policy."""


@frozen
class LogProof:
    """That the release stands in the audit log: its leaf, index and inclusion proof under a signed checkpoint."""

    checkpoint: bytes
    index: int
    leaf: bytes
    proof: tuple[bytes, ...]


@frozen
class ReleaseFile:
    """What the target of a release holds.

    `manifest` is the head of the manifest, or the whole of one of the version before, whose statements stand here too;
    else they are in `groups`. `mandates` names one part, or none.
    """

    manifest: bytes
    log: LogProof
    groups: tuple[Part, ...] = ()
    statements: tuple[dsse.Envelope, ...] = ()
    mandates: tuple[Part, ...] = ()


def release_path(channel: str) -> str:
    """Return the path of a channel's release file among the published targets."""
    return f"channels/{channel}.json"


def withdrawals_path(channel: str) -> str:
    """Return the path of a channel's withdrawal list among the published targets."""
    return f"channels/{channel}-withdrawals.json"


def offered_path(channel: str) -> str:
    """Return the path of the withdrawal list of a channel below a second source."""
    return f"withdrawals/{channel}.json"


def closure_path(digest: str) -> str:
    """Return the path of a closure below the published source: compressed, as a part is."""
    return f"{CLOSURE_FOLDER}/{digest.removeprefix('sha256:')}{PACKED}"


def plain_closure_path(digest: str) -> str:
    """Return where a closure lies as it is, for a release of the version before."""
    return f"{CLOSURE_FOLDER}/{digest.removeprefix('sha256:')}.json"


def divide_release(
    manifest: bytes, statements: Iterable[dsse.Envelope], log: LogProof, *, mandates: bytes = b""
) -> tuple[ReleaseFile, dict[str, bytes]]:
    """Return the release file of a manifest written out, and the parts that it names, by digest."""
    head, *shards = manifest.split(b"\n")
    if not shards:
        return ReleaseFile(head, log, statements=tuple(statements)), {}
    by_manifest: dict[str, list[canonical.JsonObject]] = {}
    for envelope in statements:
        by_manifest.setdefault(open_statement(envelope).manifest, []).append(envelope.as_json())
    groups = [canonical.encode({"format": GROUP_FORMAT, "statements": group}) for group in by_manifest.values()]
    proofs = [mandates] if mandates else []
    parts = {canonical.digest(part): part for part in (*shards, *groups, *proofs)}
    return ReleaseFile(head, log, tuple(map(Part.of, groups)), mandates=tuple(map(Part.of, proofs))), parts


def parts_of(release: ReleaseFile) -> tuple[Part, ...]:
    """Return what names the parts of a release: the shards of its manifest, the groups of its statements, its mandates.

    Raises:
        InvalidDocument: they are larger than `MAX_PARTS_BYTES`, or the head names no shards as it should.
    """
    parts = (*shards_of(release.manifest), *release.groups, *release.mandates)
    if sum(part.size for part in parts) > MAX_PARTS_BYTES:
        raise InvalidDocument(f"{FORMAT}: expected parts of at most {MAX_PARTS_BYTES} bytes together, got more")
    return parts


def written_manifest(release: ReleaseFile, parts: Mapping[str, bytes]) -> bytes:
    """Return the manifest of a release written out.

    Raises:
        NotTrusted: V5, a shard is not among the parts.
        InvalidDocument: the head names no shards as it should.
    """
    return b"\n".join((release.manifest, *_taken(shards_of(release.manifest), parts)))


def open_release(release: ReleaseFile, parts: Mapping[str, bytes]) -> tuple[Manifest, tuple[dsse.Envelope, ...]]:
    """Return the manifest and the signed statements of a release.

    Raises:
        NotTrusted: V5, a part is not there, or is not the one that is named.
        InvalidDocument: one of them is malformed.
    """
    manifest = parse_manifest(written_manifest(release, parts))
    groups = [_parse_group(data) for data in _taken(release.groups, parts)]
    return manifest, (*release.statements, *(envelope for group in groups for envelope in group))


def mandates_of(release: ReleaseFile, parts: Mapping[str, bytes]) -> bytes:
    """Return the mandates of a release, b"" if it carries none.

    Raises:
        NotTrusted: V5, they are not among the parts.
    """
    return b"".join(_taken(release.mandates, parts))


def _taken(named: Iterable[Part], parts: Mapping[str, bytes]) -> Iterable[bytes]:
    for part in named:
        data = parts.get(part.digest)
        if data is None or not part.is_of(data):
            raise NotTrusted("expected every part of the release as it was named, got not all", check="V5")
        yield data


def _parse_group(data: bytes) -> tuple[dsse.Envelope, ...]:
    if data.startswith(_GROUP) and data.endswith(b"}") and len(data) <= MAX_PART_BYTES:
        quickly = dsse.parse_envelopes(data[len(_GROUP) : -1])
        if quickly is not None and len(quickly) <= MAX_STATEMENTS:
            return quickly
    fields = Fields(canonical.parse(data, max_bytes=MAX_PART_BYTES), GROUP_FORMAT)
    statements = fields.items("statements", dsse.parse_envelope, at_most=MAX_STATEMENTS)
    fields.close()
    return statements


def encode_release(release: ReleaseFile) -> bytes:
    """Return the canonical bytes of a release file, in the version that its manifest calls for."""
    log = release.log
    previous = is_previous(release.manifest)
    return canonical.encode(
        {
            "format": PREVIOUS if previous else FORMAT,
            "manifest": release.manifest.decode(),
            **(
                {"statements": [envelope.as_json() for envelope in release.statements]}
                if previous
                else {
                    "groups": [group.as_json() for group in release.groups],
                    "mandates": [part.as_json() for part in release.mandates],
                }
            ),
            "log": {
                "checkpoint": log.checkpoint.decode(),
                "index": log.index,
                "leaf": log.leaf.decode(),
                "proof": [dsse.encode_base64(node) for node in log.proof],
            },
        }
    )


@lru_cache(maxsize=4)
def parse_release(data: bytes) -> ReleaseFile:
    """Return the release file that canonical bytes hold.

    Raises:
        InvalidDocument: malformed, or larger than `MAX_BYTES`.
    """
    document = canonical.parse(data, max_bytes=MAX_BYTES)
    previous = document.get("format") == PREVIOUS
    fields = Fields(document, PREVIOUS if previous else FORMAT)
    manifest = fields.text("manifest", at_most=MAX_BYTES).encode()
    statements: tuple[dsse.Envelope, ...] = ()
    groups: tuple[Part, ...] = ()
    mandates: tuple[Part, ...] = ()
    if previous:
        statements = fields.items("statements", dsse.parse_envelope, at_most=MAX_STATEMENTS)
    else:
        groups = fields.items("groups", parse_part, at_most=10_000)
        mandates = fields.items("mandates", parse_part, at_most=1)
    log = Fields(fields.json_object("log"), "release log proof", tagged=False)
    fields.close()
    proof = LogProof(
        checkpoint=log.text("checkpoint").encode(),
        index=log.integer("index"),
        leaf=log.text("leaf", at_most=65_535).encode(),
        proof=log.items("proof", dsse.parse_bytes, at_most=64),
    )
    log.close()
    if previous != is_previous(manifest):
        raise InvalidDocument(f"{FORMAT}: expected a manifest of the version that goes with it, got another")
    return ReleaseFile(manifest, proof, groups, statements, mandates=mandates)


def encode_withdrawals(channel: str, statements: tuple[dsse.Envelope, ...]) -> bytes:
    """Return the canonical bytes of a channel's withdrawal list, oldest first."""
    return canonical.encode(
        {"format": WITHDRAWALS_FORMAT, "channel": channel, "statements": [e.as_json() for e in statements]}
    )


def parse_withdrawals(data: bytes, channel: str) -> tuple[dsse.Envelope, ...]:
    """Return the signed withdrawals of `channel`, oldest first.

    Raises:
        InvalidDocument: malformed, or the list of another channel.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), WITHDRAWALS_FORMAT)
    fields.choice("channel", (channel,))
    statements = fields.items("statements", dsse.parse_envelope, at_most=100_000)
    fields.close()
    return statements
