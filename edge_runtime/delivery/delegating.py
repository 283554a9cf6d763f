"""What offline keys may delegate, checked besides what `tuf` checks: `channels/*` to `releases`, terminating, no more.

Part of V2. `tuf` follows any delegation that is signed; here a top-level targets that delegates more, vouches for more
than the trust file, or lists several ways to `releases` is refused, and so is a `releases` that delegates on: so an
online key never stands between the offline keys and the keyring, whatever it signs.
Does not: verify signatures. Source: DESIGN section 6, Keys; TUF 1.0.34, delegations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_runtime.delivery import RELEASES_ROLE, TRUST_PATH

__all__ = ["DELEGATED", "require_narrow"]

DELEGATED = "channels/*"


def require_narrow(top: Mapping[str, Any], releases: Mapping[str, Any]) -> None:
    """Refuse top-level targets and `releases` that reach further than they may; both are the `signed` parts.

    Raises:
        ValueError: they do.
        KeyError, TypeError, AttributeError: they are not of the form.
    """
    if set(top["targets"]) != {TRUST_PATH}:
        raise ValueError("metadata of targets vouches for other files than the trust file")
    delegations = top["delegations"]
    if "roles" not in delegations or "succinct_roles" in delegations:
        raise ValueError("metadata of targets delegates otherwise than by one named role")
    roles = delegations["roles"]
    if len(roles) != 1 or roles[0]["name"] != RELEASES_ROLE:
        raise ValueError(f"metadata of targets delegates to others than {RELEASES_ROLE}")
    if roles[0].get("paths") != [DELEGATED] or "path_hash_prefixes" in roles[0] or roles[0]["terminating"] is not True:
        raise ValueError(f"metadata of targets delegates other paths than {DELEGATED}, terminating")
    if "delegations" in releases:
        raise ValueError(f"metadata of {RELEASES_ROLE} delegates, which it may not")
    if TRUST_PATH in releases["targets"]:
        raise ValueError(f"metadata of {RELEASES_ROLE} vouches for the trust file, which it may not")
