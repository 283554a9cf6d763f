"""Terms: what an entry of the log is found by, each as 16 bytes that name it and do not say it.

A term is a letter for its kind and 15 bytes of a hash of its value. What an entry's own bytes say is hashed plainly.
The words of people's reasons are hashed under a key of the installation's, so that whoever has the database without
the keys cannot look words up in it, and no word stands in any file of the index.
Words: runs of letters and digits, without accents, case folded; what is written without spaces is one word.
Does not: find part of a word, or word forms.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from audit.record import LeafRecord
from control_plane.plane import ControlPlane
from edge_runtime.core.manifest import Entry

__all__ = ["WORD", "of_record", "term", "tokens", "word_key", "word_terms"]

WORD = b"w"
_KINDS = {"actor": b"a", "channel": b"c", "digest": b"d", "name": b"n", "act": b"t", "version": b"v"}
_HASH_BYTES = 15
_MAX_WORD_LENGTH = 64
_RUN = re.compile(r"[^\W_]+")


@lru_cache(maxsize=65_536)
def term(kind: str, value: str) -> bytes:
    """Return the term of a value: an `actor`, `channel`, `digest`, `name`, `act` or `version` ("name@epoch")."""
    return _KINDS[kind] + hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()[:_HASH_BYTES]


def of_record(record: LeafRecord, concerned: Iterable[Entry] = ()) -> frozenset[bytes]:
    """Return the terms of an entry: what its bytes say, and which versions of what it concerns."""
    target, signature = record.object, record.signature
    found = [("act", str(record.act)), ("channel", record.channel), ("name", target.name)]
    found += [("actor", record.actor.id), ("actor", record.actor.behalf)]
    digests = (target.digest, record.before, record.after, record.manifest, record.policy, record.checks)
    found += [("digest", digest) for digest in (*digests, record.models, signature.statement)]
    if target.name and target.version:
        found.append(("version", f"{target.name}@{target.version}"))
    for entry in concerned:
        found += [("name", entry.name), ("digest", entry.digest), ("version", f"{entry.name}@{entry.epoch}")]
    return frozenset(term(kind, value) for kind, value in found if value)


def word_key(plane: ControlPlane) -> bytes:
    """Return the key under which words are hashed: made from the one that wraps the keys of texts."""
    return hmac.digest(plane.keys.texts, b"mentorplane search index: words", "sha256")


def word_terms(text: str, key: bytes) -> frozenset[bytes]:
    """Return the terms of the words in a text."""
    return frozenset(_word_term(word, key) for word in tokens(text))


@lru_cache(maxsize=4096)
def _word_term(word: str, key: bytes) -> bytes:
    return WORD + hmac.digest(key, word.encode(), "sha256")[:_HASH_BYTES]


def tokens(text: str) -> frozenset[str]:
    """Return the words of a text as they are compared.

    >>> sorted(tokens("Élan & STRASSE, straße_2 naïve"))
    ['2', 'elan', 'naive', 'strasse']
    """
    parts = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in parts if not unicodedata.combining(character)).casefold()
    return frozenset(word[:_MAX_WORD_LENGTH] for word in _RUN.findall(plain))
