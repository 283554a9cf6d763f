"""The settings of the record with their defaults, and the digests by which entries of the log name holds and settings.

Does not: read or write rows.
"""

from __future__ import annotations

from audit.acts import Retention
from edge_runtime.core import canonical

__all__ = ["DEFAULTS", "OFF", "READING_LOG", "hold_digest", "setting_digest"]

READING_LOG = "reading-log"
OFF = "off"
DEFAULTS = {
    f"retention.{Retention.ACCESS}": "400",
    f"retention.{Retention.GOVERNANCE}": "3650",  # ten years, as technical documentation of a high-risk system
    f"retention.{Retention.SECURITY}": "730",
    READING_LOG: "on",
}
"""Days that texts of a class are kept after their month, or "off" to keep them; whether reading the log is logged."""


def hold_digest(identity: str, person: str) -> str:
    """Return the digest of whom a hold is on."""
    return canonical.digest(canonical.encode({"hold": identity, "person": person}))


def setting_digest(name: str, value: str) -> str:
    """Return the digest of a setting and its value."""
    return canonical.digest(canonical.encode({"setting": name, "value": value}))
