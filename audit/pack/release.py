"""What a pack about a release carries besides the log: the manifest, the signed statements, the closures' digests.

What is checked, by number (those of `audit.pack.check`):
11. the manifest is the one whose digest the entry of the release holds; each statement is one whose digest an entry of
    the pack holds, is about this release, and is signed by the key that this entry names; no statement about it that
    an entry of the pack names is left out; the list of closures is what the manifest says.

Files: `release/manifest.json` (written out: its first line is what people signed, and names each further line, a shard
of its entries, by digest; one of the version before is one line, with its entries), `release/closures` (lines
`<digest> <kind> <name> <epoch>`), `release/keys` (lines of public keys in base64),
`release/statements/<hex digest>.json` (DSSE envelopes).

It does not judge whether the approvals suffice: that takes the approval rules in force, which devices apply.

Source: DSSE protocol v1 (pre-authentication encoding).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.errors import AuditError, InvalidFormat, NotProven
from audit.frozen import frozen
from audit.lines import parse_base64
from audit.pack.make import RELEASE
from audit.tiles import Read
from audit.verify import Finding, State

MANIFEST, CLOSURES, KEYS, STATEMENTS = (
    f"{RELEASE}manifest.json",
    f"{RELEASE}closures",
    f"{RELEASE}keys",
    f"{RELEASE}statements/",
)


@frozen
class Signed:
    """What an entry says about a statement: its index, the signer's key as a digest, and what it is about."""

    index: int
    key: str
    manifest: str = ""
    proposal: str = ""


def digest_of(data: bytes) -> str:
    """Return the digest of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def closure_lines(manifest: bytes) -> bytes:
    """Return the list of closures of a manifest written out.

    Raises:
        InvalidFormat: it is no manifest, or its lines are not the shards that it names.
    """
    head, *shards = manifest.split(b"\n")
    try:
        document = json.loads(head)
        if shards and [one["digest"] for one in document["shards"]] != list(map(digest_of, shards)):
            raise InvalidFormat("expected the shards that the manifest names, got others")
        entries = [one for shard in shards for one in json.loads(shard)["entries"]] or document["entries"]
        entries.sort(key=lambda one: (one["kind"], one["name"]))
        lines = [f"{one['digest']} {one['kind']} {one['name']} {one['epoch']}\n" for one in entries]
        return "".join(lines).encode()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidFormat("expected a manifest with its entries, got something else") from error


def key_lines(keys: Sequence[bytes]) -> bytes:
    """Return public keys as lines of base64, sorted, each once."""
    return b"".join(sorted({base64.b64encode(key) + b"\n" for key in keys}))


def check_release(
    read: Read, paths: Sequence[str], *, manifest: str, proposal: str, signed: Mapping[str, Signed]
) -> Iterator[Finding]:
    """Yield what does not hold.

    Args:
        read: reads a file of the pack.
        paths: every path in it.
        manifest: the digest in the entry of the release; "" if there is none.
        proposal: the proposal that the release was made of.
        signed: what the entries of the pack say about statements, by digest.
    """
    ours = {
        digest: one
        for digest, one in signed.items()
        if (manifest and one.manifest == manifest) or (proposal and one.proposal == proposal)
    }
    try:
        yield from _check_manifest(read(MANIFEST), read(CLOSURES), manifest)
        keys = {digest_of(key): key for key in _keys(read(KEYS))}
    except FileNotFoundError as error:
        yield Finding(State.UNPROVEN, str(error), "a file of the release is not in the pack")
        return
    except InvalidFormat as error:
        yield Finding(State.ALTERED, KEYS, str(error))
        return
    for path in paths:
        if path.startswith(RELEASE) and not path.startswith(STATEMENTS) and path not in {MANIFEST, CLOSURES, KEYS}:
            yield Finding(State.ALTERED, path, "no pack has such a file of a release")
        if path.startswith(STATEMENTS):
            try:
                _check_statement(read(path), path, signed=ours, keys=keys)
            except AuditError as error:
                yield Finding(State.ALTERED, path, str(error))
    for key in sorted(keys.keys() - {one.key for one in ours.values()}):
        yield Finding(State.ALTERED, KEYS, f"no entry about the release names the key {key}")
    for digest, one in ours.items():
        path = f"{STATEMENTS}{digest.removeprefix('sha256:')}.json"
        if path not in paths:
            message = "the statement that the entry names is about the release, and not in the pack"
            yield Finding(State.MISSING, path, message, one.index, one.index)


def _check_manifest(data: bytes, closures: bytes, manifest: str) -> Iterator[Finding]:
    if digest_of(data.split(b"\n", 1)[0]) != manifest:
        yield Finding(State.ALTERED, MANIFEST, "it is not the manifest that the release's entry names")
    try:
        if closures != closure_lines(data):
            yield Finding(State.ALTERED, CLOSURES, "it does not list what the manifest lists")
    except InvalidFormat as error:
        yield Finding(State.ALTERED, MANIFEST, str(error))


def _keys(data: bytes) -> list[bytes]:
    try:
        keys = [parse_base64(line.decode()) for line in data.split(b"\n")[:-1]]
    except (UnicodeDecodeError, InvalidFormat) as error:
        raise InvalidFormat("expected public keys in lines of base64, got something else") from error
    if key_lines(keys) != data:
        raise InvalidFormat("expected public keys sorted, each once, got another form")
    return keys


def _check_statement(data: bytes, path: str, *, signed: Mapping[str, Signed], keys: Mapping[str, bytes]) -> None:
    payload, kind, signature, named = _envelope(data)
    digest = digest_of(payload)
    if path != f"{STATEMENTS}{digest.removeprefix('sha256:')}.json":
        raise NotProven("the file is not named by the digest of its statement")
    if digest not in signed:
        raise NotProven("no entry of the pack names this statement as one about the release")
    entry = signed[digest]
    key = keys.get(entry.key)
    if key is None:
        raise NotProven(f"the key that entry {entry.index} names is not in the pack")
    if named != entry.key.removeprefix("sha256:"):
        raise NotProven(f"the envelope names another key than entry {entry.index}")
    message = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise NotProven(f"not signed by the key that entry {entry.index} names") from error


def _envelope(data: bytes) -> tuple[bytes, str, bytes, str]:
    """Return payload, payload type, the one signature of an envelope, and the key that it names; no byte is free."""
    try:
        document: Any = json.loads(data)
        [signature] = document["signatures"]
        payload, raw = parse_base64(document["payload"]), parse_base64(signature["sig"])
        kind, named = document["payloadType"], signature["keyid"]
        form = {
            "payload": document["payload"],
            "payloadType": kind,
            "signatures": [{"keyid": named, "sig": signature["sig"]}],
        }
        canonical = json.dumps(form, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidFormat("expected an envelope with one signature, got something else") from error
    if canonical != data:
        raise InvalidFormat("expected an envelope in canonical JSON with nothing else in it, got another form")
    if not isinstance(kind, str) or not kind.isascii():
        raise InvalidFormat("expected a payload type in ASCII, got another")
    return payload, kind, raw, named
