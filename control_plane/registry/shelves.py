"""Shelves: the live entries of one release, ready to be listed and searched in memory.

A shelf follows from a manifest and the cards of its closures, which never change, so it is made once for each manifest.
Each value that can be asked for (a word, a folder, a tag, an owner, …) has a set of places as the bits of one integer:
a question is a few bitwise operations, whatever it combines.

Promises: pure but for the reading of cards and of a translation's original. Memory: about 2 KB an entry.
Does not: know what is withdrawn, which changes between releases.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

from sqlmodel import Session

from control_plane.registry.cards import Card, fold, load_cards
from control_plane.registry.locales import stale_because
from control_plane.registry.tables import ClosureRow
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.manifest import Entry, Manifest

__all__ = ["Shelf", "Volume", "known_shelf", "shelf_of"]

Key = tuple[str, str]
KEPT = 4
_shelves: dict[str, Shelf] = {}
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Volume:
    """One live entry with its card; `stale` names what changed in the original since it was translated."""

    entry: Entry
    card: Card
    stale: tuple[str, ...] = ()


class Shelf:
    """The live entries of one manifest, sorted by kind and name."""

    def __init__(self, volumes: Sequence[Volume], words: Sequence[Iterable[str]]) -> None:
        self.volumes = tuple(volumes)
        self.keys = [volume.entry.key for volume in volumes]
        self.everything = (1 << len(self.volumes)) - 1
        self._size = len(self.volumes) // 8 + 1
        self._values: dict[tuple[str, str], bytearray] = {}
        self._words = _Words(self._size)
        self._titles = _Words(self._size)
        self._users: dict[Key, list[Key]] = defaultdict(list)
        self._contents: dict[str, int] = defaultdict(int)
        for place, volume in enumerate(self.volumes):
            self._file(place, volume)
            self._words.add(place, words[place])
            self._titles.add(place, fold(f"{volume.entry.name} {volume.card.title}"))

    def _file(self, place: int, volume: Volume) -> None:
        entry, card = volume.entry, volume.card
        plain = {"kind": entry.kind, "tier": entry.tier, "owner": card.owner, "locale": card.locale.lower()}
        values = [*plain.items(), *(("tag", tag) for tag in card.tags), ("stale", "yes" if volume.stale else "no")]
        parts = card.folder.split("/") if card.folder else []
        values += [("folder", "/".join(parts[: depth + 1])) for depth in range(len(parts))]
        for value in values:
            _mark(self._values.setdefault(value, bytearray(self._size)), place)
        for digest in {entry.digest, card.translated} - {""}:
            self._contents[digest] |= 1 << place
        for named in card.refers:
            self._users[named].append(entry.key)

    def users(self, key: Key) -> tuple[Key, ...]:
        """Return the entries that rely on one."""
        return tuple(self._users.get(key, ()))

    def find(self, key: Key) -> Volume | None:
        """Return an entry by kind and name."""
        place = bisect_left(self.keys, key)
        return self.volumes[place] if place < len(self.keys) and self.keys[place] == key else None

    def places(self, member: str, value: str) -> int:
        """Return the places of the entries that have a value; a folder includes the folders in it."""
        return int.from_bytes(self._values.get((member, value), b""), "little")

    def with_digests(self, digests: Iterable[str]) -> int:
        """Return the places of the entries whose content, or whose original's, has one of the digests."""
        found = 0
        for digest in digests:
            found |= self._contents.get(digest, 0)
        return found

    def values(self, member: str) -> Iterator[tuple[str, int]]:
        """Yield the values of a member, sorted, with the places of each."""
        for found, value in sorted(key for key in self._values if key[0] == member and key[1]):
            yield value, self.places(found, value)

    def search(self, words: Sequence[str]) -> tuple[int, int]:
        """Return the places of the entries that have all words, or words that begin so: in the title, and anywhere."""
        anywhere = titles = self.everything
        for word in words:
            in_title = self._titles.beginning(word)
            titles &= in_title
            anywhere &= in_title | self._words.beginning(word)
        return titles, anywhere


class _Words:
    """Words, with the places of each."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._places: dict[str, bytearray] = {}
        self._sorted: list[str] = []

    def add(self, place: int, words: Iterable[str]) -> None:
        byte, bit, known = place >> 3, 1 << (place & 7), self._places  # a million times in a large library
        for word in words:
            places = known.get(word)
            if places is None:
                places = known[word] = bytearray(self._size)
            places[byte] |= bit

    def beginning(self, start: str) -> int:
        if len(self._sorted) != len(self._places):
            self._sorted = sorted(self._places)
        found = 0
        for word in self._sorted[bisect_left(self._sorted, start) :]:
            if not word.startswith(start):
                break
            found |= int.from_bytes(self._places[word], "little")
        return found


def _mark(places: bytearray, place: int) -> None:
    places[place >> 3] |= 1 << (place & 7)


def known_shelf(digest: str) -> Shelf | None:
    """Return the shelf of the manifest of that digest, if it was made already."""
    with _lock:
        return _shelves.get(digest)


def shelf_of(session: Session, manifest: Manifest | None, digest: str) -> Shelf:
    """Return the shelf of the manifest of that digest; an empty one for None."""
    shelf = known_shelf(digest)
    if shelf is None:
        shelf = _made(session, manifest.entries if manifest else ())
        with _lock:
            while len(_shelves) >= KEPT:
                del _shelves[next(iter(_shelves))]
            _shelves[digest] = shelf
    return shelf


def _made(session: Session, entries: Sequence[Entry]) -> Shelf:
    cards = load_cards(session, {entry.digest for entry in entries})
    live = {entry.key: entry.digest for entry in entries}
    volumes, words = [], []
    for entry in entries:
        if entry.digest not in cards:
            raise Unavailable("expected the closures of the live release in the database, got one less")
        card, texts = cards[entry.digest]
        volumes.append(Volume(entry, card, _stale(session, card, live.get((entry.kind, card.original), ""))))
        words.append(texts)
    return Shelf(volumes, words)


def _stale(session: Session, card: Card, original: str) -> tuple[str, ...]:
    if not card.translated or not original:
        return ()

    def closure(digest: str) -> bytes | None:
        row = session.get(ClosureRow, digest)
        return row.data if row else None

    return stale_because(closure, translated=card.translated, live=original)
