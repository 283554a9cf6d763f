"""A vocabulary's closure: the words that policies may use, each attribute with what it means, in one sentence.

A policy's source names it; when the policy is frozen the words are put into its closure and their digest is named
there, so that a device needs nothing but the policy.

Promises: strict parse; every attribute has its meaning. Does not: know rules (see `policy`).
Format: docs/formats.md, `mentorplane-vocabulary/1`.
"""

from __future__ import annotations

from collections.abc import Mapping

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.filing import Filing, read_filing
from edge_runtime.core.policy.vocabulary import Vocabulary, read_vocabulary

__all__ = ["FORMAT", "GovernedVocabulary", "parse_vocabulary"]

FORMAT = "mentorplane-vocabulary/1"
MAX_BYTES = 200_000


@frozen
class GovernedVocabulary:
    """One vocabulary and what its attributes mean."""

    name: str
    title: str
    purpose: str
    filing: Filing
    vocabulary: Vocabulary
    meanings: Mapping[str, str]


def parse_vocabulary(data: bytes) -> GovernedVocabulary:
    """Return the vocabulary that the canonical bytes of a closure hold.

    Raises:
        InvalidDocument: malformed, or an attribute without a meaning.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    words = {kind: fields.json_object(kind) for kind in ("permissions", "sensitivities")}
    meanings = fields.json_object("meanings")
    governed = GovernedVocabulary(
        name=fields.name("name"),
        title=fields.text("title", at_most=120),
        purpose=fields.text("purpose", at_most=500),
        filing=read_filing(fields),
        vocabulary=read_vocabulary(words),
        meanings=meanings,
    )
    fields.close()
    if set(meanings) != {attribute.name for attribute in governed.vocabulary.attributes}:
        raise InvalidDocument(f"{FORMAT}: expected a meaning for each attribute, and for nothing else")
    if not all(isinstance(text, str) and 1 <= len(text) <= 300 for text in meanings.values()):
        raise InvalidDocument(f"{FORMAT}: expected meanings of 1 to 300 characters")
    return governed
