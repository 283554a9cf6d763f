"""The library: what is live, listed and searched by words, kind, folder, tag, owner, language, tier, and what is stale.

Promises: an answer is of one release, whose number it names; a cursor goes on where the page before ended, also if
something was released in between. Words are found at their beginning, without regard to case and accents; what has them
in its title or name comes first. Does not: change anything; look at proposals.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session, col, select

from control_plane import db
from control_plane.errors import NotFound
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.cards import fold
from control_plane.registry.live import live_manifest
from control_plane.registry.records import VersionInfo
from control_plane.registry.shelves import Shelf, Volume, known_shelf, shelf_of
from control_plane.registry.withdrawals import withdrawn_digests
from control_plane.sources.closures import CLOSURE_KINDS, SCRIPTS
from control_plane.tables.registry import ReleaseRow, SourceRow, VersionRow
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import TIERS

__all__ = ["Count", "Detail", "Item", "Page", "Query", "Reference", "folders", "search", "show", "tags"]

MAX_LIMIT = 200
MAX_WORDS = 16
_MAX_BYTES = 8_000_000
_PLAIN = ("kind", "owner", "tag", "tier")


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; "" and None mean any. A folder includes the folders in it; `after` is a page's `next`."""

    words: str = ""
    kind: str = ""
    folder: str = ""
    tag: str = ""
    owner: str = ""
    locale: str = ""
    tier: str = ""
    stale: bool | None = None
    withdrawn: bool | None = None
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Item:
    """A live entry; `stale` names what changed in `original` since it was translated, () if nothing did."""

    kind: str
    name: str
    title: str
    purpose: str
    folder: str
    tags: tuple[str, ...]
    owner: str
    review_by: str
    locale: str
    tier: str
    placement: str
    epoch: int
    digest: str
    author: str
    original: str
    stale: tuple[str, ...]
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page of entries; `total` counts all that were found, `next` is "" on the last page."""

    items: tuple[Item, ...]
    total: int
    next: str
    channel: str
    release: int


@dataclass(frozen=True, slots=True)
class Count:
    """A folder or a tag, and how many live entries it has."""

    name: str
    entries: int


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry that another one relies on, or that relies on it."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Detail:
    """A live entry with its content, its source, its versions, and what it relies on, what relies on it."""

    item: Item
    document: JsonObject
    source: str
    path: str
    history: tuple[VersionInfo, ...]
    relies_on: tuple[Reference, ...]
    used_by: tuple[Reference, ...]
    translations: tuple[Item, ...]


def search(plane: ControlPlane, query: Query, *, channel: str = "") -> Page:
    """Return a page of the live entries that fit a query; all of them if it asks for nothing.

    Raises:
        InvalidDocument: a kind or tier that there is none of, more words than are looked for, a limit out of bounds, or
            a cursor that no page gave.
    """
    words = _checked(query)
    rank, after = _position(query.after)
    on = plane.on(channel)
    with db.read(plane.engine) as session:
        shelf, release, stopped = _live(session, on)
    fitting = _fitting(shelf, query, stopped)
    titles, anywhere = shelf.search(words)
    found = [fitting & titles, fitting & anywhere & ~titles]
    total = sum(places.bit_count() for places in found)
    items: list[Item] = []
    last = ""
    for level, places in enumerate(found):
        if level < rank:
            continue
        start = bisect_right(shelf.keys, after) if level == rank and after else 0
        for place in _places(places >> start << start):
            if len(items) == query.limit:
                return Page(tuple(items), total, last, on, release)
            items.append(_item(shelf.volumes[place], stopped))
            last = _cursor(level, shelf.keys[place])
    return Page(tuple(items), total, "", on, release)


def show(plane: ControlPlane, name: str, *, kind: str = "", channel: str = "") -> Detail:
    """Return all about a live entry; scripts first if a name is several things and no kind is given.

    Raises:
        NotFound: nothing live has that name and kind.
    """
    on = plane.on(channel)
    with db.read(plane.engine) as session:
        shelf, _, stopped = _live(session, on)
        volume = _find(shelf, kind, name)
        key = volume.entry.key
        source = session.get(SourceRow, (on, *key))
        users = [user for user in shelf.users(key) if user != key]
        translated = [found for user in users if (found := shelf.find(user)) and found.card.original == name]
        return Detail(
            item=_item(volume, stopped),
            document=canonical.parse(store.closure(session, volume.entry.digest), max_bytes=_MAX_BYTES),
            source=source.text if source else "",
            path=source.path if source else "",
            history=tuple(_history(session, on, key)),
            relies_on=tuple(Reference(*named) for named in volume.card.refers),
            used_by=tuple(Reference(*user) for user in users),
            translations=tuple(_item(one, stopped) for one in translated if one.entry.kind == key[0]),
        )


def folders(plane: ControlPlane, *, channel: str = "") -> tuple[Count, ...]:
    """Return the folders that have something in them or below, sorted by path, each with how much that is."""
    return _counts(plane, "folder", channel)


def tags(plane: ControlPlane, *, channel: str = "") -> tuple[Count, ...]:
    """Return the tags that are in use, sorted, each with how many entries have it."""
    return _counts(plane, "tag", channel)


def _counts(plane: ControlPlane, member: str, channel: str) -> tuple[Count, ...]:
    with db.read(plane.engine) as session:
        shelf, _, _ = _live(session, plane.on(channel))
    return tuple(Count(value, places.bit_count()) for value, places in shelf.values(member))


def _live(session: Session, channel: str) -> tuple[Shelf, int, frozenset[str]]:
    newest = select(ReleaseRow.number, ReleaseRow.digest).where(ReleaseRow.channel == channel)
    number, digest = session.exec(newest.order_by(col(ReleaseRow.number).desc()).limit(1)).first() or (0, "")
    shelf = known_shelf(digest)
    if shelf is None:  # the manifest of a large library is megabytes: it is read once
        shelf = shelf_of(session, *live_manifest(session, channel))
    return shelf, number, withdrawn_digests(session, channel)


def _checked(query: Query) -> list[str]:
    if query.kind and query.kind not in CLOSURE_KINDS:
        raise InvalidDocument(f"expected one of the kinds {', '.join(CLOSURE_KINDS)}, got another")
    if query.tier and query.tier not in TIERS:
        raise InvalidDocument(f"expected one of the tiers {', '.join(TIERS)}, got another")
    if not 1 <= query.limit <= MAX_LIMIT:
        raise InvalidDocument(f"expected a limit from 1 to {MAX_LIMIT}, got {query.limit}")
    words = fold(query.words)
    if len(words) > MAX_WORDS:
        raise InvalidDocument(f"expected at most {MAX_WORDS} words, got {len(words)}")
    return words


def _fitting(shelf: Shelf, query: Query, stopped: frozenset[str]) -> int:
    places = shelf.everything
    for member in _PLAIN:
        if value := getattr(query, member):
            places &= shelf.places(member, value)
    if query.locale:
        places &= shelf.places("locale", query.locale.lower())
    if query.folder:
        places &= shelf.places("folder", query.folder.strip("/"))
    if query.stale is not None:
        places &= shelf.places("stale", "yes" if query.stale else "no")
    if query.withdrawn is not None:
        out = shelf.with_digests(stopped)
        places &= out if query.withdrawn else ~out
    return places


def _places(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _find(shelf: Shelf, kind: str, name: str) -> Volume:
    kinds = [kind] if kind else [*SCRIPTS, *(other for other in CLOSURE_KINDS if other not in SCRIPTS)]
    found = next((volume for one in kinds if (volume := shelf.find((one, name)))), None)
    if found is None:
        raise NotFound("expected the name of something live, got another", hint="`mentorplane library list` names them")
    return found


def _history(session: Session, channel: str, key: tuple[str, str]) -> Iterator[VersionInfo]:
    kind, name = key
    query = select(VersionRow).where(VersionRow.channel == channel, VersionRow.kind == kind, VersionRow.name == name)
    for row in session.exec(query.order_by(col(VersionRow.epoch).desc())):
        yield VersionInfo(row.epoch, row.digest, row.author, row.channel, row.release, row.at)


def _item(volume: Volume, stopped: frozenset[str]) -> Item:
    entry, card = volume.entry, volume.card
    return Item(
        kind=entry.kind,
        name=entry.name,
        title=card.title,
        purpose=card.purpose,
        folder=card.folder,
        tags=card.tags,
        owner=card.owner,
        review_by=card.review_by,
        locale=card.locale,
        tier=entry.tier,
        placement=card.placement,
        epoch=entry.epoch,
        digest=entry.digest,
        author=entry.author,
        original=card.original,
        stale=volume.stale,
        withdrawn=entry.digest in stopped or card.translated in stopped,
    )


def _cursor(rank: int, key: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(f"{rank}/{'/'.join(key)}".encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[int, tuple[str, str] | None]:
    if not cursor:
        return 0, None
    try:
        rank, kind, name = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split("/")
        if rank not in {"0", "1"}:
            raise ValueError
    except (ValueError, binascii.Error) as error:
        raise InvalidDocument("expected the cursor of a page, got another text") from error
    return int(rank), (kind, name)
