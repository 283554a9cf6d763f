"""Approvals: who may approve, and which quorums the approval rules ask for a change. The rules are governed data.

Each rule says *when* it applies (tiers, kinds of change, kinds of entries, paths, how much changes) and which quorum it
then needs. Every rule that applies must be met, so that adding a rule only tightens; a change that no rule applies to
is refused. The server asks before it releases, the device asks before it runs: the same functions, the same answer.

Promises: an empty rule set, an empty set of approvals, an unknown tier, kind or role never satisfies anything.
Does not: say what kinds of change a change is of (see `change`), count for a manifest (see `coverage`), verify that the
log holds the statements (see `trust`). Format: docs/formats.md, `mentorplane-approval-rules/2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product

from audit.frozen import frozen, replace
from edge_runtime.core import canonical, dsse
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument, NotTrusted
from edge_runtime.core.fields import Fields
from edge_runtime.core.manifest import KINDS, TIERS
from edge_runtime.core.prompt import COMPATIBILITY, DEFAULT_COMPATIBILITY, keeps_compatible
from edge_runtime.core.quorum import Tree, find_missing, implies, parse_tree, roles_of, tree_json
from edge_runtime.core.statements import Statement, open_statement

__all__ = [
    "APPROVING",
    "CHANGES",
    "EVERY_CHANGE",
    "MEASURED",
    "NOT_APPROVING",
    "REPRESENTATIVE",
    "SETTINGS",
    "ApprovalRule",
    "ApprovalRules",
    "Case",
    "Changed",
    "Person",
    "When",
    "asks_representative",
    "keeps_measured",
    "parse_rules",
    "read_signed",
    "refuses_empty",
    "tightens",
]

FORMAT = "mentorplane-approval-rules/2"
MAX_BYTES = 100_000
MAX_RULES = 100
MAX_WILDCARDS = 4
APPROVING = (
    "community-host",
    "compliance",
    "employee-representative",
    "facilitator",
    "learning-designer",
    "safety-owner",
)
"""Roles in which people approve; on a server they are held by grant, for a time."""
NOT_APPROVING = ("administrator", "auditor", "author", "release-manager", "reviewer")
"""Roles in which nobody approves or rejects, whatever the rules say."""
CHANGES = ("addition", "contract", "filing", "loosening", "measured", "removal", "tightening", "wording")
"""The kinds of change; a change is of one or more of them, decided by the software."""
EVERY_CHANGE = frozenset(CHANGES)
MEASURED = "measured"
REPRESENTATIVE = "employee-representative"
"""What is measured about people changes with the agreement of whoever represents them, and never without."""
SETTINGS = "release"
"""What a rule calls the release's own settings, beside the kinds of entries."""
_GLOB = re.compile(r"[a-z0-9.*/-]{1,200}")


@frozen
class OtherKey:
    """A further key of somebody's, for certain roles: one that is retired, or that of a machine they answer for."""

    key: bytes
    custody: str
    roles: tuple[str, ...]


@frozen
class Person:
    """A member of the keyring: pseudonymous id, present key, who holds it, eligible roles, further keys."""

    person: str
    key: bytes
    custody: str
    roles: tuple[str, ...]
    others: tuple[OtherKey, ...] = ()

    def signs_as(self, envelope: dsse.Envelope) -> tuple[str, ...] | None:
        """Return the roles that the key behind an envelope is for; None if none of this person's signed it."""
        if dsse.verified_by(envelope, self.key):
            return self.roles
        return next((one.roles for one in self.others if dsse.verified_by(envelope, one.key)), None)


@frozen
class Changed:
    """One entry that a release changes, adds or removes: the kinds of that change, its paths before and after."""

    kind: str
    name: str
    changes: tuple[str, ...]
    paths: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Return what identifies the entry within a manifest: kind and name."""
        return self.kind, self.name


@frozen
class Case:
    """One change as the rules look at it.

    `paths` are `kind/folder/name` before and after; `changed` is how many entries the whole release changes. `changes`
    and `paths` are None where a device cannot know them, because it missed releases.
    """

    kind: str
    tier: str
    changes: frozenset[str] | None
    paths: frozenset[str] | None
    changed: int


@frozen
class When:
    """Which changes a rule applies to: those that fit everything it states; a list is met by one of its members."""

    tiers: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    at_least_changed: int = 0

    def fits(self, case: Case, change: str | None = None) -> bool:
        """Return whether the case is one of these, paths aside; `change` stands for its kinds where given."""
        return (
            (not self.tiers or case.tier in self.tiers)
            and (not self.kinds or case.kind in self.kinds)
            and case.changed >= self.at_least_changed
            and (
                not self.changes
                or any(one in self.changes for one in ((change,) if change else case.changes or CHANGES))
            )
        )

    def fits_path(self, case: Case) -> bool:
        """Return whether one of the case's paths is one of these."""
        return not self.paths or any(_glob(glob).fullmatch(path) for glob in self.paths for path in case.paths or ())


@frozen
class ApprovalRule:
    """One rule: an id, why it is there in a sentence, when it applies, and the quorum that it then needs."""

    id: str
    because: str
    when: When
    need: Tree


@frozen
class ApprovalRules:
    """All rules, the quorum of an emergency, how long things hold, and the mode of compatibility scripts inherit."""

    rules: tuple[ApprovalRule, ...]
    emergency: Tree
    proposal_expires_days: int = 60
    checks_fresh_days: int = 14
    grant_days: int = 56
    review_due_days: int = 7
    compatibility: str = DEFAULT_COMPATIBILITY

    def as_json(self) -> JsonObject:
        """Return the rules as the document that a release carries."""
        return {
            "format": FORMAT,
            "name": "approval-rules",
            "rules": [_rule_json(rule) for rule in self.rules],
            "emergency": tree_json(self.emergency),
            **{name: getattr(self, name) for name in _DAYS},
            **({"compatibility": self.compatibility} if self.compatibility != DEFAULT_COMPATIBILITY else {}),
        }

    def alternatives(self, case: Case) -> tuple[tuple[ApprovalRule, ...], ...]:
        """Return sets of rules, of which one must be met in full; none where no rule applies.

        A change that is known has one. Where the kinds of change or the path are not known, each that is possible has
        one: who takes the least of them asks for no more than the server did.
        """
        known = [None] if case.changes is not None else list(CHANGES)
        found: dict[tuple[ApprovalRule, ...], None] = {}
        for change in known:
            fitting = [rule for rule in self.rules if rule.when.fits(case, change)]
            if case.paths is not None:
                found[tuple(rule for rule in fitting if rule.when.fits_path(case))] = None
                continue
            anywhere = tuple(rule for rule in fitting if not rule.when.paths)
            found |= dict.fromkeys([anywhere] if anywhere else [(rule,) for rule in fitting])
        return tuple(rules for rules in found if rules)


_DAYS = {
    "proposal_expires_days": (1, 3650),
    "checks_fresh_days": (1, 365),
    "grant_days": (1, 366),
    "review_due_days": (1, 90),
}
"""The members that count days, each with its least and its most; fewer is tighter."""
_LISTS = ("tiers", "changes", "kinds", "paths")


def _rule_json(rule: ApprovalRule) -> JsonObject:
    when = rule.when
    listed: JsonObject = {name: list(getattr(when, name)) for name in _LISTS if getattr(when, name)}
    listed |= {"at_least_changed": when.at_least_changed} if when.at_least_changed else {}
    return {"id": rule.id, "because": rule.because, "when": listed, "need": tree_json(rule.need)}


@lru_cache(maxsize=8)
def parse_rules(data: bytes) -> ApprovalRules:
    """Return the approval rules that canonical bytes hold.

    Raises:
        InvalidDocument: not canonical, no rule, an id twice, a quorum that nobody could meet, a role in which nobody
            approves.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    fields.choice("name", ("approval-rules",))
    rules = fields.items("rules", _parse_rule, at_most=MAX_RULES)
    emergency = _parse_need(fields.value("emergency"))
    days = {name: fields.integer(name, at_least=least, at_most=most) for name, (least, most) in _DAYS.items()}
    mode = fields.choice("compatibility", COMPATIBILITY) if fields.holds("compatibility") else DEFAULT_COMPATIBILITY
    fields.close()
    if not rules or len({rule.id for rule in rules}) != len(rules):
        raise InvalidDocument(f"{FORMAT}: expected one or more rules, each id once")
    return ApprovalRules(rules, emergency, **days, compatibility=mode)


def _parse_rule(document: object) -> ApprovalRule:
    fields = Fields(document, "approval rule", tagged=False)
    rule_id = fields.name("id")
    because = fields.text("because", at_most=300)
    if not because.isprintable() or not because.strip():
        raise fields.refuse("because", "one line of text")
    rule = ApprovalRule(rule_id, because, _parse_when(fields.json_object("when")), _parse_need(fields.value("need")))
    fields.close()
    return rule


def _parse_when(document: JsonObject) -> When:
    fields = Fields(document, "approval rule 'when'", tagged=False)
    choices = {"tiers": TIERS, "changes": CHANGES, "kinds": (*KINDS, SETTINGS)}
    listed: dict[str, tuple[str, ...]] = {}
    for name in _LISTS:
        if not fields.holds(name):
            continue
        values = fields.texts(name, at_most=50)
        if not values or len(set(values)) != len(values) or not set(values) <= set(choices.get(name, values)):
            raise fields.refuse(name, f"one or more of {', '.join(choices.get(name, ('globs',)))}, each once,")
        listed[name] = values
    least = fields.integer("at_least_changed", at_least=1, at_most=100_000) if fields.holds("at_least_changed") else 0
    fields.close()
    for glob in listed.get("paths", ()):
        _glob(glob)
    return When(**listed, at_least_changed=least)


def _parse_need(document: object) -> Tree:
    tree = parse_tree(document)
    if barred := sorted(roles_of(tree).intersection(NOT_APPROVING)):
        raise InvalidDocument(f"quorum: expected roles in which people approve, got {barred[0]!r}")
    return tree


@lru_cache(maxsize=256)
def _glob(glob: str) -> re.Pattern[str]:
    """Return the expression of a glob over `kind/folder/name`: `*` is any text within a part, `**` any parts.

    Raises:
        InvalidDocument: it is none, or has too many wildcards to be matched quickly.
    """
    parts = glob.split("/")
    if not _GLOB.fullmatch(glob) or "" in parts or any("**" in part and part != "**" for part in parts):
        raise InvalidDocument("approval rule: expected paths such as prompt/safety/** or session-type/*")
    if glob.count("*") - glob.count("**") > MAX_WILDCARDS:
        raise InvalidDocument(f"approval rule: expected at most {MAX_WILDCARDS} wildcards in a path")
    written = "/".join(".+" if part == "**" else re.escape(part).replace(r"\*", "[^/]*") for part in parts)
    return re.compile(written)


def tightens(after: ApprovalRules, before: ApprovalRules) -> bool:
    """Return whether `after` is sure to ask, for every change, for all that `before` asks for.

    That is proved rule by rule: for each rule of before there is one in after that applies at least as widely, and
    whose need implies its need; so does the emergency; nothing holds for longer. Rules that were added only ask for
    more, but where a change was refused because no rule applied to it, a rule that does opens a way: that is no proof.
    """
    return (
        _keeps(after.rules, before.rules)
        and implies(after.emergency, before.emergency)
        and all(getattr(after, name) <= getattr(before, name) for name in _DAYS)
        and keeps_compatible(after.compatibility, before.compatibility)
    )


def keeps_measured(after: ApprovalRules, before: ApprovalRules) -> bool:
    """Return whether `after` is sure to ask, for what is measured about people, for all that `before` asks for.

    An emergency need not be looked at: it asks for these rules besides.
    """
    return _keeps(*(tuple(_about_measured(rules)) for rules in (after, before)))


def _about_measured(rules: ApprovalRules) -> Iterable[ApprovalRule]:
    """Yield the rules that apply to what is measured, as if they applied to nothing else."""
    for rule in rules.rules:
        if not rule.when.changes or MEASURED in rule.when.changes:
            yield replace(rule, when=replace(rule.when, changes=(MEASURED,)))


def asks_representative(rules: ApprovalRules) -> bool:
    """Return whether every change of what is measured needs whoever represents the people who are measured.

    That is: for each tier and kind of entry, wherever it stands and however little changes with it, a rule applies that
    nobody meets without them.
    """
    least = (Case(kind, tier, frozenset({MEASURED}), frozenset(), 1) for kind, tier in product(KINDS, TIERS))
    asking = [rule.when for rule in rules.rules if not rule.when.paths and implies(rule.need, REPRESENTATIVE)]
    return all(any(when.fits(case) for when in asking) for case in least)


def _keeps(after: Sequence[ApprovalRule], before: Sequence[ApprovalRule]) -> bool:
    return all(
        any(_is_within(rule.when, other.when) and implies(other.need, rule.need) for other in after) for rule in before
    ) and all(_was_ruled(rule.when, before) for rule in after)


def _is_within(when: When, other: When) -> bool:
    """Return whether `other` is sure to apply wherever `when` does."""
    lists = ((getattr(when, name), getattr(other, name)) for name in _LISTS)
    return when.at_least_changed >= other.at_least_changed and all(
        not theirs or (own and set(own) <= set(theirs)) for own, theirs in lists
    )


def _was_ruled(when: When, rules: Sequence[ApprovalRule]) -> bool:
    """Return whether some rule applies to each change that `when` applies to, so that none was refused without one."""
    cells = product(when.tiers or TIERS, when.changes or CHANGES, when.kinds or (*KINDS, SETTINGS))
    return all(
        any(_is_within(When((tier,), (change,), (kind,), when.paths, when.at_least_changed), r.when) for r in rules)
        for tier, change, kind in cells
    )


def refuses_empty(rules: ApprovalRules) -> bool:
    """Return whether an empty set of approvals meets none of the quorums: the probe of V9."""
    needs = [rule.need for rule in rules.rules]
    return bool(needs) and all(find_missing(need, ()).people > 0 for need in (*needs, rules.emergency))


def read_signed(envelopes: Iterable[dsse.Envelope], keyring: Mapping[str, Person]) -> tuple[Statement, ...]:
    """Return the statements in `envelopes`, each verified against the key of the person it names.

    Raises:
        NotTrusted: V6, somebody outside the keyring, a role they are not eligible for, or a bad signature.
        InvalidDocument: an envelope holds no statement of this version.
    """
    statements = []
    for envelope in envelopes:
        statement = open_statement(envelope)
        person = keyring.get(statement.person)
        if person is None:
            raise NotTrusted("expected statements by people of the keyring, got one by somebody else", check="V6")
        if statement.act in {"approve", "reject"} and statement.role in NOT_APPROVING:
            raise NotTrusted(f"expected an approver's role, got one who signed as {statement.role}", check="V6")
        if statement.role not in person.roles:
            raise NotTrusted(f"expected a signer eligible as {statement.role}, got one who is not", check="V6")
        roles = person.signs_as(envelope)
        if roles is None:
            raise NotTrusted("expected a statement signed with its person's key, got another signature", check="V6")
        if statement.role not in roles:
            raise NotTrusted(f"expected a key for the role {statement.role}, got one that is not", check="V6")
        statements.append(statement)
    return tuple(statements)
