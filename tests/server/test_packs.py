"""Evidence packs from a server: what is in them, and that a rewritten database gives none that verifies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from audit.note import Algorithm, Signer
from audit.openings import encode_openings, parse_openings
from audit.pack.check import PackReport, check_pack
from audit.pack.container import container_of, open_container
from audit.pack.make import NOTE, sign_pack
from audit.record import Act, LeafRecord, encode_leaf, parse_leaf
from audit.tiles import split_bundle
from control_plane import db, ledger, verifying
from control_plane.cli.audit import app as audit_app
from control_plane.errors import NotFound
from control_plane.evidence.packs import MadePack, PackRequest, build_pack, make_pack
from control_plane.keeping.erasing import erase
from control_plane.keeping.holding import hold
from control_plane.keeping.keepers import Asking
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow
from edge_runtime.core.errors import InvalidDocument, Unavailable
from tests.server.acts import Acts, refused
from tests.server.conftest import Clock, Stage, withdrawn


@pytest.fixture
def busy(after: Callable[[Stage], Acts]) -> Acts:
    """The demo people after two releases and a withdrawal."""
    return after(withdrawn)


def checked(acts: Acts, files: dict[str, bytes], **options: str) -> PackReport:
    """What an auditor with the log's key is told of a pack."""
    return check_pack(container_of(files), [acts.plane.keys.log.verifier], **options)  # type: ignore[arg-type]


def leaf(plane: ControlPlane, index: int) -> LeafRecord:
    """An entry, as the database has it."""
    with db.read(plane.engine) as session:
        row = session.get(LeafRow, index)
        assert row is not None
        return parse_leaf(row.data)


def rewrite(plane: ControlPlane, index: int, **changes: object) -> None:
    """Rewrite an entry in the database, behind the use cases: a valid record of that index that says something else."""
    from dataclasses import replace

    with db.write(plane.engine) as session:
        row = session.get(LeafRow, index)
        assert row is not None
        row.data = encode_leaf(replace(parse_leaf(row.data), **changes))  # type: ignore[arg-type]


def acts_in(made: MadePack) -> list[str]:
    """The acts in the table of a pack."""
    from audit.pack.table import parse_rows

    return [row["act"] for row in parse_rows(made.files["entries.csv"])]


def test_a_pack_of_everything_verifies_and_the_log_says_so_first(busy: Acts) -> None:
    """All entries up to now; the export is an entry with the digest of the pack's note."""
    size = verifying.verify(busy.plane).size
    made = make_pack(busy.plane, PackRequest(nonce="dice"), actor=busy.id("ruth"))
    assert checked(busy, made.files).ok
    assert len(acts_in(made)) == size
    said = leaf(busy.plane, made.leaf)
    assert (said.act, said.actor.id, said.actor.role) == (Act.EXPORTED, busy.id("ruth"), "compliance")
    assert said.object.digest == made.digest
    assert verifying.verify(busy.plane).ok


def test_a_pack_of_a_release_has_its_manifest_statements_and_withdrawals(busy: Acts) -> None:
    """From the proposal to the withdrawal, each file tied to an entry; a statement more or an edited one is found."""
    made = make_pack(busy.plane, PackRequest(release=2))
    assert acts_in(made)[0] == "proposed"
    assert acts_in(made)[-1] == "withdrawn"
    assert {"approved", "released"} <= set(acts_in(made))
    statements = [path for path in made.files if path.startswith("release/statements/")]
    assert len(statements) == 4, "author, two approvals, the withdrawal"
    for path, data in (
        ("release/manifest.json", made.files["release/manifest.json"].replace(b'"number":2', b'"number":3')),
        ("release/manifest.json", made.files["release/manifest.json"].replace(b'"epoch":1', b'"epoch":7')),
        ("release/manifest.json", made.files["release/manifest.json"].split(b"\n")[0]),
        ("release/closures", made.files["release/closures"].replace(b"opener", b"closer")),
        (statements[0], made.files[statements[0]].replace(b'"sig":"', b'"sig":"AAAA')),
        (statements[1], made.files[statements[0]]),
        ("release/letter", b"approved by everybody"),
    ):
        forged = {**made.files, path: data}
        del forged[NOTE]
        report = checked(busy, {**forged, NOTE: sign_pack(forged, busy.plane.keys.log)})
        assert not report.integrity
        assert [finding.path for finding in report.findings] == [path]


def test_a_pack_of_a_period_has_its_entries_and_shows_its_ends(busy: Acts, clock: Clock) -> None:
    """Entries outside of the period are not in the table; those beside it prove where it ends."""
    begun = clock.now + timedelta(hours=1)
    clock.advance(hours=2)
    busy.withdraw("tom", "opener")
    clock.advance(hours=2)
    make_pack(busy.plane, PackRequest())
    made = make_pack(busy.plane, PackRequest(begun, begun + timedelta(hours=2)))
    assert acts_in(made) == ["withdrawn"]
    assert not [remark for remark in made.report.remarks if "period" in remark]
    assert made.report.older is not None
    with pytest.raises(NotFound):
        make_pack(busy.plane, PackRequest(begun + timedelta(days=300), None))


def test_a_pack_from_a_rewritten_database_is_not_handed_over_and_names_the_index(busy: Acts) -> None:
    """Somebody rewrote who approved: the server refuses, names the entry, and logs no export."""
    approved = next(one.index for one in ledger.search(busy.plane, act="approved"))
    rewrite(busy.plane, approved, ticket="CHG-1")
    for request in (PackRequest(), PackRequest(release=2)):
        with refused(busy.plane, Unavailable, match=f"entry {approved}: the content does not match its leaf hash"):
            make_pack(busy.plane, request)


def test_a_pack_from_a_rewritten_database_made_all_the_same_fails_at_the_auditors(busy: Acts, tmp_path: Path) -> None:
    """Without the server's own check, signed by the log's own key: the auditor's command names the entry."""
    approved = next(one.index for one in ledger.search(busy.plane, act="approved"))
    rewrite(busy.plane, approved, ticket="CHG-1")
    files = build_pack(busy.plane, PackRequest(release=2))
    report = checked(busy, files)
    assert (report.integrity, report.completeness) == (False, True)
    assert report.findings[0].first == approved
    for path, data in files.items():
        (tmp_path / "pack" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pack" / path).write_bytes(data)
    command = [sys.executable, "-m", "audit", "verify", str(tmp_path / "pack")]
    done = subprocess.run(
        [*command, "--vkey", busy.plane.keys.log.verifier.vkey], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"altered: entry {approved}" in done.stdout


def test_an_entry_deleted_from_the_database_is_missed(busy: Acts) -> None:
    """A row that is gone is missing at its index; the pack is incomplete."""
    from sqlalchemy import text

    released = next(one.index for one in ledger.search(busy.plane, act="released"))
    with db.write(busy.plane.engine) as session:
        if busy.plane.engine.dialect.name == "sqlite":
            session.connection().execute(text("PRAGMA defer_foreign_keys=ON"))
        row = session.get(LeafRow, released)
        assert row is not None
        row.data = b""
    report = checked(busy, build_pack(busy.plane, PackRequest()))
    assert not report.completeness
    assert (released, "missing") in {(one.first, one.state.value) for one in report.findings}


def test_names_and_reasons_are_in_the_pack_and_verified(busy: Acts) -> None:
    """What an approver wrote can be read, and is what they committed to; another text is altered, named by index."""
    made = make_pack(busy.plane, PackRequest())
    openings = parse_openings(made.files["openings.jsonl"])
    assert "it is clearer" in {one.text for one in openings}
    forged = [one if one.text != "it is clearer" else _with(one, "whatever") for one in openings]
    files = {**made.files, "openings.jsonl": encode_openings(forged)}
    del files[NOTE]
    report = checked(busy, {**files, NOTE: sign_pack(files, busy.plane.keys.log)})
    assert not report.ok
    assert set(report.contents.altered) == {one.seq for one in openings if one.text == "it is clearer"}
    less = {**files, "openings.jsonl": encode_openings(openings[1:])}
    report = checked(busy, {**less, NOTE: sign_pack(less, busy.plane.keys.log)})
    assert report.contents.missing == (openings[0].seq,)


def _with(opening, text: str):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(opening, text=text)


def test_texts_may_be_withheld(busy: Acts) -> None:
    """A pack without texts verifies, and says how many it withholds."""
    made = make_pack(busy.plane, PackRequest(with_texts=False))
    assert made.files["openings.jsonl"] == b""
    assert made.report.ok
    assert made.report.contents.withheld > 0
    assert b"it is clearer" not in b"".join(made.files.values())
    assert leaf(busy.plane, made.leaf).reason.code == "pack"


def _erase(acts: Acts, login: str) -> Sequence[int]:
    return erase(
        acts.plane, login, asking=Asking(by=acts.id("ruth"), reason="they asked", passphrase=acts.passphrase("ruth"))
    ).entries


def test_an_erased_text_is_reported_as_erased_by_its_entry(busy: Acts) -> None:
    """In the same pack as the erasure: every entry of the person names it, and nothing is missing."""
    events = set(_erase(busy, "tom"))
    made = make_pack(busy.plane, PackRequest())
    assert made.report.ok
    assert {by for _, by in made.report.contents.erased} <= events
    concerned = {entry for entry, _ in made.report.contents.erased}
    theirs = {one.index for one in ledger.search(busy.plane, actor=busy.id("tom")) if one.actor == busy.id("tom")}
    assert theirs == concerned
    assert b"erased by entry" in made.files["report.html"]


def test_an_erasure_after_the_period_is_proven_by_its_own_entry(busy: Acts, clock: Clock) -> None:
    """A pack about the past carries the later erasure with its proof; without it the content would be missing."""
    ended = clock.now + timedelta(minutes=1)
    clock.advance(hours=1)
    make_pack(busy.plane, PackRequest())
    [event, *_] = _erase(busy, "tom")
    made = make_pack(busy.plane, PackRequest(None, ended))
    assert made.report.newer is not None
    assert event >= made.report.newer.size
    assert made.report.ok
    assert event in {by for _, by in made.report.contents.erased}
    assert f"erased/{event}.tlog-proof" in made.files
    bare = {path: data for path, data in made.files.items() if not path.startswith("erased/") and path != NOTE}
    report = checked(busy, {**bare, NOTE: sign_pack(bare, busy.plane.keys.log)})
    assert report.contents.missing
    entry = f"erased/{event}.leaf"
    forged = {**made.files, entry: made.files[entry].replace(b"requested", b"expired")}
    del forged[NOTE]
    report = checked(busy, {**forged, NOTE: sign_pack(forged, busy.plane.keys.log)})
    assert not report.integrity


def test_a_text_under_a_hold_stays_in_the_pack(busy: Acts) -> None:
    """A legal hold keeps the texts, and the pack has them."""
    hold(busy.plane, "tom", asking=Asking(by=busy.id("ruth"), reason="a case", passphrase=busy.passphrase("ruth")))
    made = make_pack(busy.plane, PackRequest())
    assert made.report.contents.erased == ()
    assert made.report.ok


def test_the_report_tells_who_approved_what_it_meant_and_why(busy: Acts) -> None:
    """The page names people, meanings, reasons, times and entries, escapes what people wrote, and loads nothing."""
    made = make_pack(busy.plane, PackRequest(release=2))
    page = made.files["report.html"].decode()
    names = {person["login"]: person["name"] for person in busy.people.values()}
    for wanted in (names["tom"], names["ines"], "approval", "it is clearer", "Release 2", "does not prove"):
        assert wanted in page
    for never in ("<script", "http://", "https://", "src=", "@import", "compliant"):
        assert never not in page
    assert made.files["report.pdf"].startswith(b"%PDF-")


def test_a_script_in_a_reason_stays_text(acts: Acts) -> None:
    """What a person wrote is never markup, nor a formula, in anything that a pack holds."""
    acts.check()
    acts.approve("tom", reason="<script>alert(1)</script> =1+1 中村")
    acts.approve("ines")
    acts.release()
    made = make_pack(acts.plane, PackRequest(release=2))
    assert b"<script" not in made.files["report.html"]
    assert "中村" in made.files["report.html"].decode()


def test_a_witnessed_checkpoint_is_preferred(busy: Acts) -> None:
    """If a policy asks for a witness, the pack ends with a checkpoint that it cosigned."""
    from audit.checkpoint import cosign
    from audit.note import add_signatures
    from control_plane import checkpoints
    from control_plane.files import write_atomic

    plane = busy.plane
    witness = Signer("witness.example", b"\x05" * 32, Algorithm.COSIGNATURE)
    text = f"log {plane.keys.log.verifier.vkey}\nwitness w {witness.verifier.vkey}\nquorum w\n"
    bare = make_pack(plane, PackRequest(with_texts=False))
    assert not bare.report.witnessed
    note = ledger.checkpoint(plane)
    cosigned = add_signatures(note, cosign(note, witness, time_s=1_800_000_000))
    checkpoints.remember(plane, cosigned)
    write_atomic(plane.site / "log" / "checkpoint", cosigned)
    write_atomic(plane.settings.witness_policy, text.encode())
    made = make_pack(plane, PackRequest(release=2))
    assert made.report.witnessed
    assert made.report.quorum.startswith("cosigned by 1")


def test_requests_that_make_no_sense_are_refused(busy: Acts, clock: Clock) -> None:
    """A nonce of two lines, a period that ends before it begins, a release that is not there."""
    with refused(busy.plane, InvalidDocument):
        make_pack(busy.plane, PackRequest(nonce="a\nb"))
    with refused(busy.plane, InvalidDocument):
        make_pack(busy.plane, PackRequest(clock.now, clock.now))
    with refused(busy.plane, NotFound):
        make_pack(busy.plane, PackRequest(release=9))


def test_the_command_writes_a_file_or_a_folder_that_verify(busy: Acts, tmp_path: Path) -> None:
    """`audit pack --release --out`: the file verifies with `python -m audit`, exists once, and is not overwritten."""
    out, folder = tmp_path / "release-2.pack", f"{tmp_path}/folder/"
    if busy.plane.settings.database_url:
        pytest.skip("the command opens the home's own database")

    def pack(where: object) -> Result:
        home = ["--home", str(busy.plane.settings.home), "--json"]
        return CliRunner().invoke(audit_app, ["pack", "--release", "2", "--out", str(where), *home])

    done = pack(out)
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["ok"]
    assert check_pack(open_container(out), [busy.plane.keys.log.verifier]).ok
    assert pack(out).exit_code == 3
    assert pack(folder).exit_code == 0
    assert check_pack(open_container(Path(folder)), [busy.plane.keys.log.verifier]).ok
    entries, whole = split_bundle(next(Path(folder).glob("tile/entries/000*/*")).read_bytes())
    assert whole
    assert entries


def test_a_long_reason_runs_over_pages_and_the_same_report_is_the_same_bytes(acts: Acts) -> None:
    """Two thousand characters in a narrow column, without a blank: the PDF breaks it, within its own row and pages."""
    from control_plane.evidence.report import report_files

    long_reason = "w" * 1990
    acts.check()
    acts.approve("tom", reason=long_reason)
    acts.approve("ines", reason="ö ß Ω Ж 中 " * 30)
    acts.release()
    made = make_pack(acts.plane, PackRequest(release=2))
    assert long_reason in made.files["report.html"].decode()
    twice = [report_files(made.files, made.report, made_at=acts.plane.now()) for _ in range(2)]
    assert twice[0] == twice[1]
    assert twice[0]["report.pdf"].count(b"/Type /Page\n") >= 2


def test_parts_of_a_second_in_a_period_are_no_reason_to_blame_the_database(busy: Acts, clock: Clock) -> None:
    """Entries are written in whole seconds, so a period that begins within one begins with it."""
    clock.now = clock.now.replace(microsecond=0) + timedelta(hours=1)
    busy.withdraw("tom", "opener")
    since = clock.now + timedelta(milliseconds=500)
    assert acts_in(make_pack(busy.plane, PackRequest(since, since + timedelta(hours=1)))) == ["withdrawn"]
    with refused(busy.plane, InvalidDocument):
        make_pack(busy.plane, PackRequest(since, since + timedelta(milliseconds=1)))
