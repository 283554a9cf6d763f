"""The files of a release as devices fetch them: release file and withdrawal list.

A bundle is the manifest, the closures, the approvals and the proofs. The release file holds all of it but the
closures, which are fetched by digest. Manifest and leaf are carried as the text that was signed and logged, never
re-encoded. Does not: verify (see `trust`).
Formats: docs/formats.md, `mentorplane-release/1` and `mentorplane-withdrawals/1`.
"""

from __future__ import annotations

from functools import lru_cache

from audit.frozen import frozen
from edge_runtime.core import canonical, dsse
from edge_runtime.core.fields import Fields

__all__ = [
    "CLOSURE_FOLDER",
    "LogProof",
    "ReleaseFile",
    "closure_path",
    "encode_release",
    "encode_withdrawals",
    "parse_release",
    "parse_withdrawals",
    "release_path",
    "withdrawals_path",
]

FORMAT = "mentorplane-release/1"
WITHDRAWALS_FORMAT = "mentorplane-withdrawals/1"
MAX_BYTES = 16_000_000
CLOSURE_FOLDER = "closures"


@frozen
class LogProof:
    """That the release stands in the audit log: its leaf, index and inclusion proof under a signed checkpoint."""

    checkpoint: bytes
    index: int
    leaf: bytes
    proof: tuple[bytes, ...]


@frozen
class ReleaseFile:
    """A release without its closures: manifest bytes, signed statements, log proof."""

    manifest: bytes
    statements: tuple[dsse.Envelope, ...]
    log: LogProof


def release_path(channel: str) -> str:
    """Return the path of a channel's release file among the published targets."""
    return f"channels/{channel}.json"


def withdrawals_path(channel: str) -> str:
    """Return the path of a channel's withdrawal list among the published targets."""
    return f"channels/{channel}-withdrawals.json"


def closure_path(digest: str) -> str:
    """Return the path of a closure below the published source."""
    return f"{CLOSURE_FOLDER}/{digest.removeprefix('sha256:')}.json"


def encode_release(release: ReleaseFile) -> bytes:
    """Return the canonical bytes of a release file."""
    log = release.log
    return canonical.encode(
        {
            "format": FORMAT,
            "manifest": release.manifest.decode(),
            "statements": [envelope.as_json() for envelope in release.statements],
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
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    manifest = fields.text("manifest", at_most=MAX_BYTES).encode()
    statements = fields.items("statements", dsse.parse_envelope, at_most=10_000)
    log = Fields(fields.json_object("log"), "release log proof", tagged=False)
    fields.close()
    proof = LogProof(
        checkpoint=log.text("checkpoint").encode(),
        index=log.integer("index"),
        leaf=log.text("leaf", at_most=65_535).encode(),
        proof=log.items("proof", _parse_hash, at_most=64),
    )
    log.close()
    return ReleaseFile(manifest, statements, proof)


def _parse_hash(value: object) -> bytes:
    return dsse.decode_base64(value if isinstance(value, str) else "")


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
