"""V6, the approvals: every entry and the manifest itself are covered by enough distinct people.

An entry is covered by statements that name it whole (kind, name, epoch, digest, tier, author), whichever manifest they
were made for: its author's counts on every channel of the organisation, an approval on its own channel alone. The
manifest is covered by approvals that name its digest, for each thing it does: an entry it introduces, one it removes, a
change of its settings. So a release carries the approvals of all it holds, a first installation can check everything,
and parts approved for different manifests do not recombine.

Promises: what is new is worked out here, from what was in force before, never taken from an author's list or a stated
tier alone; the floor holds for everything, an emergency too; whoever wrote a part never counts for it.
Does not: say what is asked for (see `asked`), read the log (see `trust`). Source: DESIGN section 6, V6.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from audit.frozen import frozen
from edge_runtime.core.approval import ApprovalRules, Person
from edge_runtime.core.asked import Asked, Before, Changes, Doing, what_is_asked
from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.manifest import LEAST_TIERS, TIERS, Entry, Manifest
from edge_runtime.core.quorum import find_missing
from edge_runtime.core.statements import Statement

__all__ = ["Before", "Changes", "Shortfall", "covers", "lacking", "shortfalls", "verify_coverage"]

Approvals = tuple[tuple[str, str], ...]
_Short = tuple[int, tuple[str, ...], str]
AUTHOR = ("author",)
NO_RULE = "no approval rule applies to this change, so nobody can approve it"


@frozen
class Shortfall:
    """What one entry, or the manifest itself (`entry` None), still lacks: so many people, in one of these roles.

    No roles: whoever may approve at all. `because` says why, as the rule that asks does.
    """

    entry: Entry | None
    people: int
    roles: tuple[str, ...]
    because: str


@frozen
class _Signers:
    """Who signed an entry: those as its author, and approvals as pairs of person and role."""

    authors: frozenset[str]
    approvals: Approvals


NOBODY = _Signers(frozenset(), ())


@frozen
class _Signed:
    """Who signed what: the entries, and the manifest, by its digest.

    Most entries of a large library were signed in one list by the same people: these share one record.
    """

    entries: Mapping[Entry, _Signers]
    manifest_approvals: Approvals
    manifest_authors: frozenset[str]

    def of(self, entry: Entry) -> _Signers:
        """Return who signed an entry; whoever is named as its author counts as one only if they signed."""
        return self.entries.get(entry, NOBODY)


def shortfalls(
    manifest: Manifest,
    digest: str,
    *,
    statements: Sequence[Statement],
    rules: Sequence[ApprovalRules],
    floor: Mapping[str, int],
    before: Before | None,
    changes: Changes | None,
) -> tuple[Shortfall, ...]:
    """Return what is missing before `manifest` may run; empty if nothing is.

    What is new, and the manifest itself, must meet the floor and one of `rules`; an entry that was in force before met
    the rules of its day, and must meet the floor still.

    Args:
        manifest: the manifest, with `digest` over its bytes.
        digest: what the statements must name.
        statements: verified statements (see `approval.read_signed`), of any channel.
        rules: the approval rules in force, or several of which one must be met; none: nothing is ever approved.
        floor: the least number of approvals for each tier, from the trust file.
        before: what was in force; None where nothing is known, as on a first installation.
        changes: the kinds of change from there by kind and name (see `change`); None where releases were missed, or
            nothing is known. A change that should be listed and is not is refused.
    """
    if not rules:
        return (Shortfall(None, 1, (), "no approval rule is in force"),)
    stated = _stated(s for s in statements if s.manifest == digest).intersection(manifest.entries)
    doing = Doing(manifest, tuple(rules), before, changes, stated)
    signed = _read(manifest, digest, statements)
    judged: dict[object, list[_Short]] = {}
    found: list[Shortfall] = []
    of_entries, of_manifest = what_is_asked(doing)
    for entry in manifest.entries:
        tier, author = entry.tier, entry.author
        if tier < LEAST_TIERS.get(entry.kind, TIERS[0]):
            found.append(Shortfall(entry, 1, (), f"a {entry.kind} is of tier {LEAST_TIERS[entry.kind]}"))
        one, by = of_entries.get(entry), signed.entries.get(entry, NOBODY)
        case = tier, id(one), id(by), author
        short = judged.get(case)
        if short is None:
            short = [] if author in by.authors else [(1, AUTHOR, "its author has not signed it")]
            what = one or Asked(tier, ((),))
            short += _short(what, floor, by=by.approvals, excluded=by.authors | {author})
            judged[case] = short
        if short:
            found += [Shortfall(entry, *lack) for lack in short]
    return (*found, *_manifest_shortfalls(of_manifest, signed, floor))


def _manifest_shortfalls(
    asked: Iterable[tuple[Entry | None, Asked]], signed: _Signed, floor: Mapping[str, int]
) -> Iterable[Shortfall]:
    """Yield what the manifest itself lacks: of each reason, where most is missing."""
    worst: dict[str, _Short] = {}
    judged: dict[object, list[_Short]] = {}
    for entry, one in asked:
        by, author = (signed.of(entry), entry.author) if entry else (None, "")
        case = id(one), id(by), author
        if case not in judged:
            excluded = signed.manifest_authors | (by.authors | {author} if by else frozenset())
            judged[case] = _short(one, floor, by=signed.manifest_approvals, excluded=excluded)
            for short in judged[case]:
                worst[short[2]] = max(short, worst.get(short[2], short), key=lambda short: short[0])
    if not signed.manifest_authors:
        yield Shortfall(None, 1, AUTHOR, "nobody has signed as its author")
    yield from (Shortfall(None, *short) for short in worst.values())


def _short(asked: Asked, floor: Mapping[str, int], *, by: Approvals, excluded: frozenset[str]) -> list[_Short]:
    """Return what the floor, and the one of the ways that comes nearest, still ask for."""
    people = {person for person, _ in by} - excluded
    found: list[_Short] = []
    for needs in asked.ways:
        missing = [(find_missing(tree, by, excluded=excluded), because) for because, tree in needs]
        found_here = [(one.people, one.roles, because) for one, because in missing if one.people]
        if needs == asked.ways[0] or _weight(found_here) < _weight(found):
            found = found_here
    if not asked.ways:
        found = [(1, (), NO_RULE)]
    least = floor.get(asked.tier)
    if least is None or least < 1:
        return [*found, (1, (), f"tier {asked.tier} has no least number of approvals")]
    lacks = max(0, least - len(people))
    floored = [(lacks, (), f"tier {asked.tier} takes {least} {_people(least)} at the least")] if lacks else []
    return [*found, *floored]


def _weight(short: list[_Short]) -> tuple[int, int]:
    return max((people for people, _, _ in short), default=0), sum(people for people, _, _ in short)


def _people(number: int) -> str:
    return "person" if number == 1 else "people"


def covers(entry: Entry, manifest: Manifest, *, statements: Sequence[Statement], rules: ApprovalRules) -> bool:
    """Return whether `entry` has its author's signature and the least approvals that `rules` can ask for it."""
    signed = _read(manifest, "", statements)
    of_entries, _ = what_is_asked(Doing(manifest, (rules,), None, None, frozenset({entry})))
    asked = of_entries[entry]
    no_floor = {asked.tier: 1}
    by = signed.of(entry)
    short = _short(asked, no_floor, by=by.approvals, excluded=by.authors | {entry.author})
    return not short and entry.author in by.authors


def _stated(statements: Iterable[Statement]) -> frozenset[Entry]:
    """Return the entries that authors or approvers stated for a manifest, of statements that name it.

    Who promotes states none, as they wrote none: what the manifest answers for is then what its approvers named.
    """
    return frozenset[Entry]().union(*{id(s.entries): s.entries for s in statements}.values())


def _read(manifest: Manifest, digest: str, statements: Sequence[Statement]) -> _Signed:
    ours = [s for s in statements if s.organisation == manifest.organisation]
    here = [s for s in ours if s.channel == manifest.channel]
    authors: defaultdict[int, set[str]] = defaultdict(set)
    approvals: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for statement in ours:
        if statement.act == "author":  # on whatever channel: an author stays one
            authors[id(statement.entries)].add(statement.person)
    for statement in here:
        if statement.act == "approve":
            approvals[id(statement.entries)].append((statement.person, statement.role))
    signers: dict[Entry, _Signers] = {}
    joined: dict[tuple[int, int], _Signers] = {}
    for which, entries in {id(s.entries): s.entries for s in ours}.items():
        own = _Signers(frozenset(authors[which]), tuple(approvals[which]))
        more = dict.fromkeys(entries, own)
        for entry in signers.keys() & more.keys():
            one = signers[entry]
            case = id(one), which
            if case not in joined:
                joined[case] = _Signers(one.authors | own.authors, one.approvals + own.approvals)
            more[entry] = joined[case]
        signers |= more
    named = [s for s in here if s.manifest == digest]
    stated = _stated(named)
    named_lists = {id(s.entries): s.entries for s in named}
    whole = {which for which, entries in named_lists.items() if stated.issubset(entries)}
    return _Signed(
        signers,
        tuple((s.person, s.role) for s in named if s.act == "approve" and id(s.entries) in whole),
        frozenset({s.person for s in named if s.act == "author"}),
    )


def verify_coverage(
    manifest: Manifest,
    digest: str,
    *,
    statements: Sequence[Statement],
    rules: Sequence[ApprovalRules],
    floor: Mapping[str, int],
    before: Before | None,
    changes: Changes | None,
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
    missing = shortfalls(
        manifest, digest, statements=statements, rules=rules, floor=floor, before=before, changes=changes
    )
    if missing:
        first = missing[0].entry
        what = f"{first.kind} {first.name!r}" if first else "the release as a whole"
        raise NotTrusted(f"expected people to have approved {what}, which lacks {lacking(missing, first)}", check="V6")


def lacking(missing: Sequence[Shortfall], entry: Entry | None) -> str:
    """Return what an entry, or the manifest itself, lacks by these shortfalls, in words: what lacks most comes first.

    >>> lacking([Shortfall(None, 2, ("compliance", "safety-owner"), "it loosens")], None)
    '2 more approvals, in a role of compliance or safety-owner, because it loosens'
    """
    own = [short for short in missing if short.entry == entry]
    asked = sorted((short for short in own if short.roles != AUTHOR), key=lambda short: -short.people)
    words = [
        _sentence(short)
        for short in asked
        if short.roles or not any(s.roles and s.people >= short.people for s in asked)
    ]
    words += ["its author's signature"] if any(short.roles == AUTHOR for short in own) else []
    return "; and ".join(words)


def _sentence(short: Shortfall) -> str:
    number = f"{short.people} more approval{'s' if short.people > 1 else ''}"
    where = f", in a role of {' or '.join(short.roles)}" if short.roles else ""
    return f"{number}{where}, because {short.because}"
