"""Golden files of receipts, of what is told of them, and of a revealed run. Secrets are public and named UNSAFE."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from audit.commitment import commit
from audit.frozen import replace
from audit.merkle import inclusion_proof, leaf_hash, root_of
from audit.reveal import Reveal, Shown, Way
from audit.rollups import rollups_of
from edge_runtime.core.counts import Root, RunCount, encode
from edge_runtime.core.receipt import FORMAT_1, INPUT, OUTPUT, Receipt, leaves_of, salt_of

DAY = "2026-01-15"
TEXTS = {INPUT + "notes": "We agreed that I write to Mara.", OUTPUT: "You will write to Mara."}


def files(seed: Callable[[str], bytes], *, version: str, manifest: str) -> dict[str, bytes]:
    """Return every file by its path below tests/vectors/mentorplane/."""
    secret = seed("secret of a day")
    receipt = _receipt(secret, version=version, manifest=manifest)
    leaves = leaves_of([receipt], secret)
    index, root = leaves.index(leaf_hash(receipt.encode())), root_of(leaves)
    shown = Shown(OUTPUT, TEXTS[OUTPUT], salt_of(secret, receipt.number, OUTPUT))
    way = Way("production", index, len(leaves), path=inclusion_proof(leaves, index), root=root)
    row = RunCount(
        channel="production",
        day=DAY,
        release=receipt.release,
        stage=receipt.stage,
        prompt=receipt.prompt,
        version=version,
        route=receipt.route,
        outcome=receipt.outcome,
        runs=3,
    )
    drawn = (hashlib.sha256(b"UNSAFE drawn %d" % number).digest() for number in range(3))
    return {
        "receipt.json": receipt.encode(),
        "receipt-1.json": replace(receipt, form=FORMAT_1).encode(),
        "reveal.json": Reveal(receipt.as_json(), (shown,), way).encode(),
        "rollup.json": encode(Root("production", DAY, "sha256:" + root.hex())),
        "rollups.txt": rollups_of("production", DAY, [root, *drawn]).encode(),
        "runs.json": encode(row),
    }


def _receipt(secret: bytes, *, version: str, manifest: str) -> Receipt:
    return Receipt(
        number=1,
        previous="",
        at=f"{DAY}T10:00:00Z",
        prompt="summary-first-opener",
        version=version,
        manifest=manifest,
        route="device",
        rules=("organisation/cloud-needs-consent",),
        findings={"EMAIL": 1, "PERSON": 2},
        sent_bytes=0,
        outcome="filled",
        release=1,
        stage=1,
        checks={"schema": True},
        commitments=tuple((place, commit(text, salt_of(secret, 1, place))) for place, text in sorted(TEXTS.items())),
    )
