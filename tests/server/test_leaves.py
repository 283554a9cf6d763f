"""What each act says in its leaf: every member that its use case knows, and nothing that it does not."""

from __future__ import annotations

from audit.record import LeafRecord
from control_plane.overview import queries
from control_plane.plane import ControlPlane
from control_plane.registry.facts import checks_digest
from control_plane.reviewing import proposals
from tests.server.acts import Acts, newest
from tests.server.library import CLOSING, POLICY, policy, script
from tests.server.test_texts import records


def policy_digest(plane: ControlPlane) -> str:
    """Return the digest of the live policy."""
    manifest = queries.live_manifest(plane)
    assert manifest is not None
    return next(entry.digest for entry in manifest.entries if entry.kind == "policy")


def last_of(plane: ControlPlane, act: str) -> LeafRecord:
    """Return the newest entry of an act."""
    return next(leaf for leaf in reversed(records(plane)) if leaf.act == act)


def test_the_workflow_says_all_that_it_knows(acts: Acts) -> None:
    """From proposal to withdrawal: policy, checks, tier, change, versions, and the key that signed."""
    plane = acts.plane
    before = queries.live_manifest(plane)
    assert before is not None
    base, live_policy = before.digest, policy_digest(plane)
    acts.approve_fully()
    acts.release()
    acts.withdraw("tom", "closing")
    detail = queries.show_proposal(plane, 2)
    digest, report = detail.proposal.manifest, checks_digest(detail.checks)
    proposed, checked, approved = (last_of(plane, act) for act in ("proposed", "checked", "approved"))
    released, withdrawn = (last_of(plane, act) for act in ("released", "withdrawn"))
    for leaf in (proposed, checked, approved):
        assert (leaf.object.name, leaf.object.version, leaf.object.digest) == ("proposal-2", "1", digest)
    for leaf in (proposed, checked, approved, released):
        assert (leaf.policy, leaf.tier, leaf.models, leaf.manifest) == (live_policy, "R2", "", digest)
    assert (proposed.before, proposed.after, proposed.checks) == (base, digest, "")
    assert (checked.checks, checked.after, checked.reason.code) == (report, report, "passed")
    assert (approved.checks, approved.before, approved.after) == (report, "", "")
    assert (released.before, released.after, released.checks) == (base, digest, report)
    assert (released.object.name, released.object.version) == ("release-production-2", "2")
    assert len({proposed.diff, approved.diff, released.diff}) == 1
    assert proposed.diff.startswith("sha256:")
    assert (withdrawn.object.name, withdrawn.object.version, withdrawn.tier) == ("closing", "1", "R1")
    assert (withdrawn.policy, withdrawn.before) == (live_policy, withdrawn.object.digest)
    assert (approved.signature.meaning, approved.actor.role) == ("approval", "community-host")


def test_the_signer_is_named_by_their_key(acts: Acts) -> None:
    """The key in a leaf is the one that was enrolled for the person who signed."""
    acts.check()
    acts.approve("tom")
    approved, enrolled = newest(acts.plane), {}
    for leaf in records(acts.plane):
        if leaf.act == "person-enrolled":
            enrolled[leaf.object.name] = leaf.object.digest
    assert approved.signature.key == enrolled[acts.id("tom")]
    assert approved.signature.key.startswith("sha256:")


def test_entries_about_one_object_are_linked(acts: Acts) -> None:
    """Each leaf names the newest one before it about the same object; the first has none."""
    acts.approve_fully()
    acts.release()
    newest_of: dict[tuple[str, str], int] = {}
    for leaf in records(acts.plane):
        target = (leaf.object.kind, leaf.object.name)
        assert leaf.prev == newest_of.get(target, -1)
        newest_of[target] = leaf.seq
    assert sum(kind == "proposal" for kind, _ in newest_of) == 2


def test_an_edit_says_what_it_came_from(acts: Acts) -> None:
    """An edited proposal names the manifest before it and its new revision; a looser policy is of the riskiest tier."""
    before = queries.show_proposal(acts.plane, 2).proposal.manifest
    made = acts.edit("maya", 2, {CLOSING: script("closing", tier="R1", fill="So, {{ work }}.")})
    edited = last_of(acts.plane, "edited")
    assert (edited.before, edited.after, edited.object.version) == (before, made.manifest, "2")
    acts.propose("maya", {POLICY: policy(at_most="redacted")})
    proposed = newest(acts.plane)
    assert proposed.tier == "R4"
    assert proposed.policy not in {"", policy_digest(acts.plane)}


def test_event_ids_are_uuids_of_their_time(acts: Acts) -> None:
    """Every leaf has an id of its own, which begins with its time in milliseconds."""
    acts.check()
    leaves = records(acts.plane)
    assert len({leaf.id for leaf in leaves}) == len(leaves)
    for leaf in leaves:
        milliseconds = int(leaf.id[:8] + leaf.id[9:13], 16)
        assert milliseconds // 1000 == int(leaf.at.timestamp())


def test_a_title_is_repeated_by_nobody_else(acts: Acts) -> None:
    """Another author's edit signs without the title, which is its author's text; the author's own edit repeats it."""
    files = {CLOSING: script("closing", tier="R1", fill="So, {{ work }}.")}
    secret = acts.passphrase("lena")
    proposals.edit(acts.plane, acts.id("lena"), 2, files=files, passphrase=secret)
    assert newest(acts.plane).reason.text == ""
    acts.edit("maya", 2, {CLOSING: script("closing", tier="R1", fill="Thus, {{ work }}.")})
    assert newest(acts.plane).reason.text.startswith("hmac-sha256:")
    assert queries.show_proposal(acts.plane, 2).proposal.title
