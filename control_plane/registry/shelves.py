"""Shelves: the live entries of one release, ready to be listed and searched in memory.

A shelf follows from a manifest and the cards of its closures, which never change, so it is made once for each manifest.
Each value that can be asked for (a word, a folder, a tag, an owner, …) has a set of places as the bits of one integer:
a question is a few bitwise operations, whatever it combines.

Where a release has the entries of the one before, some with other contents, its shelf is made from that one's: what a
release of one change costs is that change.

Promises: pure but for the reading of cards and of a translation's original. Memory: about 2 KB an entry.
Does not: know what is withdrawn, which changes between releases.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from threading import Lock

from sqlmodel import Session

from control_plane.registry.cards import Card, fold, load_cards
from control_plane.registry.locales import stale_because
from control_plane.tables.registry import ClosureRow
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


@dataclass(frozen=True, slots=True)
class Change:
    """What stood at a place and what stands there now, with the words of both."""

    before: Volume
    words_before: Iterable[str]
    after: Volume
    words_after: Iterable[str]


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
            self._titles.add(place, _title_of(volume))

    def _file(self, place: int, volume: Volume) -> None:
        for value in _values_of(volume):
            _mark(self._values.setdefault(value, bytearray(self._size)), place)
        for digest in _digests_of(volume):
            self._contents[digest] |= 1 << place
        for named in volume.card.refers:
            self._users[named].append(volume.entry.key)

    def replaced(self, changes: Mapping[int, Change]) -> Shelf:
        """Return the shelf with other volumes at some places, under the same keys; this one stays as it is."""
        made = copy(self)
        made.replace(changes)
        return made

    def replace(self, changes: Mapping[int, Change]) -> None:
        """Put other volumes at some places; what this shelf shares with the one it is a copy of stays as it is."""
        self._values, self._contents = dict(self._values), self._contents.copy()
        self._words, self._titles = self._words.copy(), self._titles.copy()
        self._users = self._users.copy()
        volumes = list(self.volumes)
        for place, change in changes.items():
            self._take_out(place, change.before)
            self._words.discard(place, change.words_before)
            self._titles.discard(place, _title_of(change.before))
        for place, change in changes.items():
            volumes[place] = change.after
            self._put_in(place, change.after)
            self._words.put(place, change.words_after)
            self._titles.put(place, _title_of(change.after))
        self.volumes = tuple(volumes)

    def _take_out(self, place: int, volume: Volume) -> None:
        for value in _values_of(volume):
            self._values[value] = _marked(self._values[value], place, on=False)
            if not any(self._values[value]):
                del self._values[value]
        for digest in _digests_of(volume):
            self._contents[digest] &= ~(1 << place)
        for named in volume.card.refers:
            self._users[named] = [key for key in self._users[named] if key != volume.entry.key]

    def _put_in(self, place: int, volume: Volume) -> None:
        for value in _values_of(volume):
            self._values[value] = _marked(self._values.get(value, bytearray(self._size)), place, on=True)
        for digest in _digests_of(volume):
            self._contents[digest] |= 1 << place
        for named in volume.card.refers:
            self._users[named] = sorted([*self._users[named], volume.entry.key])

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

    def __init__(self, size: int, places: dict[str, bytearray] | None = None) -> None:
        self._size = size
        self._places = places if places is not None else {}
        self._sorted: list[str] = []

    def add(self, place: int, words: Iterable[str]) -> None:
        byte, bit, known = place >> 3, 1 << (place & 7), self._places  # a million times in a large library
        for word in words:
            places = known.get(word)
            if places is None:
                places = known[word] = bytearray(self._size)
            places[byte] |= bit

    def copy(self) -> _Words:
        return _Words(self._size, dict(self._places))

    def put(self, place: int, words: Iterable[str]) -> None:
        for word in set(words):
            self._places[word] = _marked(self._places.get(word, bytearray(self._size)), place, on=True)

    def discard(self, place: int, words: Iterable[str]) -> None:
        for word in set(words):
            self._places[word] = _marked(self._places[word], place, on=False)

    def beginning(self, start: str) -> int:
        if len(self._sorted) != len(self._places):
            self._sorted = sorted(self._places)
        found = 0
        for word in self._sorted[bisect_left(self._sorted, start) :]:
            if not word.startswith(start):
                break
            found |= int.from_bytes(self._places[word], "little")
        return found


def _values_of(volume: Volume) -> list[tuple[str, str]]:
    entry, card = volume.entry, volume.card
    plain = {"kind": entry.kind, "tier": entry.tier, "owner": card.owner, "locale": card.locale.lower()}
    values = [*plain.items(), *(("tag", tag) for tag in card.tags), ("stale", "yes" if volume.stale else "no")]
    parts = card.folder.split("/") if card.folder else []
    return values + [("folder", "/".join(parts[: depth + 1])) for depth in range(len(parts))]


def _title_of(volume: Volume) -> list[str]:
    return fold(f"{volume.entry.name} {volume.card.title}")


def _digests_of(volume: Volume) -> set[str]:
    return {volume.entry.digest, volume.card.translated} - {""}


def _marked(places: bytearray, place: int, *, on: bool) -> bytearray:
    """Return a copy of a set with a place in it, or without: the set may be another shelf's."""
    made = bytearray(places)
    bit = 1 << (place & 7)
    made[place >> 3] = made[place >> 3] | bit if on else made[place >> 3] & ~bit
    return made


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
        shelf = (manifest and _grown(session, manifest)) or _made(session, manifest.entries if manifest else ())
        with _lock:
            while len(_shelves) >= KEPT:
                del _shelves[next(iter(_shelves))]
            _shelves[digest] = shelf
    return shelf


def _grown(session: Session, manifest: Manifest) -> Shelf | None:
    """Return the shelf of a manifest made from its base's, if that is at hand and no entry came or went.

    What is made anew is what differs, and the translations of it, which may be stale now.
    """
    before = known_shelf(manifest.base)
    if before is None or before.keys != [entry.key for entry in manifest.entries]:
        return None
    pairs = list(enumerate(zip(before.volumes, manifest.entries, strict=True)))
    changed = {entry.key for _, (volume, entry) in pairs if volume.entry != entry}
    places = [
        place
        for place, (volume, entry) in pairs
        if entry.key in changed or (entry.kind, volume.card.original) in changed
    ]
    olds, news = [before.volumes[place].entry for place in places], [manifest.entries[place] for place in places]
    cards = load_cards(session, {entry.digest for entry in (*olds, *news)})
    live = {entry.key: entry.digest for entry in manifest.entries}
    changes = {}
    for place, old, new in zip(places, olds, news, strict=True):
        if old.digest not in cards or new.digest not in cards:
            return None
        card, words = cards[new.digest]
        stale = _stale(session, card, live.get((new.kind, card.original), ""))
        changes[place] = Change(before.volumes[place], cards[old.digest][1], Volume(new, card, stale), words)
    return before.replaced(changes)


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
