"""Verify a generation on disk from root to targets again: V1 to V3 without the network, ignoring expiry.

A root that is newer than the rest stands beside it where a refresh met it and then failed: it is verified, and the rest
by the newest root that vouches for it, so that the last known good goes on and no older root is accepted again.

The cache is hostile when read: whoever edited it must not get further than a refusal. What lies there was accepted by
`tuf` when it was fetched; this room checks signatures, thresholds, versions, lengths and digests once more, without
importing `tuf`, whose import would cost an app half of the time that opening a home takes (docs/adr/0014).

It is stricter than `tuf`, and what is fetched passes here before it counts: metadata has one spelling, and a signature
by a key that vouches is good or the file is refused. So no byte of a file can change without a refusal, but in the
signature of a key that the device does not know, which counts for nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.frozen import frozen
from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.release import release_path
from edge_runtime.core.rollout import stages_path
from edge_runtime.delivery import RELEASES_ROLE, TRUST_PATH, target_paths
from edge_runtime.delivery.delegating import require_narrow

__all__ = ["Cached", "load_cached"]

MAX_METADATA_BYTES = 5_000_000
Keys = Mapping[str, Any]


@frozen
class _Metadata:
    """One TUF document: what is signed, its canonical bytes, signatures by key id."""

    signed: Mapping[str, Any]
    payload: bytes
    signatures: Mapping[str, str]


@frozen
class Cached:
    """A verified generation: its target files by path, its timestamp, and what the roles say about time.

    `good_until` is when the timestamp ends, `expires_at` when the first role does, both in POSIX seconds. `is_newest`
    says that the newest root on this device vouches for the rest.
    """

    files: Mapping[str, bytes]
    timestamp: bytes
    good_until: int
    expires_at: int
    is_newest: bool


@contextmanager
def _at(check: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = (
            str(error)
            if isinstance(error, ValueError) and not isinstance(error, UnicodeError)
            else type(error).__name__
        )
        raise NotTrusted(f"expected the home to hold what was adopted: {what}", check=check) from error


def load_cached(generation: Path, root: bytes, *, channel: str) -> Cached:
    """Verify a generation from root to targets again; return its target files and what it says about time.

    Raises:
        NotTrusted: V1, V2 or V3 failed: the home was edited or damaged.
    """
    folder = generation / "metadata"
    with _at("V1"):
        roots = _root_chain(folder / "root_history", root)
    with _at("V2"):
        timestamp = _bytes(folder / "timestamp.json", "timestamp")
        chain = {"timestamp": _parse(timestamp, "timestamp")}
        chain |= {name: _read(folder / f"{name}.json", name) for name in ("snapshot", "targets")}
        vouching = _vouching(roots, chain)
        delegations = chain["targets"].signed["delegations"]
        [role] = [role for role in delegations["roles"] if role["name"] == RELEASES_ROLE]
        chain[RELEASES_ROLE] = _read(folder / f"{RELEASES_ROLE}.json", "targets")
        _verify(chain[RELEASES_ROLE], role, delegations["keys"])
        require_narrow(chain["targets"].signed, chain[RELEASES_ROLE].signed)
        _verify_versions(chain)
        ends = [_time(signed["expires"]) for signed in (vouching, *(one.signed for one in chain.values()))]
        good_until = _time(chain["timestamp"].signed["expires"])
    files: dict[str, bytes] = {}
    optional = (stages_path(channel),)
    for path in (*target_paths(channel), *optional):
        with _at("V3"):
            targets = chain["targets" if path == TRUST_PATH else RELEASES_ROLE].signed["targets"]
            held = generation / "targets" / path.replace("/", "%2F")
            if path == release_path(channel) and not (path in targets and held.exists()):
                raise NotTrusted(f"expected a home that follows {channel}, got one without a release of it", check="V3")
            if path in targets or path not in optional:
                files[path] = _read_target(held, targets[path])
    return Cached(files, timestamp, good_until, min(ends), vouching is roots[-1])


def _time(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("metadata holds a time without its zone")
    return int(moment.timestamp())


def _parse(data: bytes, kind: str) -> _Metadata:
    document = json.loads(data, parse_float=_refuse_float)
    if json.dumps(document, sort_keys=True, separators=(",", ":")).encode() != data:
        raise ValueError(f"metadata of {kind} is spelt otherwise than it is written")
    if document["signed"]["_type"] != kind:
        raise ValueError(f"metadata of {kind} is of another type")
    signatures = {s["keyid"]: s["sig"] for s in document["signatures"]}
    if any(signature != signature.lower() for signature in signatures.values()):
        raise ValueError(f"metadata of {kind} holds a signature in upper case")
    return _Metadata(document["signed"], _canonical(document["signed"], kind), signatures)


def _canonical(signed: Mapping[str, Any], kind: str) -> bytes:
    """Return the bytes that were signed: TUF's canonical JSON.

    Without escapes in it the standard library writes the same; anything else is for `securesystemslib`, whose import
    brings `logging`.
    """
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if "\\" not in text:
        return text.encode()
    from securesystemslib.formats import encode_canonical

    canonical = encode_canonical(dict(signed))
    if canonical is None:
        raise ValueError(f"metadata of {kind} has no canonical form")
    return canonical.encode()


def _refuse_float(_text: str) -> NoReturn:
    raise ValueError("metadata holds a number with a fraction")


def _read(path: Path, kind: str) -> _Metadata:
    return _parse(_bytes(path, kind), kind)


def _bytes(path: Path, kind: str) -> bytes:
    if path.stat().st_size > MAX_METADATA_BYTES:
        raise ValueError(f"metadata of {kind} is too long")
    return path.read_bytes()


def _root_chain(history: Path, shipped: bytes) -> list[Mapping[str, Any]]:
    root = _parse(shipped, "root")
    _verify(root, root.signed["roles"]["root"], root.signed["keys"])
    chain = [root.signed]
    while (following := history / f"{chain[-1]['version'] + 1}.root.json").exists():
        new = _read(following, "root")
        for verifier in (chain[-1], new.signed):
            _verify(new, verifier["roles"]["root"], verifier["keys"])
        if new.signed["version"] != chain[-1]["version"] + 1:
            raise ValueError("root versions do not follow one another")
        chain.append(new.signed)
    return chain


def _vouching(roots: Sequence[Mapping[str, Any]], chain: Mapping[str, _Metadata]) -> Mapping[str, Any]:
    """Return the newest root whose keys signed timestamp, snapshot and targets.

    Raises:
        ValueError: none did.
    """
    problem = ValueError("metadata has no root")
    for root in roots[::-1]:
        try:
            for name, metadata in chain.items():
                _verify(metadata, root["roles"][name], root["keys"])
        except ValueError as error:
            problem = error
        else:
            return root
    raise problem


def _verify(metadata: _Metadata, role: Mapping[str, Any], keys: Keys) -> None:
    """Verify that enough distinct keys of `role` signed, and that each signature of theirs is good.

    Raises:
        ValueError: too few did, or one is not.
    """
    signing = [key_id for key_id in role["keyids"] if key_id in metadata.signatures]
    if not all(_is_signed(metadata, key_id, keys[key_id]) for key_id in signing):
        raise ValueError(f"metadata of {metadata.signed['_type']} holds a signature that is none")
    signers = {keys[key_id]["keyval"]["public"] for key_id in signing}
    if not 1 <= role["threshold"] <= len(signers):
        raise ValueError(f"metadata of {metadata.signed['_type']} lacks signatures")


def _is_signed(metadata: _Metadata, key_id: str, key: Mapping[str, Any]) -> bool:
    signature = metadata.signatures[key_id]
    try:
        if key["keytype"] == "ed25519":
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["keyval"]["public"]))
            public.verify(bytes.fromhex(signature), metadata.payload)
            return True
        return _is_signed_otherwise(metadata, key_id, key)
    except InvalidSignature:
        return False


def _is_signed_otherwise(metadata: _Metadata, key_id: str, key: Mapping[str, Any]) -> bool:
    """Verify a signature by a key of another type, such as one in a hardware token."""
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Key, Signature

    try:
        made = Key.from_dict(key_id, {**key, "keyval": dict(key["keyval"])})
        made.verify_signature(Signature(key_id, metadata.signatures[key_id]), metadata.payload)
    except UnverifiedSignatureError:
        return False
    return True


def _verify_versions(chain: Mapping[str, _Metadata]) -> None:
    snapshot = chain["snapshot"].signed
    stated = {
        "snapshot": chain["timestamp"].signed["meta"]["snapshot.json"]["version"],
        "targets": snapshot["meta"]["targets.json"]["version"],
        RELEASES_ROLE: snapshot["meta"][f"{RELEASES_ROLE}.json"]["version"],
    }
    for name, version in stated.items():
        if chain[name].signed["version"] != version:
            raise ValueError(f"metadata of {name} is not of the version that was adopted")


def _read_target(path: Path, info: Mapping[str, Any]) -> bytes:
    data = path.read_bytes()
    if len(data) != info["length"] or hashlib.sha256(data).hexdigest() != info["hashes"]["sha256"]:
        raise ValueError("a target file differs in length or digest")
    return data
