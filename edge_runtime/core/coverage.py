"""V6, the approvals: every entry and the manifest itself are covered by enough distinct people.

An entry is covered by statements that name its kind, name, epoch and digest, whichever manifest they were made
for; the manifest is covered by approvals that name its digest, at the quorum of the riskiest entry it introduces.
So a release carries the approvals of all it holds, a first installation can check everything, and parts that were
approved for different manifests never recombine: the recombined manifest has no approvals.
Does not: read the log (see `trust`). Source: DESIGN section 6, V6.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge_runtime.core.approval import ApprovalRules, Person, Quorum, missing_for
from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.manifest import TIERS, Entry, Manifest
from edge_runtime.core.statements import EntryRef, Statement

__all__ = ["Shortfall", "introduced_entries", "shortfalls", "verify_coverage"]

Signers = list[tuple[str, str]]
Table = Mapping[str, Quorum]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What one entry, or the manifest itself (`entry` None), still lacks."""

    entry: Entry | None
    people: int
    roles: tuple[str, ...]
    because: str


def introduced_entries(manifest: Manifest, digest: str, statements: Iterable[Statement]) -> tuple[Entry, ...]:
    """Return the entries whose author stated them for this very manifest: what it changes."""
    stated = {ref for s in statements if s.act == "author" and s.manifest == digest for ref in s.entries}
    return tuple(entry for entry in manifest.entries if EntryRef.of(entry) in stated)


def shortfalls(
    manifest: Manifest,
    digest: str,
    *,
    statements: Sequence[Statement],
    rules: Sequence[ApprovalRules],
    floor: Mapping[str, int],
) -> tuple[Shortfall, ...]:
    """Return what is missing before `manifest` may run; empty if nothing is.

    What the manifest introduces, and the manifest itself, must meet the floor and every one of `rules`; an entry
    that an earlier release introduced met the rules of its day, and must meet the floor still.

    Args:
        manifest: the manifest, with `digest` over its bytes.
        digest: what the statements must name.
        statements: verified statements (see `approval.read_signed`).
        rules: the approval rules in force; none: nothing is ever approved.
        floor: the least number of approvals for each tier, from the trust file.
    """
    if not rules:
        return (Shortfall(None, 1, (), "no approval rule is in force"),)
    least: list[Table] = [{tier: Quorum(at_least) for tier, at_least in floor.items()}]
    tables = [*least, *(r.tiers for r in rules)]
    authors, approvals = _by_entry(manifest, statements)
    introduced = introduced_entries(manifest, digest, statements)
    new = set(introduced)
    found: list[Shortfall] = []
    for entry in manifest.entries:
        ref = EntryRef.of(entry)
        if entry.author not in authors[ref]:
            found.append(Shortfall(entry, 1, ("author",), "its author has not signed it"))
        excluded = frozenset(authors[ref] | {entry.author})
        found += _short(tables if entry in new else least, entry, tier=entry.tier, by=approvals[ref], excluded=excluded)
    signers, excluded = _manifest_signers(manifest, digest, statements=statements, introduced=introduced)
    tier = max((entry.tier for entry in introduced), default=TIERS[-1])
    return (*found, *_short(tables, None, tier=tier, by=signers, excluded=excluded))


def _manifest_signers(
    manifest: Manifest, digest: str, *, statements: Sequence[Statement], introduced: Iterable[Entry]
) -> tuple[Signers, frozenset[str]]:
    refs = {EntryRef.of(entry) for entry in introduced}
    named = [s for s in statements if s.manifest == digest and _is_for(s, manifest)]
    signers = [(s.person, s.role) for s in named if s.act == "approve" and refs <= set(s.entries)]
    authors = {s.person for s in named if s.act == "author"} | {entry.author for entry in introduced}
    return signers, frozenset(authors)


def _short(
    tables: Sequence[Table], entry: Entry | None, *, tier: str, by: Signers, excluded: frozenset[str]
) -> list[Shortfall]:
    found = []
    for table in tables:
        people, roles = missing_for(table.get(tier), by, excluded=excluded)
        if people:
            found.append(Shortfall(entry, people, roles, f"tier {tier} asks for more approvals"))
    return found


def _by_entry(
    manifest: Manifest, statements: Iterable[Statement]
) -> tuple[defaultdict[EntryRef, set[str]], defaultdict[EntryRef, Signers]]:
    authors: defaultdict[EntryRef, set[str]] = defaultdict(set)
    approvals: defaultdict[EntryRef, Signers] = defaultdict(list)
    for statement in statements:
        if not _is_for(statement, manifest):
            continue
        for ref in statement.entries:
            if statement.act == "author":
                authors[ref].add(statement.person)
            elif statement.act == "approve":
                approvals[ref].append((statement.person, statement.role))
    return authors, approvals


def _is_for(statement: Statement, manifest: Manifest) -> bool:
    return statement.organisation == manifest.organisation and statement.channel == manifest.channel


def verify_coverage(
    manifest: Manifest,
    digest: str,
    *,
    statements: Sequence[Statement],
    rules: Sequence[ApprovalRules],
    floor: Mapping[str, int],
    keyring: Mapping[str, Person],
    own_keys: bool,
) -> None:
    """Verify V6: every entry and the manifest are covered, under the floor and every one of `rules`.

    Raises:
        NotTrusted: V6, with the first thing that is missing and how many more there are.
    """
    for statement in statements:
        if own_keys and statement.act == "approve" and keyring[statement.person].custody != "own":
            raise NotTrusted(
                "expected approver keys held by the people themselves, got one held by the server", check="V6"
            )
    missing = shortfalls(manifest, digest, statements=statements, rules=rules, floor=floor)
    if missing:
        first = missing[0]
        what = f"{first.entry.kind} {first.entry.name!r}" if first.entry else "the manifest"
        signed = "its author's signature" if first.roles == ("author",) else f"{first.people} more approvals"
        raise NotTrusted(f"expected people to have approved {what}, which lacks {signed}", check="V6")
