"""Packs made to lie, by whoever holds the log's own key: each is found, or the answer says what it does not prove."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.acts import Act
from audit.checkpoint import Checkpoint, cosign, sign_checkpoint
from audit.commands.verify_pack import as_document, render
from audit.commitment import commit
from audit.errors import InvalidFormat
from audit.merkle import Frontier, leaf_hash
from audit.note import Algorithm, Signer, add_signatures
from audit.openings import Opening, encode_openings
from audit.pack.check import PackReport, check_pack
from audit.pack.container import MAX_SMALL_BYTES, open_folder
from audit.pack.make import NOTE, Material, Scope, parse_proof, parse_scope, sign_pack
from audit.pack.release import CLOSURES, KEYS, MANIFEST, STATEMENTS, closure_lines, digest_of, key_lines
from audit.policy import parse_policy
from audit.proof import TlogProof
from audit.record import LeafObject, LeafReason, LeafRecord, LeafSignature, encode_leaf
from audit.tiles import ENTRIES, Tile, encode_bundle
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER
from tests.audit.audit_packs import entries, finished, hour, material, opened, record

KEYS_OF_AUDITOR = [UNSAFE_LOG_SIGNER.verifier]
PERSON = Ed25519PrivateKey.from_private_bytes(b"\x11" * 32)
PUBLIC = PERSON.public_key().public_bytes_raw()
SALT = b"\x01" * 16


def checked(made: Material, **options: object) -> PackReport:
    """What an auditor with the log's key is told."""
    return check_pack(opened(finished(made)), KEYS_OF_AUDITOR, **options)  # type: ignore[arg-type]


def findings(made: Material) -> str:
    """All that is found, in lines."""
    return "\n".join(map(str, checked(made).findings))


def test_a_period_from_the_beginning_that_leaves_the_first_entries_out_is_incomplete() -> None:
    """A pack from an older checkpoint on, said to be about everything: the entries before it are missed."""
    made = material(entries(12), size_a=3, first=3, last=11)
    lying = replace(made, scope=Scope(ORIGIN, "period", 3, 11))
    report = checked(lying)
    assert not report.completeness
    assert "missing: entries 0 to 2" in findings(lying)


def test_a_period_whose_beginning_nothing_shows_is_incomplete() -> None:
    """The first entry of the pack is the first of the period: earlier ones of it may have been left out."""
    made = material(entries(12), size_a=4, first=4, last=9)
    lying = replace(made, scope=replace(made.scope, since=hour(2)))
    assert not checked(lying).completeness
    assert "nothing shows that it begins there" in findings(lying)


def test_a_bundle_with_an_entry_twice_is_found() -> None:
    """An entry more, though each is genuine, shifts all that follow for another reader."""
    made = material(entries(12), size_a=3, first=4, last=9)
    files, bundle = finished(made), Tile(ENTRIES, 0, 12).path
    log = list(entries(12))
    for forged in ([*log, log[5]], [log[1], log[0], *log[2:11]]):
        plain = {**files, bundle: encode_bundle(forged)}
        del plain[NOTE]
        report = check_pack(opened({**plain, NOTE: sign_pack(plain, UNSAFE_LOG_SIGNER)}), KEYS_OF_AUDITOR)
        assert not report.integrity


def test_a_nonce_that_the_server_chose_is_called_the_packs_own() -> None:
    """Whoever makes the pack can try nonces until the draw pleases; the answer says so unless the auditor gives it."""
    made = material(entries(12), size_a=3, first=4, last=9, nonce="the server's")
    assert any("the pack's own" in one and "--nonce" in one for one in checked(made).remarks)
    assert not any("--nonce" in one for one in checked(made, nonce="the server's").remarks)


def test_the_report_to_read_is_said_not_to_be_checked() -> None:
    """A page that claims anything verifies as a file; the answer says that nobody checked what it tells."""
    made = material(entries(12), size_a=3, first=4, last=9)
    lying = replace(made, extra={"report.html": b"<p>approved by everybody</p>\n"})
    assert any("is not checked" in one for one in checked(lying).remarks)


def test_one_witness_short_of_the_auditors_quorum_makes_nothing_witnessed() -> None:
    """Two of three are asked for and one signed: not verified, and neither document says witnessed."""
    one, two = (Signer(f"w{at}.example", bytes([at]) * 32, Algorithm.COSIGNATURE) for at in (5, 6))
    text = f"log {KEYS_OF_AUDITOR[0].vkey}\nwitness a {one.verifier.vkey}\nwitness b {two.verifier.vkey}\n"
    policy = parse_policy(f"{text}group both all a b\nquorum both\n".encode())
    made = material(entries(12), size_a=3, first=4, last=9)
    note = add_signatures(made.checkpoint_b, cosign(made.checkpoint_b, one, time_s=1_800_000_000))
    report = checked(replace(made, checkpoint_b=note), policy=policy)
    assert (report.ok, report.witnessed, len(report.witnesses)) == (False, False, 1)
    assert as_document(report)["self_contained"]
    assert "NOT MET" in render(report)


def test_a_pack_that_its_own_policy_does_not_accept_says_so() -> None:
    """The policy in the pack asks for a witness and none signed: said in the notes, whatever keys the auditor has."""
    witness = Signer("w.example", b"\x05" * 32, Algorithm.COSIGNATURE)
    own = f"log {KEYS_OF_AUDITOR[0].vkey}\nwitness w {witness.verifier.vkey}\nquorum w\n".encode()
    report = checked(replace(material(entries(12), size_a=3, first=4, last=9), policy=own))
    assert any("not even the pack's own witness policy" in one for one in report.remarks)


def test_an_erased_text_that_is_in_the_pack_all_the_same_is_named() -> None:
    """The key was destroyed by an entry of the same pack, and the text is still shown: a leak that the answer names."""
    log = [record(seq) for seq in range(12)]
    log[5] = replace(log[5], reason=LeafReason("", commit("a secret", SALT)), subject="k-1")
    log[7] = replace(log[7], act=Act.ERASED, object=LeafObject("text-key", "k-1"))
    made = material([encode_leaf(one) for one in log], size_a=3, first=4, last=9)
    shown = replace(made, openings=encode_openings([Opening(5, "reason.text", "a secret", SALT)]))
    report = checked(shown)
    assert report.contents.kept == ((5, 7),)
    assert any("entry 5" in one and "entry 7 says that it was erased" in one for one in report.remarks)
    assert checked(made).contents.kept == ()


def test_an_erasure_that_the_log_does_not_hold_erases_nothing() -> None:
    """A claim of an erasure after the pack, without a proof under the log's key, leaves the text missing."""
    log = [record(seq) for seq in range(12)]
    log[5] = replace(log[5], reason=LeafReason("", commit("a secret", SALT)), subject="k-1")
    log[6] = replace(log[6], reason=LeafReason("", commit("another", SALT)), subject="k-2")
    made = material([encode_leaf(one) for one in log], size_a=3, first=4, last=9)
    forged = replace(record(20), act=Act.ERASED, object=LeafObject("text-key", "k-1"))
    stranger = Signer(ORIGIN, b"\x09" * 32)
    alone = Checkpoint(ORIGIN, 21, Frontier().extend([leaf_hash(encode_leaf(forged))]).root)
    proof = TlogProof(20, (), sign_checkpoint(alone, [stranger])).encode()
    extra = {"erased/20.leaf": encode_leaf(forged), "erased/20.tlog-proof": proof}
    shown = encode_openings([Opening(6, "reason.text", "another", SALT)])
    report = checked(replace(made, extra={**made.extra, **extra}, openings=shown))
    assert (report.ok, report.contents.erased, report.contents.missing) == (False, (), (5,))


def compact(document: object) -> bytes:
    """Canonical JSON."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _statement(what: str) -> tuple[str, bytes]:
    """A signed statement, and its digest."""
    payload = json.dumps({"says": what}).encode()
    message = f"DSSEv1 4 test {len(payload)} ".encode() + payload
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": "test",
        "signatures": [{"keyid": digest_of(PUBLIC)[7:], "sig": base64.b64encode(PERSON.sign(message)).decode()}],
    }
    return digest_of(payload), compact(envelope)


def _manifest(number: int) -> bytes:
    return json.dumps({"entries": [{"digest": "d", "kind": "prompt", "name": f"n{number}", "epoch": 1}]}).encode()


STATEMENTS_MADE = {what: _statement(what) for what in ("author 1", "approve 1", "author 2", "approve 2", "withdraw 2")}


def _release_log() -> list[LeafRecord]:
    """Two releases: each proposed, approved and released; the second is withdrawn at the end."""
    acts: Sequence[tuple[Act, int, str]] = (
        (Act.SEEDED, 0, ""),
        (Act.PROPOSED, 1, "author 1"),
        (Act.APPROVED, 1, "approve 1"),
        (Act.RELEASED, 1, ""),
        (Act.PROPOSED, 2, "author 2"),
        (Act.APPROVED, 2, "approve 2"),
        (Act.RELEASED, 2, ""),
        (Act.WITHDRAWN, 2, "withdraw 2"),
        (Act.AUDIT_READ, 0, ""),
    )
    log = []
    for seq, (act, number, what) in enumerate(acts):
        about = LeafObject("proposal", f"proposal-{number}")
        if act is Act.RELEASED:
            about = LeafObject("release", f"release-production-{number}")
        signature = LeafSignature("approval", digest_of(PUBLIC), STATEMENTS_MADE[what][0]) if what else LeafSignature()
        manifest = digest_of(_manifest(number)) if number else ""
        log.append(replace(record(seq), act=act, object=about, manifest=manifest, signature=signature))
    return log


def _release(first: int, last: int, *, number: int, statements: Sequence[str]) -> Material:
    made = material([encode_leaf(one) for one in _release_log()], size_a=0, first=first, last=last)
    files = {MANIFEST: _manifest(number), CLOSURES: closure_lines(_manifest(number)), KEYS: key_lines([PUBLIC])}
    for what in statements:
        digest, envelope = STATEMENTS_MADE[what]
        files[f"{STATEMENTS}{digest.removeprefix('sha256:')}.json"] = envelope
    return replace(made, scope=Scope(ORIGIN, "release", first, last, channel="production", release=number), extra=files)


SOUND = ("author 2", "approve 2", "withdraw 2")


def test_a_sound_pack_of_a_release_verifies() -> None:
    """From its proposal to its withdrawal, with every statement about it."""
    report = checked(_release(4, 7, number=2, statements=SOUND))
    assert (report.ok, report.findings) == (True, ())
    assert any("after the newer checkpoint" in one for one in report.remarks)


def test_a_statement_of_another_release_is_found() -> None:
    """Signed, logged and in the same stretch, but about what was released before."""
    report = checked(_release(1, 7, number=2, statements=[*SOUND, "approve 1"]))
    assert not report.integrity
    assert "as one about the release" in findings(_release(4, 7, number=2, statements=[*SOUND, "approve 1"]))


def test_a_statement_that_was_left_out_is_missed() -> None:
    """An entry names a statement about this release, and the pack does not have it: incomplete, and which entry."""
    made = _release(4, 7, number=2, statements=["author 2", "withdraw 2"])
    assert not checked(made).completeness
    assert "missing: entry 5: the statement" in findings(made)


def test_a_stretch_that_begins_with_another_proposal_is_found() -> None:
    """The release must begin with the proposal that it was made of: neither an earlier nor a later one."""
    made = _release(1, 7, number=2, statements=SOUND)
    assert "the proposal that the release was made of" in findings(made)
    assert not checked(made).integrity


def test_a_withdrawal_that_the_stretch_leaves_out_is_missed() -> None:
    """The entry is in the pack, behind the end of the scope: a reader of the table would not see it."""
    made = _release(4, 6, number=2, statements=SOUND)
    assert not checked(made).completeness
    assert "missing: entry 7: the entry belongs to the release" in findings(made)


@pytest.mark.parametrize("path", [MANIFEST, f"{STATEMENTS}{'0' * 64}.json"])
@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"entries":[{"digest":"\\ud800","kind":1,"name":1,"epoch":1}]}'])
def test_json_that_breaks_a_parser_is_an_answer_and_no_crash(path: str, data: bytes) -> None:
    """Nesting without end and half of a character are findings about the file."""
    made = _release(4, 7, number=2, statements=SOUND)
    report = checked(replace(made, extra={**made.extra, path: data}))
    assert not report.integrity


def test_base64_with_other_trailing_bits_is_refused() -> None:
    """`QUJ=` decodes like `QUI=`: neither proofs, keys nor envelopes may be spelled in two ways."""
    value = base64.b64encode(bytes(32)).decode()
    other = value[:-2] + "B="
    assert base64.b64decode(other) == bytes(32)
    with pytest.raises(InvalidFormat):
        parse_proof(f"{other}\n".encode())
    digest, envelope = STATEMENTS_MADE["author 2"]
    document = json.loads(envelope)
    sig = document["signatures"][0]["sig"]  # 64 bytes: two pad characters, four free bits
    twin = sig[:-3] + chr(ord(sig[-3]) + 1) + "=="
    assert base64.b64decode(twin) == base64.b64decode(sig)
    document["signatures"][0]["sig"] = twin
    made = _release(4, 7, number=2, statements=SOUND)
    path = f"{STATEMENTS}{digest.removeprefix('sha256:')}.json"
    assert not checked(replace(made, extra={**made.extra, path: compact(document)})).integrity


def test_an_envelope_that_says_more_than_was_signed_is_refused() -> None:
    """A member more, another key id, a blank: a reader of the file must not take for signed what was not."""
    digest, envelope = STATEMENTS_MADE["author 2"]
    path = f"{STATEMENTS}{digest.removeprefix('sha256:')}.json"
    made = _release(4, 7, number=2, statements=SOUND)
    document = json.loads(envelope)
    signature = document["signatures"][0]
    for forged in (
        compact({**document, "comment": "approved by everybody"}),
        compact({**document, "signatures": [{**signature, "keyid": "0" * 64}]}),
        compact({**document, "signatures": [{**signature, "name": "the chair"}]}),
        envelope + b"\n",
        json.dumps(document).encode(),
    ):
        assert not checked(replace(made, extra={**made.extra, path: forged})).integrity


def test_a_key_that_nobody_signed_with_is_refused() -> None:
    """The list of keys names who signed, and nobody else."""
    made = _release(4, 7, number=2, statements=SOUND)
    more = key_lines([PUBLIC, bytes(32)])
    assert not checked(replace(made, extra={**made.extra, KEYS: more})).integrity


@pytest.mark.parametrize(
    "scope",
    [
        Scope(ORIGIN, "period", 4, 9, since="yesterday"),
        Scope(ORIGIN, "period", 4, 9, since=hour(9), until=hour(4)),
        Scope(ORIGIN, "period", 4, 9, channel="production", release=7),
        Scope(ORIGIN, "period", 4, 9, channel="production"),
        Scope(ORIGIN, "release", 4, 9, release=7),
        Scope(ORIGIN, "release", 4, 9),
        Scope(ORIGIN, "release", 4, 9, since=hour(4), channel="production", release=7),
    ],
)
def test_a_scope_that_means_two_things_or_none_is_refused(scope: Scope) -> None:
    """What a pack is about is a period in times, or a release by its number."""
    with pytest.raises(InvalidFormat):
        parse_scope(scope.encode())


def test_a_file_too_large_for_its_kind_is_refused_unread(tmp_path: Path) -> None:
    """A folder with a tile or a scope of gigabytes, which take no room on the disk, is refused by their sizes."""
    for path in ("pack.json", "tile/0/000"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as stream:
            stream.truncate(MAX_SMALL_BYTES + 1)
        with pytest.raises(InvalidFormat, match="at most"):
            open_folder(tmp_path)
        file.unlink()


def test_links_and_ways_out_of_a_folder_are_refused(tmp_path: Path) -> None:
    """A link to a folder, a pipe, and a name that no pack uses are refused before anything is read."""
    (tmp_path / "outside").mkdir()
    pack = tmp_path / "pack"
    for make in (
        lambda: (pack / "tile").symlink_to(tmp_path / "outside"),
        lambda: os.mkfifo(pack / "policy"),
        lambda: (pack / "..a").write_bytes(b""),
        lambda: (pack / "REPORT.html").write_bytes(b""),
    ):
        pack.mkdir()
        make()
        with pytest.raises(InvalidFormat):
            open_folder(pack)
        for one in pack.iterdir():
            one.unlink()
        pack.rmdir()
