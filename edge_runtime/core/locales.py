"""Which text a person gets for their language: look-up as in RFC 4647, section 3.4.

    >>> fallback_chain("de-AT-1996")
    ('de-at-1996', 'de-at', 'de')
    >>> localised("micro-session", "de-AT", {"micro-session", "micro-session.de"}.__contains__)
    'micro-session.de'

A translation of `x` into `de` is an entry of its own, called `x.de`. Nothing fits: the original, in its own language.

Promises: total; a language that is malformed has no chain, so it gets the original. Source: RFC 4647, BCP 47.
"""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["MAX_LOCALE_LENGTH", "fallback_chain", "language_of", "localised"]

MAX_LOCALE_LENGTH = 35
_RANGE = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8})*")


def fallback_chain(locale: str) -> tuple[str, ...]:
    """Return the language ranges to look up for a locale, most specific first, in lower case; () if it is malformed.

    `de_AT` counts as `de-AT`. A single letter or digit that a shortened range would end in goes too, as the RFC asks.
    """
    tag = locale.strip().replace("_", "-").lower()
    if len(tag) > MAX_LOCALE_LENGTH or not _RANGE.fullmatch(tag):
        return ()
    parts = tag.split("-")
    chain = []
    while parts:
        chain.append("-".join(parts))
        parts.pop()
        while parts and len(parts[-1]) == 1:
            parts.pop()
    return tuple(chain)


def language_of(locale: str) -> str:
    """Return the language that a locale begins with, in lower case, whatever follows it.

    >>> language_of("de-AT"), language_of("EN_gb")
    ('de', 'en')
    """
    return locale.replace("_", "-").split("-", 1)[0].strip().lower()


def localised(name: str, locale: str, is_there: Callable[[str], bool]) -> str:
    """Return the name of the translation of `name` that is there for a locale, or `name` itself.

    Args:
        name: of the original.
        locale: such as `de-AT`.
        is_there: says of a name whether it is a translation of the original that may be used.
    """
    return next((found for tag in fallback_chain(locale) if is_there(found := f"{name}.{tag}")), name)
