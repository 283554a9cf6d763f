"""An include's closure: a passage that several scripts share, with its own includes in place.

Promises: strict parse. The digest that a script names is of the passage alone (`passage_digest`), so that filing an
include elsewhere changes no script. Does not: put passages into scripts (the server does, when it freezes them).
Format: docs/formats.md, `mentorplane-include/1`.
"""

from __future__ import annotations

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.fields import Fields
from edge_runtime.core.filing import Filing, Translation, read_filing, read_locale, read_translation
from edge_runtime.core.manifest import TIERS

__all__ = ["FORMAT", "Include", "parse_include", "passage_digest", "read_includes"]

FORMAT = "mentorplane-include/1"
MAX_BYTES = 500_000
MAX_TEXT = 100_000


@frozen
class Include:
    """One passage; `includes` names what was resolved into it, with the digest of each passage."""

    name: str
    title: str
    tier: str
    locale: str
    filing: Filing
    translation_of: Translation | None
    includes: tuple[tuple[str, str], ...]
    text: str


def parse_include(data: bytes) -> Include:
    """Return the include that the canonical bytes of a closure hold.

    Raises:
        InvalidDocument: malformed; the message names the member and what was expected.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    name, locale = fields.name("name"), read_locale(fields)
    include = Include(
        name=name,
        title=fields.text("title", at_most=120),
        tier=fields.choice("tier", TIERS),
        locale=locale,
        filing=read_filing(fields),
        translation_of=read_translation(fields, name=name, locale=locale),
        includes=read_includes(fields),
        text=fields.text("text", at_most=MAX_TEXT),
    )
    fields.close()
    return include


def passage_digest(name: str, text: str) -> str:
    """Return the digest of a passage: of its name and its text, all includes in place."""
    return canonical.digest(canonical.encode({"name": name, "text": text}))


def read_includes(fields: Fields) -> tuple[tuple[str, str], ...]:
    """Return the member `includes`: name and digest of each passage that was resolved into a document's texts."""
    return fields.items("includes", _read_one, at_most=100)


def _read_one(document: JsonObject) -> tuple[str, str]:
    fields = Fields(document, "include", tagged=False)
    include = (fields.name("name"), fields.digest("digest"))
    fields.close()
    return include
