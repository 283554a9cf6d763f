"""What signs at a desk: a passphrase, or one's own key, with which everything is derived on this machine first.

`signing` makes a command of a function whose first parameters are a `Desk` and a `Pen`, and gives it the options of
both. With `--key` the desk is asked what there is to sign (`/v1/unsigned`), the release that it is about is verified
here, and what is signed is derived from that and shown; see `custody`.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import typer

from control_plane.cli.common import PassphraseFile, passphrase
from control_plane.cli.desk import Desk, acting, dressed, options_of
from control_plane.cli.key import (
    DEVICE,
    TRUST,
    Device,
    KeyFile,
    OwnKey,
    Source,
    Trust,
    Yes,
    shown,
    signing_here,
)

if TYPE_CHECKING:
    from edge_runtime.core.canonical import JsonObject

__all__ = ["Pen", "signing"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pen:
    """What somebody signs with at a desk."""

    desk: Desk
    own: OwnKey
    secret: Path | None

    def author(self, ask: Callable[..., Any], act: Callable[..., T], what: Mapping[str, Any]) -> T:
        """Do an act of an author's: with an own key, sign what it proposes once it is derived and shown."""
        return self._do(ask, act, what, sign=self._authored)

    def say(
        self, ask: Callable[..., Any], act: Callable[..., T], what: Mapping[str, Any], *, wish: Mapping[str, Any]
    ) -> T:
        """Say something about what is live; `wish` is what the words must come to (see `custody.saying.Wish`)."""
        return self._do(ask, act, what, sign=lambda asked: self._said(asked, wish, what["reason"]))

    def review(self, ask: Callable[..., Any], act: Callable[..., T], what: Mapping[str, Any]) -> T:
        """Review a release that went out: with an own key, sign it once it is derived from what it replaced."""
        return self._do(ask, act, what, sign=lambda asked: [self._reviewed(asked, what)])

    def agree(
        self, ask: Callable[..., Any], act: Callable[..., T], what: Mapping[str, Any], *, wanted: Mapping[str, Any]
    ) -> T:
        """Sign a grant or a delegation; `wanted` is what its terms must come to (see `custody.granting.Wanted`)."""
        return self._do(ask, act, what, sign=lambda asked: [self._agreed(asked, wanted, what["reason"])])

    def _do(
        self,
        ask: Callable[..., Any],
        act: Callable[..., T],
        what: Mapping[str, Any],
        *,
        sign: Callable[[Any], list[JsonObject]],
    ) -> T:
        return act(**what, **self.signature(lambda: sign(ask(**what))))

    def signature(self, sign: Callable[[], list[JsonObject]]) -> dict[str, Any]:
        """Return what signs an act: the passphrase, or with an own key what `sign` makes of it here."""
        if self.own.file is None:
            return {"passphrase": passphrase(self.secret)}
        from control_plane.client.records import Stated

        return {"signed": [Stated(one["envelope"], one["salt"]) for one in sign()]}

    def _authored(self, asked: Any) -> list[JsonObject]:
        from control_plane.custody.deciding import material_of

        return [signing_here(self.own, self.secret)(material_of(asked), {})]

    def _said(self, asked: Any, wish: Mapping[str, Any], reason: str) -> list[JsonObject]:
        from control_plane.custody.keyfile import open_key
        from control_plane.custody.saying import Wish, derive_words, describe, sign_words
        from control_plane.signing import Words

        file, live = self.own.load(), cache(self.own.live)
        words = Words(tuple(asked.statements), tuple(asked.before))
        wanted = Wish(person=file.person, **wish)
        said = derive_words(words, wanted, live)
        typer.echo(describe(said, wanted, live), err=True)
        self.own.confirm("Sign this?")
        key, salts = open_key(file, passphrase(self.secret)), [os.urandom(16) for _ in said]
        return sign_words(said, key, reason=reason, salts=salts, at=datetime.now(UTC))

    def _agreed(self, asked: Any, wanted: Mapping[str, Any], reason: str) -> JsonObject:
        from control_plane.custody.granting import Wanted, derive_terms, describe_terms, sign_terms
        from control_plane.custody.keyfile import open_key

        file = self.own.load()
        known = self.own.live("production").manifest if self.own.source else None
        wish = Wanted(file.person, organisation=known.organisation if known else "", **wanted)
        terms = derive_terms(dict(asked.document), wish, now=datetime.now(UTC))
        typer.echo("\n".join(describe_terms(terms)), err=True)
        self.own.confirm("Sign this?")
        return sign_terms(terms, open_key(file, passphrase(self.secret)), reason=reason, salt=os.urandom(16))

    def _reviewed(self, asked: Any, what: Mapping[str, Any]) -> JsonObject:
        from control_plane.custody.deciding import Decision, material_of, sign_decision
        from control_plane.custody.keyfile import open_key
        from control_plane.custody.saying import derive_review

        file = self.own.load()
        derived = derive_review(material_of(asked), what["manifest"], self.own.live)
        typer.echo(shown(derived), err=True)
        self.own.confirm("Sign that you reviewed this?")
        decision = Decision("approve", file.person, what["role"], what["reason"])
        key = open_key(file, passphrase(self.secret))
        return sign_decision(derived, decision, key, salt=os.urandom(16), at=datetime.now(UTC))


def signing(function: Callable[Concatenate[Desk, Pen, P], None]) -> Callable[..., None]:
    """Return the command that opens the desk, takes the pen, and hands both to the function."""
    desk, _, *own = inspect.signature(function, eval_str=True).parameters.values()

    def command(desk: Desk, **given: Any) -> None:
        options = {name: given.pop(name) for name in _OPTIONS}
        function(desk, _pen(desk, **options), **given)  # type: ignore[call-arg]

    return acting(dressed(command, function, [desk, *own, *_OPTIONS.values()]))


def _pen(
    desk: Desk,
    *,
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
    source: Source = "",
    trust: Trust = TRUST,
    device: Device = DEVICE,
    yes: Yes = False,
) -> Pen:
    return Pen(desk, OwnKey(key, source, trust, device, yes=yes), passphrase_file)


_OPTIONS = options_of(_pen)
