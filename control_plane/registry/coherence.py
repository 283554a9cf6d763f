"""Coherence: a release holds everything that its parts say of one another.

Promises, for the release that a change would make:
1. what an entry names is there, and what something names cannot go
2. a new session type names no prompt that is withdrawn, and measures no more than its agreement says
3. a translation has an original of its kind, its name, and its contract; there are no translations of translations
4. an agreement asks for consents that the policy knows; its version rises if more is measured or kept, and never falls
   but with a release that goes back
5. no rule asks for a version of an agreement that there is none of

Only what the change could break is looked at: cost grows with the change, not with the library.
Does not: read the database (it is given functions that do).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from control_plane.errors import Conflict
from control_plane.registry.locales import contract_difference, contract_of
from control_plane.registry.references import agreement_versions, references_of
from control_plane.sources.closures import SCRIPTS
from control_plane.sources.parsing import Problem, Source, SourceError, problem_at
from control_plane.sources.strict_yaml import JsonPath, shown
from edge_runtime.core import canonical
from edge_runtime.core.agreement import parse_agreement
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.manifest import Entry
from edge_runtime.core.measures import exceeds
from edge_runtime.core.policy import parse_policy
from edge_runtime.core.session_type import parse_session_type

__all__ = ["Candidate", "verify_coherence"]

Key = tuple[str, str]
_MAX_BYTES = 8_000_000
_PROMISED = ("measures", "stored", "consents")
"""What people must accept anew when it changes."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that a change would make.

    `entries` it would have, `before` are live; `changed` are the sources of what is new or differs.
    `closure` returns bytes by digest, `users` the live entries that name one, `withdrawn` the digests out of use.
    `goes_back` says that it brings what was in force before.
    """

    entries: Mapping[Key, Entry]
    before: Mapping[Key, Entry]
    changed: Mapping[Key, Source]
    closure: Callable[[str], bytes]
    users: Callable[[Key], Iterable[Key]]
    withdrawn: frozenset[str] = frozenset()
    goes_back: bool = False

    def data(self, key: Key) -> bytes:
        """Return the closure of an entry as it would be."""
        return self.closure(self.entries[key].digest)

    def document(self, key: Key) -> JsonObject:
        """Return the closure of an entry as it would be, as JSON."""
        return canonical.parse(self.data(key), max_bytes=_MAX_BYTES)

    def touched(self, *kinds: str) -> list[Key]:
        """Return the entries of these kinds that are new or differ."""
        return [key for key in sorted(self.changed) if key[0] in kinds]

    def touches(self, *kinds: str) -> bool:
        """Return whether anything of these kinds is new, differs or goes."""
        gone = self.before.keys() - self.entries.keys()
        return any(key[0] in kinds for key in (*self.changed, *gone))

    def of(self, kind: str) -> list[Key]:
        """Return the entries of a kind."""
        return [key for key in self.entries if key[0] == kind]

    def problem(self, key: Key, where: JsonPath, expected: str) -> Problem:
        """Return a problem, at its place in the source of `key` if the change brings it."""
        source = self.changed.get(key)
        return problem_at(source, where, expected) if source else Problem(f"{key[0]} {key[1]}", 1, 1, expected)


def verify_coherence(candidate: Candidate) -> None:
    """Verify that the parts of a release fit together.

    Raises:
        SourceError: a source names what is not there, or does not fit what it names; all problems are told.
        Conflict: something that would go is still relied on.
    """
    _refuse_removal(candidate)
    checks = (_missing, _session_types, _translations, _agreements, _versions)
    problems = [problem for check in checks for problem in check(candidate)]
    if problems:
        raise SourceError(problems)


def _refuse_removal(candidate: Candidate) -> None:
    for key in sorted(candidate.before.keys() - candidate.entries.keys()):
        users = sorted(
            user for user in candidate.users(key) if user in candidate.entries and user not in candidate.changed
        )
        if users:
            kind, name = users[0]
            more = f" and {len(users) - 1} more" if len(users) > 1 else ""
            raise Conflict(
                f"expected {key[0]} {key[1]!r} to stay, because {kind} {name!r}{more} relies on it",
                hint="change or remove both in one proposal",
            )


def _missing(candidate: Candidate) -> Iterator[Problem]:
    for key in sorted(candidate.changed):
        told = set()
        for named, where in references_of(key[0], candidate.document(key)):
            if named not in candidate.entries and named not in told:
                told.add(named)
                yield candidate.problem(key, where, f"the name of a {named[0]} that is there, got {shown(named[1])}")


def _session_types(candidate: Candidate) -> Iterator[Problem]:
    touched = {*candidate.touched("session-type")}
    for key in touched:
        for named, where in references_of(key[0], candidate.document(key)):
            entry = candidate.entries.get(named)
            if entry and named[0] == "prompt" and entry.digest in candidate.withdrawn:
                yield candidate.problem(
                    key, where, f"a prompt that is in use, got {shown(named[1])}, which is withdrawn"
                )
    agreements = {*candidate.touched("agreement")}
    users = {user for key in agreements for user in candidate.users(key)}
    for key in sorted((touched | users) & candidate.entries.keys()):
        if key[0] == "session-type":
            yield from _measured(candidate, key)


def _measured(candidate: Candidate, key: Key) -> Iterator[Problem]:
    kind = parse_session_type(candidate.data(key))
    if ("agreement", kind.agreement) not in candidate.entries:
        return
    agreement = parse_agreement(candidate.data(("agreement", kind.agreement)))
    agreed = {measure.id: measure for measure in agreement.measures}
    for index, measure in enumerate(kind.measures):
        if more := exceeds(measure, agreed.get(measure.id)):
            expected = f"session type {kind.name!r} to measure {measure.id!r} as {agreement.name!r} says, but {more}"
            yield candidate.problem(key, ("measures", index), expected)


def _translations(candidate: Candidate) -> Iterator[Problem]:
    concerned = {*candidate.changed}
    for key in candidate.changed:
        concerned |= {user for user in candidate.users(key) if user[0] == key[0]}
    for key in sorted(concerned & candidate.entries.keys()):
        document = candidate.document(key)
        source = document.get("translation_of")
        original = (key[0], source["name"]) if source else key
        if not source or original not in candidate.entries:
            continue
        first = candidate.document(original)
        if "translation_of" in first:
            expected = f"an original, got {shown(original[1])}, which is a translation itself"
            yield candidate.problem(key, ("translation_of", "name"), expected)
        elif where := contract_difference(key[0], first, document):
            expected = (
                f"{key[0]} {key[1]!r} to have {where} as {original[1]!r} has it: a translation differs in texts only"
            )
            yield candidate.problem(key, tuple(where.split(".")), expected)


def _agreements(candidate: Candidate) -> Iterator[Problem]:
    if candidate.touches("agreement", "policy"):
        policies = [parse_policy(candidate.data(key)) for key in candidate.of("policy")]
        attributes = [policy.vocabulary.find("consents") for policy in policies]
        known = {str(value) for attribute in attributes if attribute for value in attribute.values}
        for key in sorted(candidate.of("agreement")):
            for index, consent in enumerate(parse_agreement(candidate.data(key)).consents):
                if policies and consent.id not in known:
                    expected = f"{key[1]!r} to ask for consents that the policy knows, got {shown(consent.id)}"
                    yield candidate.problem(key, ("consents", index, "id"), expected)
    for key in candidate.touched("agreement"):
        old = candidate.before.get(key)
        if old and not candidate.goes_back:
            yield from _aged(candidate, key, canonical.parse(candidate.closure(old.digest), max_bytes=_MAX_BYTES))


def _aged(candidate: Candidate, key: Key, old: JsonObject) -> Iterator[Problem]:
    new = candidate.document(key)
    before, after = (contract_of("agreement", document) for document in (old, new))
    if new["version"] < old["version"]:
        yield candidate.problem(key, ("version",), f"version {old['version']} or higher in version")
    elif new["version"] == old["version"] and any(before[name] != after[name] for name in _PROMISED):
        expected = f"version {old['version'] + 1} in version, because what is stored, measured or asked for changes"
        yield candidate.problem(key, ("version",), expected)


def _versions(candidate: Candidate) -> Iterator[Problem]:
    asking = {*candidate.touched("policy", *SCRIPTS)}
    if candidate.touches("agreement"):
        asking |= {*candidate.of("policy"), *candidate.of("prompt")}
    newest = -1
    for key in sorted(asking):
        for version, where in agreement_versions(candidate.document(key)):
            if newest < 0:
                newest = max((candidate.document(one)["version"] for one in candidate.of("agreement")), default=0)
            if version > newest:
                expected = f"a version of an agreement that there is, at most {newest}, got {version}"
                yield candidate.problem(key, where, expected)
