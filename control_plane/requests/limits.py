"""Rate limits: of each address and of each person, by a bucket that fills evenly and holds a minute's worth.

An answer 401 costs an address a hundred requests, so that guessing tokens and passphrases ends soon. What is counted is
in memory: it starts anew with the server, and each server of several counts for itself.
Source: draft-ietf-httpapi-ratelimit-headers-10 for the headers; RFC 6585 for 429.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from threading import Lock

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from control_plane.requests.problems import problem

__all__ = ["AddressLimits", "Buckets"]

GUESS = 100
_MOST_KEYS = 10_000
_WINDOW_S = 60.0


class Buckets:
    """A bucket for each key; 0 a minute is no limit."""

    def __init__(self, per_minute: int, *, clock: Callable[[], datetime]) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, key: str, cost: int = 1, *, force: bool = False) -> tuple[int, int]:
        """Take from a bucket: return what is left and the seconds until there is enough, 0 if there was.

        With `force` it is taken though it is not there: the bucket is then below empty.
        """
        if not self.per_minute:
            return 1, 0
        now = self._clock().timestamp()
        with self._lock:
            level, at = self._levels.pop(key, (float(self.per_minute), now))
            level = min(self.per_minute, level + max(0.0, now - at) * self.per_minute / _WINDOW_S)
            enough = level >= cost
            if enough or force:
                level -= cost
            self._levels[key] = (level, now)
            while len(self._levels) > _MOST_KEYS:  # those not seen for longest; a full bucket is no loss
                self._levels.popitem(last=False)
        missing = 0 if enough else math.ceil((cost - level) * _WINDOW_S / self.per_minute)
        return max(0, int(level)), missing

    def headers(self, name: str, left: int, after_s: int) -> dict[str, str]:
        """Return the headers that say the limit and what is left of it."""
        if not self.per_minute:
            return {}
        said = {
            "RateLimit-Policy": f'"{name}";q={self.per_minute};w=60',
            "RateLimit": f'"{name}";r={left};t={after_s or 1}',
        }
        return said | ({"Retry-After": str(after_s)} if after_s else {})


class AddressLimits:
    """Hold each address below `/v1` to its limit."""

    def __init__(self, app: ASGIApp, buckets: Buckets) -> None:
        self._app = app
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say when to come again."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        address = (scope.get("client") or ("", 0))[0]
        left, after_s = self._buckets.take(address)
        if after_s:
            said = self._buckets.headers("address", left, after_s)
            await problem(429, "expected fewer requests from one address", headers=said)(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                self._buckets.take(address, GUESS, force=True)
            await send(message)

        await self._app(scope, receive, counted)
