"""Scopes: what a token may be used for, and the door that a request came through.

Promises: the set is closed; a token may do no more than its scopes say, whatever roles its person has; an act that no
scope names takes every scope; a machine's token can hold only what proposes, checks and comments.
Does not: know roles (see `rights`), or store tokens (see `tokens`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from edge_runtime.core.errors import InvalidDocument

__all__ = ["ALL", "LEAST", "OF_MACHINES", "Acting", "Scope", "parse_scopes", "scope_of"]


class Scope(StrEnum):
    """What a token may be used for."""

    READ = "read"  # what everybody who is signed in may read
    PROPOSE = "propose"
    CHECK = "check"
    COMMENT = "comment"
    APPROVE = "approve"  # approve, reject, object
    RELEASE = "release"  # release, open a stage, schedule, promote, roll back
    WITHDRAW = "withdraw"  # withdraw, halt a rollout
    AUDIT = "audit"  # search the log, packs, reports, exports
    RECORDS = "records"  # erase, hold, retention, evidence
    ADMIN = "admin"  # people, keys, grants, delegations, tokens, webhooks, settings


ALL = frozenset(Scope)
LEAST = frozenset({Scope.READ})
"""What a token may do if nobody says more; every token may."""
OF_MACHINES = frozenset({Scope.READ, Scope.PROPOSE, Scope.CHECK, Scope.COMMENT})
"""The most that a machine's token may hold."""

_CODES: dict[Scope, tuple[str, ...]] = {
    Scope.PROPOSE: ("abandon", "close", "draft", "edit", "import", "propose", "rebase", "request-review"),
    Scope.CHECK: ("check",),
    Scope.COMMENT: ("comment", "resolve"),
    Scope.APPROVE: ("approve", "object", "reject", "review", "take-back"),
    Scope.RELEASE: ("open-stage", "promotion", "release", "return", "rollback", "schedule", "unschedule"),
    Scope.WITHDRAW: ("halt", "withdraw"),
    Scope.AUDIT: ("export", "make-pack", "read-census", "read-log", "search", "search-words"),
    Scope.RECORDS: ("change-setting", "erase", "erase-under-hold", "file-evidence", "hold", "lift-hold"),
}
_SCOPE_OF = {code: scope for scope, codes in _CODES.items() for code in codes}


@dataclass(frozen=True, slots=True)
class Acting:
    """Who is behind a request: the person who answers for it, for what, and the machine that sent it, if one did.

    `secret` is a machine's token, under which its key is sealed: it lives as long as the request.
    """

    person: str
    scopes: frozenset[Scope] = ALL
    machine: str = ""
    key: str = ""
    secret: str = field(default="", repr=False, compare=False)

    def allows(self, scope: Scope | None) -> bool:
        """Return whether this scope is held; None stands for an act that takes every one."""
        return self.scopes >= ALL if scope is None else scope in self.scopes


def scope_of(code: str) -> Scope | None:
    """Return the scope that an act takes, by the word that attempts are logged by; None if it takes every one."""
    return _SCOPE_OF.get(code)


def parse_scopes(names: Iterable[str], *, machine: bool = False) -> frozenset[Scope]:
    """Return the scopes of these names, and what every token may.

    Raises:
        InvalidDocument: a name that is no scope, or one that no machine may have.
    """
    try:
        scopes = LEAST | {Scope(name) for name in names}
    except ValueError:
        raise InvalidDocument(f"expected scopes out of {', '.join(Scope)}, got another") from None
    if machine and not scopes <= OF_MACHINES:
        raise InvalidDocument(f"expected scopes of a machine out of {', '.join(sorted(OF_MACHINES))}, got more")
    return scopes
