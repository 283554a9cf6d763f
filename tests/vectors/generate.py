"""Golden files of every format of ours: one small organisation, one release, one device, byte for byte.

`make vectors` writes them to tests/vectors/mentorplane/ and the examples in docs/formats.md; a test holds both to what
this file makes. Keys are derived from public words and their names begin with UNSAFE: they reproduce bytes, and must
never be trusted by a program. Does not: use the server; what stands here is built from the shared core alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import Checkpoint, cosign, sign_checkpoint
from audit.frozen import replace
from audit.merkle import Frontier, inclusion_proof, leaf_hash
from audit.note import Algorithm, Signer, add_signatures
from audit.openings import Opening, encode_openings
from audit.policy import Log, Policy, PolicyWitness
from audit.record import (
    FORMAT_1,
    Act,
    Auth,
    LeafActor,
    LeafObject,
    LeafRecord,
    LeafSignature,
    Outcome,
    commit,
    encode_leaf,
)
from audit.tiles import grow
from control_plane.sync.lock import Lock, Locked
from edge_runtime.core import canonical, counts, dsse
from edge_runtime.core.approval import Changed, Person
from edge_runtime.core.basis import encode_basis
from edge_runtime.core.census import Report
from edge_runtime.core.mandates import Approved, Logged, Mandates, encode_mandates
from edge_runtime.core.manifest import PREVIOUS, Entry, Manifest
from edge_runtime.core.release import LogProof, divide_release, encode_release, encode_withdrawals
from edge_runtime.core.rollout import encode_words
from edge_runtime.core.statements import Statement, sign_statement
from edge_runtime.core.trust import Delivery, adopt
from edge_runtime.core.trustfile import Term, TrustFile, encode_trust
from tests.vectors import generate_audit, generate_crash, generate_kinds, generate_pack, generate_receipts
from tests.vectors.documents import approval_rules, handoff, policy, prompt

ROOT = Path(__file__).parent.parent.parent
FOLDER = Path(__file__).parent / "mentorplane"
FORMATS = ROOT / "docs" / "formats.md"
LOG_ORIGIN = "UNSAFE-example/log"
UNSAFE_NAME = ("Jane Example", b"UNSAFE name salt")
REWORDED = Changed("prompt", "summary-first-opener", ("wording",), ("prompt/summary-first-opener",))
CHANNEL, ORGANISATION = "production", "example"
MAX_SHOWN = 76


def unsafe_seed(name: str) -> bytes:
    """Return the well-known private key of `name`: the SHA-256 of a public sentence."""
    return hashlib.sha256(f"UNSAFE mentorplane example key: {name}".encode()).digest()


UNSAFE_KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(unsafe_seed(name)) for name in ("p-author", "p-first", "p-second")
}
UNSAFE_LOG = Signer(LOG_ORIGIN, unsafe_seed("log"))
UNSAFE_WITNESS = Signer("UNSAFE-example/witness", unsafe_seed("witness"), Algorithm.COSIGNATURE)
APPROVERS = ("p-first", "p-second")
ROLES = {"p-author": "author", "p-first": "learning-designer", "p-second": "safety-owner"}


def trust_file() -> TrustFile:
    """Return the trust file of the example organisation."""
    people = {name: Person(name, dsse.public_bytes(key), "server", (ROLES[name],)) for name, key in UNSAFE_KEYS.items()}
    floor = {"R0": 1, "R1": 1, "R2": 1, "R3": 2, "R4": 2}
    vkey = UNSAFE_LOG.verifier.vkey
    witness = PolicyWitness("outside", UNSAFE_WITNESS.verifier)
    return TrustFile(
        ORGANISATION,
        people,
        log_vkey=vkey,
        floor=floor,
        own_keys=False,
        self_contained=True,
        witness_policy=Policy((Log(UNSAFE_LOG.verifier),), (witness,), (), "outside").encode().decode(),
        second_source="https://withdrawals.example",
        terms={name: Term("2026-03-12T09:30:00Z" if name in APPROVERS else "") for name in UNSAFE_KEYS},
    )


def closures() -> dict[tuple[str, str, str], bytes]:
    """Return the closures of the release by kind, name and tier."""
    return {
        ("approval-rules", "approval-rules", "R4"): canonical.encode(approval_rules()),
        ("handoff", "safety-hand-off", "R4"): canonical.encode(handoff()),
        ("policy", "organisation", "R4"): canonical.encode(policy()),
        ("prompt", "summary-first-opener", "R2"): canonical.encode(prompt()),
    }


def manifest() -> Manifest:
    """Return the first manifest of the channel."""
    entries = [
        Entry(kind, name, 1, canonical.digest(data), tier, "p-author")
        for (kind, name, tier), data in closures().items()
    ]
    return Manifest(
        organisation=ORGANISATION,
        channel=CHANNEL,
        number=1,
        base="",
        entries=tuple(sorted(entries)),
        locales=("en",),
        stages=(100,),
        models=(),
        fresh_for_s=86_400,
        valid_for_s=1_209_600,
        rollback_to=0,
    )


def statement(act: str, person: str, *, refs: tuple[Entry, ...], previous: str = "") -> dsse.Envelope:
    """Return what `person` signed about `refs` of the manifest."""
    made = Statement(
        act=act,
        organisation=ORGANISATION,
        channel=CHANNEL,
        manifest=manifest().digest,
        entries=refs,
        person=person,
        role=ROLES[person],
        reason=commit("clear and kind", hashlib.sha256(b"UNSAFE salt").digest()),
        at="2026-01-15T09:30:00Z",
        previous=previous,
    )
    return sign_statement(made, UNSAFE_KEYS[person])


def leaves() -> tuple[bytes, ...]:
    """Return the entries of the log: the proposal, its approvals and the release."""
    digest = manifest().digest
    common: dict[str, Any] = {
        "outcome": Outcome.DONE,
        "actor": LeafActor("p-author", "author", Auth.PASSPHRASE, "console", name=commit(*UNSAFE_NAME)),
        "object": LeafObject("release", "production/1", digest, "1"),
        "organisation": ORGANISATION,
        "channel": CHANNEL,
        "manifest": digest,
        "policy": canonical.digest(canonical.encode(policy())),
        "tier": "R4",
        "holds": ("hold-1",),
        "subject": "k-0123456789abcdef",
    }
    signatures = (
        LeafSignature("approval", f"sha256:{one.signatures[0][0]}", canonical.digest(one.payload))
        for one in approvals().values()
    )
    acts = [(Act.PROPOSED, LeafSignature()), *((Act.APPROVED, one) for one in signatures)]
    return tuple(
        encode_leaf(
            LeafRecord(
                act=act,
                at=datetime(2026, 1, 15, 9, 29 + seq, tzinfo=UTC),
                seq=seq,
                prev=seq - 1,
                id=f"019bc0a9-0{seq}00-7000-8000-000000000000",
                signature=signature,
                **common,
            )
        )
        for seq, (act, signature) in enumerate((*acts, (Act.RELEASED, LeafSignature())))
    )


def approvals() -> dict[str, dsse.Envelope]:
    """Return the approvals of the first manifest, by who signed them."""
    return {person: statement("approve", person, refs=manifest().entries) for person in APPROVERS}


def mandates(entries: Sequence[bytes], hashes: Sequence[bytes]) -> Mandates:
    """Return by what the approvers held their roles: their first terms, which last longer."""
    logged = [Logged(index, entries[index], inclusion_proof(hashes, index)) for index in range(1, 1 + len(APPROVERS))]
    signed = [canonical.digest(one.payload) for one in approvals().values()]
    return Mandates((), tuple(Approved(*one) for one in zip(signed, (0, 0), logged, strict=True)), ())


def leaf_1() -> bytes:
    """Return an entry of version 1 of the leaf, which is still read."""
    digest = manifest().digest
    record = LeafRecord(
        act=Act.RELEASED,
        outcome=Outcome.DONE,
        actor=LeafActor("p-author", "author", Auth.PASSPHRASE),
        object=LeafObject("release", "production/1", digest),
        at=datetime(2026, 1, 15, 9, 32, tzinfo=UTC),
        seq=1,
        manifest=digest,
        retention="",
        clock="",
        format=FORMAT_1,
    )
    return encode_leaf(record)


def _no_file(path: str) -> bytes:
    raise FileNotFoundError(path)


def files() -> dict[str, bytes]:
    """Return every golden file by its path below the folder."""
    entries, hashes = leaves(), [leaf_hash(entry) for entry in leaves()]
    growth = grow(Frontier(), entries, _no_file)
    signed = sign_checkpoint(Checkpoint(LOG_ORIGIN, len(entries), growth.frontier.root), [UNSAFE_LOG])
    cosigned = add_signatures(signed, cosign(signed, UNSAFE_WITNESS, time_s=1_768_470_000))
    refs = manifest().entries
    envelopes = (
        statement("author", "p-author", refs=refs),
        *approvals().values(),
    )
    word = statement("halt", "p-first", refs=())
    stop = statement("withdraw", "p-first", refs=tuple(ref for ref in refs if ref.kind == "prompt"))
    last = len(entries) - 1
    proof = LogProof(cosigned, last, entries[last], inclusion_proof(hashes, last))
    head, shard = manifest().encode().split(b"\n")
    proved = encode_mandates(mandates(entries, hashes))
    release, parts = divide_release(manifest().encode(), envelopes, proof, mandates=proved)
    before = replace(manifest(), version=PREVIOUS).encode()
    trust, none_withdrawn = encode_trust(trust_file()), encode_withdrawals(CHANNEL, ())
    held = {canonical.digest(data): data for data in closures().values()}
    adopted = adopt(None, Delivery(CHANNEL, trust, encode_release(release), none_withdrawn, parts, held)).state
    named = {f"{kind}.json": data for (kind, _, _), data in closures().items()}
    log = {f"log/{path}": data for path, data in growth.files}
    openings = encode_openings(Opening(seq, "actor.name", *UNSAFE_NAME) for seq in range(len(entries)))
    pack = generate_pack.files(dict(growth.files), entries, cosigned, openings=openings, signer=UNSAFE_LOG)
    return {
        **named,
        **log,
        **pack,
        **generate_audit.files(unsafe_seed),
        **generate_crash.files(unsafe_seed),
        **generate_kinds.files(),
        **generate_receipts.files(
            unsafe_seed, version=canonical.digest(canonical.encode(prompt())), manifest=manifest().digest
        ),
        "basis.json": encode_basis(adopted.basis(), (), (REWORDED,)),
        "canonical.json": _text(_canonical_cases()),
        "checkpoint.txt": cosigned,
        "keys.json": _text({name: dsse.encode_base64(dsse.public_bytes(key)) for name, key in UNSAFE_KEYS.items()}),
        "leaf.json": entries[last],
        "leaf-1.json": leaf_1(),
        "lock.json": lock().encode(),
        "mandates.json": proved,
        "manifest.json": head,
        "manifest-2.json": before,
        "openings.jsonl": openings,
        "census.json": counts.encode(census()),
        "release.json": encode_release(release),
        "release-1.json": encode_release(divide_release(before, envelopes, proof)[0]),
        "shard.json": shard,
        "statements.json": parts[release.groups[0].digest],
        "statement.json": envelopes[1].payload,
        "envelope.json": canonical.encode(envelopes[1].as_json()),
        "stages.json": encode_words(CHANNEL, (word,)),
        "trust.json": trust,
        "trust-3.json": encode_trust(replace(trust_file(), terms=None)),
        "withdrawals.json": encode_withdrawals(CHANNEL, (stop,)),
        "withdrawals-none.json": none_withdrawn,
    }


def census() -> Report:
    """Return what a device tells that waits for a stage."""
    return Report("production", "2026-01-15", 1, 2, 1, 3, "fresh", "ok", "0.3.0")


def lock() -> Lock:
    """Return the lock of a folder with one script and its cases."""
    script = Locked("prompt", "opener", "scripts/opener.yaml", canonical.digest(b"script"), 3)
    cases = Locked("cases", "opener", "cases/opener.yaml", canonical.digest(b"cases"), 0)
    return Lock("https://coach.example", CHANNEL, 7, canonical.digest(b"manifest"), (script, cases))


def _canonical_cases() -> dict[str, Any]:
    good = [{}, {"b": [1, None, True], "a": 'é\n\u2028"'}, {"€": "😀", "\ue000": 1, "a": 9_007_199_254_740_991}]
    bad = {
        "a fraction": '{"a":1.5}',
        "an exponent": '{"a":1e3}',
        "an integer beyond 2^53 - 1": '{"a":9007199254740992}',
        "not a number": '{"a":NaN}',
        "a blank": '{"a": 1}',
        "keys out of order": '{"b":1,"a":2}',
        "a key twice": '{"a":1,"a":1}',
        "an escape that need not be": '{"a":"\\u0041"}',
        "no object": "[1]",
        "a byte order mark": "\ufeff{}",
    }
    texts = [canonical.encode(document) for document in good]
    return {
        "accepted": [{"bytes": text.decode(), "digest": canonical.digest(text)} for text in texts],
        "refused": [{"because": because, "bytes": text} for because, text in bad.items()],
    }


def _text(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def shown(name: str, data: bytes) -> str:
    """Return a golden file as docs/formats.md shows it: indented, with long texts cut at an ellipsis."""
    if not name.endswith(".json"):
        return data.decode()
    return json.dumps(_cut(json.loads(data)), indent=2, ensure_ascii=False) + "\n"


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cut(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_cut(member) for member in value]
    return value[:MAX_SHOWN] + "…" if isinstance(value, str) and len(value) > MAX_SHOWN else value


def with_examples(page: str, golden: dict[str, bytes]) -> str:
    """Return the page with the block after each `<!-- example: FILE -->` made anew from that golden file."""

    def block(match: re.Match[str]) -> str:
        name, language = match[1], match[2]
        return f"<!-- example: {name} -->\n```{language}\n{shown(name, golden[name])}```"

    return re.sub(r"<!-- example: (\S+) -->\n```(\w+)\n.*?```", block, page, flags=re.DOTALL)


def main() -> None:
    """Write the golden files and the examples."""
    golden = files()
    for name, data in golden.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    FORMATS.write_text(with_examples(FORMATS.read_text(encoding="utf-8"), golden), encoding="utf-8")


if __name__ == "__main__":
    main()
