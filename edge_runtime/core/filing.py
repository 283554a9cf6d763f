"""Where a governed thing is filed: its folder, tags, owner and review date; and of which original it is a translation.

These are members of every source and of its closure, so what people search by, and what approval rules look at, is
what was signed. A change of nothing else is a change of *filing* (see `change`).

Promises: one form for each value: folders are names joined by `/`, tags are sorted, each once; a translation of `x`
into `de` is called `x.de` and nothing else. Does not: know what the thing says. Format: docs/formats.md, Filing.
"""

from __future__ import annotations

import re

from audit.frozen import frozen
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields, is_name

__all__ = ["FILING", "MAX_TAGS", "Filing", "Translation", "read_filing", "read_locale", "read_translation"]

FILING = ("folder", "owner", "review_by", "tags")
"""The members that say where a thing is filed, and nothing of what it does."""
MAX_TAGS = 20
_FOLDER = re.compile(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*(?:/[a-z0-9]+(?:-[a-z0-9]+)*){0,3})?")
_DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


@frozen
class Filing:
    """Folder ("" is the top), tags, the role that keeps it right, and when to look at it again ("" for never)."""

    folder: str = ""
    tags: tuple[str, ...] = ()
    owner: str = ""
    review_by: str = ""

    def as_json(self) -> JsonObject:
        """Return the members as a JSON object, to be put among others."""
        return {"folder": self.folder, "owner": self.owner, "review_by": self.review_by, "tags": list(self.tags)}


@frozen
class Translation:
    """The original that a text was translated from: its name, and the digest of the closure that was translated."""

    name: str
    digest: str

    def as_json(self) -> JsonObject:
        """Return the original as a JSON object."""
        return {"name": self.name, "digest": self.digest}


def read_filing(fields: Fields, *, optional: bool = True) -> Filing:
    """Return where a thing is filed, read from its members.

    Args:
        fields: of its document.
        optional: whether nobody in particular may own it and no review may be due.

    Raises:
        InvalidDocument: a member is missing, or not of its one form.
    """
    folder = fields.text("folder", at_most=120, empty=True)
    if not _FOLDER.fullmatch(folder):
        raise fields.refuse("folder", "at most 4 names of lower-case letters, digits and hyphens, joined by /,")
    owner = fields.text("owner", at_most=80, empty=optional)
    if owner and not is_name(owner):
        raise fields.refuse("owner", "the name of a role or team, in lower-case letters, digits, hyphens and dots,")
    review_by = fields.text("review_by", at_most=10, empty=optional)
    if review_by and not _DATE.fullmatch(review_by):
        raise fields.refuse("review_by", "a date such as 2027-03-31")
    tags = fields.texts("tags", at_most=MAX_TAGS)
    if not all(map(is_name, tags)) or list(tags) != sorted(set(tags)):
        raise fields.refuse("tags", f"at most {MAX_TAGS} names, sorted, each once,")
    return Filing(folder, tags, owner, review_by)


def read_locale(fields: Fields) -> str:
    """Return the language of a document's texts, such as `en` or `de-AT`."""
    locale = fields.text("locale", at_most=35)
    if not _LOCALE.fullmatch(locale):
        raise fields.refuse("locale", "a language such as en or de-AT")
    return locale


def read_translation(fields: Fields, *, name: str, locale: str) -> Translation | None:
    """Return what the document `name` is a translation of; None for an original.

    Raises:
        InvalidDocument: it is malformed, or the document is not called like the original and its locale.
    """
    if not fields.holds("translation_of"):
        return None
    inside = Fields(fields.json_object("translation_of"), "translation_of", tagged=False)
    original = Translation(inside.name("name"), inside.digest("digest"))
    inside.close()
    if name != f"{original.name}.{locale.lower()}":
        raise InvalidDocument(
            f"expected the translation of {original.name!r} into {locale} to be called "
            f"'{original.name}.{locale.lower()}', got {name!r}"
        )
    return original
