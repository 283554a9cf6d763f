"""Checking an evidence pack: a folder or a ZIP file, offline, with keys that did not come with it.

What is checked, by number:
1. the container is in its one form, and the log's key signed `pack.note`;
2. every file that the note lists is there, with its size and digest, and no other;
3. both checkpoints are the log's, the frontier is that of the older one, and the newer one extends it;
4. to 7. the entries, the hash tiles, the root, the table and the events (see `audit.pack.walk`);
8. the scope: no entry of the period lies outside `first` to `last`, nor one of another period inside;
9. the sample is the one that checkpoint, nonce and population give;
10. the witness policy: the auditor's own if one is given, else the one in the pack, which then proves less;
11. the files of a release (see `audit.pack.release`);
12. the openings: names and reasons behind the commitments of the entries.

The report keeps apart: *integrity*, does everything that is there agree with what is signed; *completeness*, is
everything there that the checkpoints imply; and the *contents*, of which each is verified, erased by an entry that it
names, missing or altered. An erased content breaks neither of the others: erasing is an act with an entry of its own.

It does not prove that an entry was true when it was written, nor, without an outside witness, that others were shown
the same log. The reports in a pack are vouched for by the log's signature only: what counts is the entries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from audit.checkpoint import Checkpoint, Cosignature, open_checkpoint, parse_checkpoint
from audit.errors import AuditError, InvalidFormat
from audit.merkle import Frontier, parse_frontier, verify_consistency
from audit.note import MAX_NOTE_BYTES, Verifier, open_note, parse_note
from audit.pack.container import Container
from audit.pack.contents import Contents, check_contents
from audit.pack.make import (
    CHECKPOINT_A,
    CHECKPOINT_B,
    CONSISTENCY,
    CSV,
    ERASED,
    FRONTIER_A,
    NOTE,
    OCSF,
    OPENINGS,
    POLICY,
    RELEASE,
    REPORTS,
    SAMPLE,
    SCOPE,
    Scope,
    bundles_between,
    encode_sample,
    parse_listing,
    parse_proof,
    parse_sample,
    parse_scope,
    tiles_between,
)
from audit.pack.release import check_release
from audit.pack.visit import Seen, check_scope
from audit.pack.walk import Stretch, Visit, walk
from audit.policy import Policy, evaluate, parse_policy, probe
from audit.record import LeafRecord
from audit.verify import Finding, State

__all__ = ["PackReport", "check_files", "check_pack"]

_NO_CONTENTS = Contents()


@dataclass(frozen=True, slots=True)
class PackReport:
    """The outcome of `check_pack`; what could not be read is empty."""

    integrity: bool
    completeness: bool
    findings: tuple[Finding, ...] = ()
    scope: Scope | None = None
    older: Checkpoint | None = None
    newer: Checkpoint | None = None
    verified: int = 0
    witnesses: tuple[Cosignature, ...] = ()
    quorum: str = ""
    short_of_quorum: bool = False
    contents: Contents = _NO_CONTENTS
    nonce: str = ""
    population: int = 0
    drawn: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything verified; erased contents are no failure."""
        return self.integrity and self.completeness and self.contents.ok

    @property
    def witnessed(self) -> bool:
        """Whether a known witness outside the log cosigned the newer checkpoint, and a given policy is satisfied."""
        return bool(self.witnesses) and not self.short_of_quorum


@dataclass(slots=True)
class _Found:
    """What the checks found so far."""

    findings: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, state: State, path: str, message: str) -> None:
        self.findings.append(Finding(state, path, message))

    def conclude(self, pack: Container, contents: Contents, *, witnessed: bool) -> None:
        """Add the remarks that follow from the whole."""
        if contents.withheld:
            self.remarks.append(f"the texts behind {contents.withheld} commitments are withheld from this pack")
        for index, by in contents.kept:
            self.remarks.append(f"a text of entry {index} is in the pack, although entry {by} says that it was erased")
        if any(path in pack.sizes for path in REPORTS):
            self.remarks.append("the report to read is the server's own telling, and is not checked: the entries are")
        if not witnessed:
            self.remarks.append("self-contained: no outside witness signed the newer checkpoint")


def check_pack(
    pack: Container,
    verifiers: Sequence[Verifier] = (),
    *,
    policy: Policy | None = None,
    nonce: str | None = None,
    visit: Visit | None = None,
) -> PackReport:
    """Check everything in a pack, and report what does not verify.

    `verifiers` are the log's key and those of witnesses; `policy` is the auditor's own and brings its keys with it;
    with `nonce` the sample must have been drawn by it, else it is drawn anew. `visit` is called for each sound entry.
    """
    keys = [*verifiers, *_keys_of(policy, verifiers)]
    found = _Found(findings=list(check_files(pack, keys)))
    try:
        stretch, older, witnesses = _stretch(pack, keys)
    except (FileNotFoundError, AuditError) as error:
        found.add(State.UNPROVEN, NOTE, f"the entries cannot be checked: {_said(error)}")
        return PackReport(integrity=False, completeness=False, findings=tuple(found.findings))
    scope, seen = stretch.scope, Seen(stretch.scope)
    walked = walk(pack.read, stretch, partial(_all, [seen.visit, *([visit] if visit else [])]))
    found.findings += walked.findings
    complete = stretch.root in {walked.root, walked.stated}
    if not complete:
        message = "the frontier and the entries do not lead to the root of the newer checkpoint"
        found.add(State.ALTERED, CHECKPOINT_B, message)
    found.findings += check_scope(seen, found.remarks)
    nonce, drawn = _sample(pack, found, seen, nonce=nonce, spoilt=walked.spoilt)
    quorum, met = _policy(pack, found, policy)
    if any(path.startswith(RELEASE) for path in pack.sizes) or scope.kind == "release":
        about = {"manifest": seen.manifest, "proposal": seen.proposal}
        found.findings += check_release(pack.read, pack.paths, signed=seen.signed, **about)
    contents, wrong = check_contents(pack, seen.committed, keys, origin=scope.origin, size=stretch.size)
    found.findings += wrong
    found.conclude(pack, contents, witnessed=bool(witnesses))
    return PackReport(
        integrity=all(finding.state is State.MISSING for finding in found.findings),
        completeness=complete and all(finding.state is not State.MISSING for finding in found.findings),
        findings=tuple(found.findings),
        scope=scope,
        older=older,
        newer=Checkpoint(scope.origin, stretch.size, stretch.root),
        verified=walked.verified,
        witnesses=witnesses,
        quorum=quorum,
        short_of_quorum=policy is not None and not met,
        contents=contents,
        nonce=nonce,
        population=len(seen.population),
        drawn=drawn,
        remarks=tuple(found.remarks),
    )


def _all(visits: Sequence[Visit], leaf: LeafRecord, entry: bytes) -> None:
    for visit in visits:
        visit(leaf, entry)


def _stretch(pack: Container, keys: Sequence[Verifier]) -> tuple[Stretch, Checkpoint | None, tuple[Cosignature, ...]]:
    """Return what is to be walked, the older checkpoint, and the witnesses of the newer one (check 3)."""
    scope = parse_scope(pack.read(SCOPE))
    newer, witnesses = _checkpoint(pack, CHECKPOINT_B, keys, origin=scope.origin)
    older, frontier = _older(pack, keys, newer, origin=scope.origin)
    if not frontier.size <= scope.first <= scope.last < newer.size:
        raise InvalidFormat("expected the entries of the scope between the two checkpoints, got others")
    return Stretch(scope, frontier, newer.size, newer.root), older, witnesses


def _said(error: Exception) -> str:
    return f"{error.args[0]} is not there" if isinstance(error, FileNotFoundError) else str(error)


def _keys_of(policy: Policy | None, given: Sequence[Verifier]) -> list[Verifier]:
    if policy is None:
        return []
    known = {(one.name, one.key_id) for one in given}
    keys = [*(log.verifier for log in policy.logs), *(one.verifier for one in policy.witnesses)]
    return [key for key in keys if (key.name, key.key_id) not in known]


def check_files(pack: Container, verifiers: Sequence[Verifier]) -> Iterator[Finding]:
    """Yield what is wrong with the files as such (checks 1 and 2): any changed byte of any file is found here."""
    try:
        listed = _listing(pack, verifiers)
    except FileNotFoundError:
        yield Finding(State.UNPROVEN, NOTE, "the pack has no note, so nothing says what belongs to it")
        return
    except AuditError as error:
        yield Finding(State.ALTERED, NOTE, str(error))
        return
    if not verifiers:
        yield Finding(State.UNPROVEN, NOTE, "signatures not checked, as no key was given")
    for path in sorted({*listed, *pack.sizes} - {NOTE}):
        if path not in listed:
            yield Finding(State.ALTERED, path, "the note does not list this file")
        elif path not in pack.sizes:
            yield Finding(State.UNPROVEN, path, "the note lists this file, and it is not there")
        elif pack.sizes[path] != listed[path][1] or hashlib.sha256(pack.read(path)).hexdigest() != listed[path][0]:
            yield Finding(State.ALTERED, path, "it is not the file that the note lists")
    yield from _unknown(pack)


def _listing(pack: Container, verifiers: Sequence[Verifier]) -> dict[str, tuple[str, int]]:
    if pack.sizes.get(NOTE, 0) > MAX_NOTE_BYTES:
        raise InvalidFormat(f"expected a note of at most {MAX_NOTE_BYTES} bytes, got more")
    data = pack.read(NOTE)
    if not verifiers:
        return parse_listing(parse_note(data).text)
    # Only a log signs packs: a witness's key vouches for checkpoints.
    logs = [one for one in verifiers if one.algorithm.name == "ED25519"]
    opened = open_note(data, logs)
    listed = parse_listing(opened.text)
    origin = parse_checkpoint(parse_note(pack.read(CHECKPOINT_B)).text).origin
    if origin not in opened.names:
        raise InvalidFormat("expected the note to be signed by the log of the checkpoint, got another key")
    return listed


def _unknown(pack: Container) -> Iterator[Finding]:
    """Yield the files that no pack of this stretch has: a signed file that nobody checks would be a blind spot."""
    try:
        size_a = parse_frontier(pack.read(FRONTIER_A)).size
        size_b = parse_checkpoint(parse_note(pack.read(CHECKPOINT_B)).text).size
    except (FileNotFoundError, AuditError):
        return  # found elsewhere
    single = {NOTE, SCOPE, CHECKPOINT_B, FRONTIER_A, POLICY, OPENINGS, CSV, OCSF, SAMPLE, *REPORTS}
    if size_a:
        single |= {CHECKPOINT_A, CONSISTENCY}
    if size_b - size_a > len(pack.sizes) * 256:
        return  # the bundles are not there, which is found elsewhere
    tiles = {tile.path for tile in (*bundles_between(size_a, size_b), *tiles_between(size_a, size_b))}
    for path in pack.paths:
        if path not in single and path not in tiles and not path.startswith((RELEASE, ERASED)):
            yield Finding(State.ALTERED, path, "no pack of these entries has such a file")


def _checkpoint(
    pack: Container, path: str, verifiers: Sequence[Verifier], *, origin: str
) -> tuple[Checkpoint, tuple[Cosignature, ...]]:
    data = pack.read(path)
    if verifiers:
        opened = open_checkpoint(data, verifiers, origin)
        return opened.checkpoint, opened.witnesses
    return parse_checkpoint(parse_note(data).text), ()


def _older(
    pack: Container, verifiers: Sequence[Verifier], newer: Checkpoint, *, origin: str
) -> tuple[Checkpoint | None, Frontier]:
    """Return the older checkpoint, None for the empty log, and the frontier that it proves."""
    frontier = parse_frontier(pack.read(FRONTIER_A))
    if not frontier.size:
        return None, frontier
    older, _ = _checkpoint(pack, CHECKPOINT_A, verifiers, origin=origin)
    if (older.size, older.root) != (frontier.size, frontier.root):
        raise InvalidFormat("expected the frontier of the older checkpoint, got another")
    proof = parse_proof(pack.read(CONSISTENCY))
    verify_consistency(size1=older.size, root1=older.root, size2=newer.size, root2=newer.root, proof=proof)
    return older, frontier


def _sample(
    pack: Container, found: _Found, seen: Seen, *, nonce: str | None, spoilt: bool
) -> tuple[str, tuple[int, ...]]:
    """Check the sample, unless the population is `spoilt`; return the nonce and the entries that are drawn by it."""
    text = parse_note(pack.read(CHECKPOINT_B)).text
    try:
        stated = parse_sample(pack.read(SAMPLE))
        if not spoilt and encode_sample(text, stated["nonce"], seen.population) != pack.read(SAMPLE):
            found.add(State.ALTERED, SAMPLE, "checkpoint, nonce and population give another sample")
    except (FileNotFoundError, InvalidFormat, ValueError) as error:
        found.add(State.UNPROVEN, SAMPLE, f"no sample: {_said(error)}")
        return nonce or "", ()
    used = stated["nonce"] if nonce is None else nonce
    if nonce is not None and nonce != stated["nonce"]:
        found.remarks.append("the sample in the pack was drawn by another nonce; it is drawn anew by the given one")
    if not used:
        found.remarks.append("the sample is provisional: it was drawn without a nonce of the auditor's")
    elif nonce is None:
        found.remarks.append(
            "the nonce of the sample is the pack's own: give yours with --nonce, or the draw means little"
        )
    drawn = parse_sample(encode_sample(text, used, seen.population))["drawn"]
    return used, tuple(drawn)


def _policy(pack: Container, found: _Found, policy: Policy | None) -> tuple[str, bool]:
    """Return what the witness policy says of the newer checkpoint, and if it accepts it: a given one must."""
    data = pack.read(CHECKPOINT_B)
    if policy is not None:
        probe(policy)
        verdict = evaluate(policy, data)
        if not verdict.ok:
            found.add(State.UNPROVEN, CHECKPOINT_B, f"the given policy does not accept it: {verdict.because}")
        return verdict.because, verdict.ok
    try:
        own = parse_policy(pack.read(POLICY), allow_unwitnessed=True)
    except FileNotFoundError:
        found.add(State.UNPROVEN, POLICY, "no such file")
        return "", False
    except InvalidFormat as error:
        found.add(State.ALTERED, POLICY, str(error))
        return "", False
    verdict = evaluate(own, data)
    found.remarks.append("the witness policy is the pack's own: give one with --policy to apply yours")
    if not verdict.ok:
        found.remarks.append(f"not even the pack's own witness policy accepts the newer checkpoint: {verdict.because}")
    return verdict.because, verdict.ok
