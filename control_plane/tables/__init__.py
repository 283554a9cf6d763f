"""Every table, a module for each part of the product: whoever imports one has them all, so that `db` makes them all.

Does not: read or write a row.
"""

from __future__ import annotations

from control_plane.tables import (
    accounts,
    census,
    index,
    library,
    lifecycle,
    mail,
    registry,
    requests,
    reviewing,
    webhooks,
)

__all__ = [
    "accounts",
    "census",
    "index",
    "library",
    "lifecycle",
    "mail",
    "registry",
    "requests",
    "reviewing",
    "webhooks",
]
