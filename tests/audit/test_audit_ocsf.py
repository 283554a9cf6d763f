"""OCSF events: what the classes require is there, and the same entry gives the same bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from audit.merkle import leaf_hash
from audit.pack import ocsf
from audit.pack.table import row_of
from audit.record import FORMAT_1, Act, Auth, LeafActor, LeafObject, LeafReason, LeafRecord, LeafSignature, encode_leaf
from audit.tiles import Tile
from tests.audit.audit_logs import ORIGIN
from tests.audit.audit_packs import START, record

BASE = {"activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time", "metadata"}
REQUIRED = {3001: {"user"}, 3002: {"user", "service"}, 3004: {"entity"}, 6003: {"actor", "api", "src_endpoint"}}
ACTIVITIES = {3001: {*range(1, 13), 99}, 3002: {1, 2, 99}, 3004: {*range(1, 14), 99}, 6003: {1, 2, 3, 4, 99}}


def line_of(leaf: LeafRecord) -> bytes:
    """The event of a record."""
    return ocsf.event_line(row_of(leaf, encode_leaf(leaf)), origin=ORIGIN)


def outcome_of(act: Act) -> str:
    """The outcome that an act implies."""
    return {"refused": "refused", "signed-in-failed": "failed"}.get(act, "done")


def variants(act: Act) -> list[LeafRecord]:
    """Records of an act, with and without each part that an event may or may not have."""
    plain = replace(record(9), act=act, outcome=outcome_of(act), prev=-1)  # type: ignore[arg-type]
    digest = "sha256:" + "5" * 64
    full = replace(
        plain,
        prev=4,
        before=digest,
        after="sha256:" + "6" * 64,
        tier="R3",
        ticket="CHG-7",
        holds=("case-1", "case-2"),
        subject="k-1",
        signature=LeafSignature("approval", digest, digest),
        reason=LeafReason("routine", "hmac-sha256:" + "7" * 64),
        actor=LeafActor("p-1", "approver", Auth.TOKEN, "api", session=digest, behalf="p-2"),
    )
    system = replace(plain, actor=LeafActor("system", "system", Auth.SYSTEM, "system"), object=LeafObject("settings"))
    return [plain, full, system, replace(full, actor=replace(full.actor, client="cli"))]


@pytest.mark.parametrize("act", list(Act))
def test_every_act_gives_an_event_with_what_its_class_requires(act: Act) -> None:
    """The attributes that schema 1.7 requires are there, and ids belong together."""
    for leaf in variants(act):
        event: dict[str, Any] = json.loads(line_of(leaf))
        assert BASE | REQUIRED[event["class_uid"]] <= set(event)
        assert event["activity_id"] in ACTIVITIES[event["class_uid"]]
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["category_uid"] == event["class_uid"] // 1000
        assert {"product", "version"} <= set(event["metadata"])
        assert event["metadata"]["version"] == "1.9.0-dev"
        assert event["status_id"] == (1 if outcome_of(act) == "done" else 2)
        assert event["time"] == int(leaf.at.timestamp()) * 1000


@pytest.mark.parametrize("act", list(Act))
def test_the_quick_way_writes_what_the_document_says(act: Act) -> None:
    """Lines made from templates are the JSON of the documents, whichever parts are there."""
    for leaf in variants(act):
        row = row_of(leaf, encode_leaf(leaf))
        whole = ocsf.event_of(ocsf.cells_of(row), origin=ORIGIN)
        assert line_of(leaf) == json.dumps(whole, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def test_an_event_leads_to_its_leaf_and_its_proof() -> None:
    """Index, leaf hash, bundle and tile: enough to fetch the proof from static files."""
    leaf = replace(record(700), prev=695)
    event = json.loads(line_of(leaf))
    hashed = leaf_hash(encode_leaf(leaf)).hex()
    assert event["metadata"]["sequence"] == event["unmapped"]["leaf_index"] == 700
    assert event["unmapped"]["tile"] == Tile(0, 2).path
    assert event["unmapped"]["position"] == 700 - 512
    [attestation] = event["attestation_list"]
    assert event["metadata"]["profiles"] == ["record_integrity"]
    assert attestation["fingerprint"]["value"] == event["unmapped"]["leaf_hash"] == hashed
    assert (attestation["chain_uid"], attestation["prev_event"]["uid"]) == (ORIGIN, f"{ORIGIN}#695")


def test_approve_and_reject_are_different_events() -> None:
    """Both outcomes are told apart, with the signature's meaning."""
    approved, rejected = (json.loads(line_of(variants(act)[1])) for act in (Act.APPROVED, Act.REJECTED))
    assert approved["activity_name"] != rejected["activity_name"]
    assert approved["unmapped"]["meaning"] == "approval"


def test_an_entry_of_version_1_is_escaped() -> None:
    """Its names may hold quotes and backslashes: the line is JSON all the same, and one line."""
    for name in ('a"b', "a\\b", "a@@b@@"):
        old = replace(
            record(0),
            format=FORMAT_1,
            id="",
            organisation="",
            channel="",
            prev=-1,
            clock="",
            retention="",
            actor=LeafActor("p-1", "approver", Auth.KEY),
            object=LeafObject("prompt", name),
            at=START,
        )
        line = line_of(old)
        assert json.loads(line)["entity"]["name"] == name
        assert line.count(b"\n") == 1


def test_lines_are_ascii_and_the_same_every_time() -> None:
    """A line can be made again and compared byte for byte, in any order of entries."""
    leaves = [leaf for act, _ in product(Act, (0,)) for leaf in variants(act)]
    forth = [line_of(leaf) for leaf in leaves]
    assert forth == [line_of(leaf) for leaf in reversed(leaves)][::-1]
    assert all(line.isascii() for line in forth)
