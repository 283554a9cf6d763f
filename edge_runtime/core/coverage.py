"""V6, the approvals: every entry and the manifest itself are covered by enough distinct people.

An entry is covered by statements that name it whole (kind, name, epoch, digest, tier, author), whichever manifest they
were made for. The manifest is covered by approvals that name its digest, at the quorum of the riskiest thing it does:
an entry it introduces, one it removes, or a change of its settings. So a release carries the approvals of all it holds,
a first installation can check everything, and parts approved for different manifests do not recombine.

Promises: what is new is worked out here, from what was in force before, never taken from an author's list or a stated
tier alone. Does not: read the log (see `trust`). Source: DESIGN section 6, V6.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from audit.frozen import frozen
from edge_runtime.core.approval import ApprovalRules, Person, Quorum, missing_for
from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.manifest import LEAST_TIERS, TIERS, Entry, Manifest, Settings
from edge_runtime.core.statements import Statement

__all__ = ["Before", "Shortfall", "covers", "lacking", "shortfalls", "verify_coverage"]

Signers = list[tuple[str, str]]
Table = Mapping[str, Quorum]
_Short = tuple[int, tuple[str, ...], str]


@frozen
class Before:
    """What was in force before a manifest: the release's number, its entries by kind and name, and its settings."""

    number: int
    entries: Mapping[tuple[str, str], Entry]
    settings: Settings

    @classmethod
    def of(cls, manifest: Manifest) -> Before:
        """Return what `manifest` puts in force."""
        return cls(manifest.number, {entry.key: entry for entry in manifest.entries}, manifest.settings)


@frozen
class Shortfall:
    """What one entry, or the manifest itself (`entry` None), still lacks."""

    entry: Entry | None
    people: int
    roles: tuple[str, ...]
    because: str


def _stated(digest: str, statements: Iterable[Statement]) -> set[Entry]:
    """Return the entries that authors stated for the manifest of this digest."""
    return {e for s in statements if s.act == "author" and s.manifest == digest for e in s.entries}


def shortfalls(
    manifest: Manifest,
    digest: str,
    *,
    statements: Sequence[Statement],
    rules: Sequence[ApprovalRules],
    floor: Mapping[str, int],
    before: Before | None,
) -> tuple[Shortfall, ...]:
    """Return what is missing before `manifest` may run; empty if nothing is.

    What is new, and the manifest itself, must meet the floor and one of `rules`; an entry that was in force before met
    the rules of its day, and must meet the floor still.

    Args:
        manifest: the manifest, with `digest` over its bytes.
        digest: what the statements must name.
        statements: verified statements (see `approval.read_signed`).
        rules: the approval rules in force, or several of which one must be met; none: nothing is ever approved.
        floor: the least number of approvals for each tier, from the trust file.
        before: what was in force; None where nothing is known, as on a first installation.
    """
    if not rules:
        return (Shortfall(None, 1, (), "no approval rule is in force"),)
    least: Table = {tier: Quorum(at_least) for tier, at_least in floor.items()}
    tables = [r.tiers for r in rules]
    authors, approvals = _by_entry(manifest, statements)
    stated = _stated(digest, statements).intersection(manifest.entries)
    new = stated | (set(manifest.entries) - set(before.entries.values()) if before else set())
    found: list[Shortfall] = []
    judged: dict[object, list[_Short]] = {}
    for entry in manifest.entries:
        if entry.tier < LEAST_TIERS.get(entry.kind, TIERS[0]):
            found.append(Shortfall(entry, 1, (), f"a {entry.kind} is of tier {LEAST_TIERS[entry.kind]}"))
        signed_by = authors[entry]
        if entry.author not in signed_by:
            found.append(Shortfall(entry, 1, ("author",), "its author has not signed it"))
        # Most entries of a large library have the same authors and approvals: each such case is judged once.
        case = entry.tier, entry.author, frozenset(signed_by), tuple(approvals[entry]), entry in new
        if case not in judged:
            excluded = frozenset(signed_by | {entry.author})
            asked = tables if entry in new else []
            judged[case] = _short(entry.tier, tables=asked, least=least, by=approvals[entry], but=excluded)
        found += [Shortfall(entry, people, roles, because) for people, roles, because in judged[case]]
    signers, excluded = _manifest_signers(manifest, digest, statements)
    if not any(s.act == "author" and s.manifest == digest for s in statements):
        found.append(Shortfall(None, 1, ("author",), "nobody has signed as its author"))
    # Where releases were missed, what differs was introduced by those, and is covered entry by entry; the manifest
    # answers for what it states itself.
    follows = before is None or manifest.number == before.number + 1
    tier = _manifest_tier(manifest, new if follows else stated, before)
    lacks = _short(tier, tables=tables, least=least, by=signers, but=excluded)
    return (*found, *(Shortfall(None, people, roles, because) for people, roles, because in lacks))


def _manifest_tier(manifest: Manifest, new: Iterable[Entry], before: Before | None) -> str:
    """Return the tier of the riskiest thing the manifest does."""
    tiers = [entry.tier for entry in new]
    if before:
        held = {entry.key for entry in manifest.entries}
        tiers += [entry.tier for key, entry in before.entries.items() if key not in held]
        tiers += [TIERS[-1]] if manifest.settings != before.settings else []
    return max(tiers, default=TIERS[-1])


def _manifest_signers(
    manifest: Manifest, digest: str, statements: Sequence[Statement]
) -> tuple[Signers, frozenset[str]]:
    named = [s for s in statements if s.manifest == digest and _is_for(s, manifest)]
    stated = _stated(digest, named)
    signers = [(s.person, s.role) for s in named if s.act == "approve" and stated <= set(s.entries)]
    authors = {s.person for s in named if s.act == "author"} | {entry.author for entry in stated}
    return signers, frozenset(authors)


def _short(tier: str, *, tables: Sequence[Table], least: Table, by: Signers, but: frozenset[str]) -> list[_Short]:
    """Return what the floor, and the one of `tables` that comes nearest, still ask for."""
    found = [missing_for(least.get(tier), by, excluded=but)]
    found += [min(missing_for(table.get(tier), by, excluded=but) for table in tables)] if tables else []
    because = f"tier {tier} asks for more approvals"
    return [(people, roles, because) for people, roles in found if people]


def covers(entry: Entry, manifest: Manifest, *, statements: Sequence[Statement], rules: ApprovalRules) -> bool:
    """Return whether `entry` has its author's signature and the approvals that `rules` ask for its tier."""
    authors, approvals = _by_entry(manifest, statements)
    excluded = frozenset(authors[entry] | {entry.author})
    people, _ = missing_for(rules.tiers.get(entry.tier), approvals[entry], excluded=excluded)
    return people == 0 and entry.author in authors[entry]


def _by_entry(
    manifest: Manifest, statements: Iterable[Statement]
) -> tuple[defaultdict[Entry, set[str]], defaultdict[Entry, Signers]]:
    authors: defaultdict[Entry, set[str]] = defaultdict(set)
    approvals: defaultdict[Entry, Signers] = defaultdict(list)
    for statement in statements:
        if not _is_for(statement, manifest):
            continue
        for entry in statement.entries:
            if statement.act == "author":
                authors[entry].add(statement.person)
            elif statement.act == "approve":
                approvals[entry].append((statement.person, statement.role))
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
    before: Before | None,
    keyring: Mapping[str, Person],
    own_keys: bool,
) -> None:
    """Verify V6: every entry and the manifest are covered, under the floor and one of `rules`.

    Raises:
        NotTrusted: V6, with the first thing that is missing.
    """
    for statement in statements:
        if own_keys and statement.act == "approve" and keyring[statement.person].custody != "own":
            raise NotTrusted(
                "expected approver keys held by the people themselves, got one held by the server", check="V6"
            )
    missing = shortfalls(manifest, digest, statements=statements, rules=rules, floor=floor, before=before)
    if missing:
        first = missing[0].entry
        what = f"{first.kind} {first.name!r}" if first else "the release as a whole"
        raise NotTrusted(f"expected people to have approved {what}, which lacks {lacking(missing, first)}", check="V6")


def lacking(missing: Sequence[Shortfall], entry: Entry | None) -> str:
    """Return what an entry, or the manifest itself, lacks by these shortfalls, in a few words."""
    own = [short for short in missing if short.entry == entry]
    people = max((short.people for short in own if short.roles != ("author",)), default=0)
    words = [f"{people} approval{'s' if people > 1 else ''} by others than its author"] if people else []
    words += ["its author's signature"] if any(short.roles == ("author",) for short in own) else []
    return " and ".join(words)
