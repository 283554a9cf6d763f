"""One request that tells something and asks for nothing: sent once, whatever comes of it.

Promises: it carries host, length, type of content, the name of the product, and of a private channel the token of the
app; nothing is sent twice, no redirect is followed, nothing of an answer is read but its status, and it ends within
seconds. Does not: know what is sent.
"""

from __future__ import annotations

from enum import Enum
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from edge_runtime.delivery.access import USER_AGENT, Access, Pace
from edge_runtime.delivery.pace import Watch, paced_pool

__all__ = ["Posted", "post_once"]

TIMEOUT_S = 3


class Posted(Enum):
    """What came of it: it was taken, it never left this device, or nobody knows."""

    TAKEN = "taken"
    KEPT = "kept"
    LOST = "lost"


def post_once(address: str, data: bytes, access: Access | None = None, *, within_s: float = TIMEOUT_S) -> Posted:
    """Send `data` to an address of the web, once; whatever the other side does, it ends in about so many seconds."""
    watch = Watch(Pace(file_s=within_s, look_s=within_s))
    watch.begin()
    headers = {"User-Agent": USER_AGENT, "Content-Type": "application/json", **_token(address, access)}
    try:
        answer = paced_pool(address, watch).request(
            "POST",
            address,
            body=data,
            headers=headers,
            preload_content=False,
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(total=within_s),
        )
    except (NewConnectionError, ConnectTimeoutError):
        return Posted.KEPT
    except (HTTPError, OSError, ValueError):
        return Posted.LOST
    answer.close()
    return Posted.TAKEN if answer.status == 204 else Posted.LOST


def _token(address: str, access: Access | None) -> dict[str, str]:
    """Return the header with the app's token, if the address is of the very server that the token is for."""
    if access is None or urlsplit(address)[:2] != urlsplit(access.source)[:2]:
        return {}
    return access.headers(access.source)
