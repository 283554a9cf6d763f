"""Pages of lists: a cursor says after which item to go on, by that item's own place in the order.

So nothing is shown twice or left out if something is added meanwhile. A cursor is opaque to callers; it holds the
list's name and the last item's key, nothing secret.
Does not: keep anything between two requests.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response

from edge_runtime.core.errors import InvalidDocument

__all__ = ["DEFAULT", "MOST", "Page", "Paging"]

DEFAULT, MOST = 100, 500
T = TypeVar("T")
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is asked for; `after` is the key of the last item shown, () at the beginning."""

    limit: int
    after: Key
    request: Request
    response: Response

    def number(self) -> int | None:
        """Return the number of the last item shown, for a list that asks the database for what follows; None at first.

        Raises:
            InvalidDocument: a cursor of another list.
        """
        if not self.after:
            return None
        if len(self.after) != 1 or type(self.after[0]) is not int or not abs(self.after[0]) < 2**31:
            raise InvalidDocument("expected a cursor of this list, got another's")
        return int(self.after[0])

    def cut(self, items: Sequence[T], key: Callable[[T], str | int | Key], *, falling: bool = False) -> tuple[T, ...]:
        """Return this page of a whole list that is ordered by `key`, and link to the next one."""

        def keyed(item: T) -> Key:
            found = key(item)
            return found if isinstance(found, tuple) else (found,)

        try:
            rest = [
                one
                for one in items
                if not self.after or (keyed(one) < self.after if falling else keyed(one) > self.after)
            ]
        except TypeError as error:
            raise InvalidDocument("expected a cursor of this list, got another's") from error
        return self.link(rest, keyed)

    def link(self, rest: Sequence[T], key: Callable[[T], Key]) -> tuple[T, ...]:
        """Return the first `limit` items of what follows `after`, of which one more was looked for, and link on."""
        shown = tuple(rest[: self.limit])
        if len(rest) > self.limit:
            given = [(k, v) for k, v in self.request.query_params.multi_items() if k != "cursor"]
            query = urlencode([*given, ("cursor", _encode(self.request, key(shown[-1])))])
            self.response.headers["Link"] = f'<{self.request.url.path}?{query}>; rel="next"'
        return shown


def _encode(request: Request, key: Key) -> str:
    data = json.dumps([request.url.path, *key], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(request: Request, cursor: str) -> Key:
    try:
        found: Any = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        path, *key = found
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidDocument("expected a cursor as an answer's Link gave it, got another") from error
    if path != request.url.path or not key or not all(isinstance(one, str | int) for one in key):
        raise InvalidDocument("expected a cursor of this list, got another's")
    return tuple(key)


def _page(
    request: Request,
    response: Response,
    *,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Most items in the answer.")] = DEFAULT,
    cursor: Annotated[str, Query(max_length=2000, description="From the Link of the answer before.")] = "",
) -> Page:
    return Page(limit, _decode(request, cursor) if cursor else (), request, response)


Paging: TypeAlias = Annotated[Page, Depends(_page)]
"""The parameter of a route that lists: `page: Paging`, then `page.cut(items, key)`."""
