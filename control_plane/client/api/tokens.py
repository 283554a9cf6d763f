"""`/v1/tokens`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Sequence

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now, segment
from control_plane.client.records.shared import Proving
from control_plane.client.records.tokens import NewToken, Token

__all__ = ["AsyncTokensApi", "TokensApi"]


def _list() -> Call[tuple[Token, ...]]:
    """Return one's own tokens, newest first; as an administrator everybody's."""
    return Call("GET", "/v1/tokens", tuple[Token, ...])


def _issue_token(
    *,
    name: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
    scopes: Sequence[str] | None = None,
    days: int | None = None,
    machine: str | None = None,
) -> Call[NewToken]:
    """Issue a token; its text is shown this once."""
    return Call(
        "POST",
        "/v1/tokens",
        NewToken,
        headers=given(**{"If-Match": if_match}),
        body=given(name=name, passphrase=passphrase, proof=proof, scopes=scopes, days=days, machine=machine),
    )


def _log_in(
    *, person: str, if_match: str | None = None, passphrase: str | None = None, proof: Proving | None = None
) -> Call[NewToken]:
    """Issue a token for a working day to somebody who shows who they are."""
    return Call(
        "POST",
        "/v1/tokens/login",
        NewToken,
        headers=given(**{"If-Match": if_match}),
        body=given(person=person, passphrase=passphrase, proof=proof),
    )


def _revoke_token(identity: str, *, if_match: str | None = None) -> Call[Token]:
    """Revoke a token of one's own, or as an administrator anybody's."""
    return Call("DELETE", f"/v1/tokens/{segment(identity)}", Token, headers=given(**{"If-Match": if_match}))


class TokensApi(Group):
    """`/v1/tokens`, one call after the other."""

    list = now(_list)
    issue_token = now(_issue_token)
    log_in = now(_log_in)
    revoke_token = now(_revoke_token)


class AsyncTokensApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
    issue_token = later(_issue_token)
    log_in = later(_log_in)
    revoke_token = later(_revoke_token)
