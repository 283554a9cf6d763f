"""Showing a server who one is, with one's own key.

Does not: decide anything with it (see `key`).
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from control_plane.cli.common import passphrase

if TYPE_CHECKING:
    from control_plane.client.records import Proving

__all__ = ["proving"]


def proving(key: Path, secret: Path | None, *, purpose: str, server: str) -> Proving:
    """Return what shows a server that somebody is here: a proof by the key in their file."""
    from control_plane.accounts.presence import place_of, prove
    from control_plane.client.records import Proving
    from control_plane.custody.keyfile import load_key, open_key
    from edge_runtime.core.dsse import encode_base64

    given = passphrase(secret)
    file, where = load_key(key), place_of(server)
    own, now = open_key(file, given), datetime.now(UTC)
    proof = prove(own, person=file.person, purpose=purpose, at=now, nonce=os.urandom(16), server=where)
    return Proving(proof.at, proof.nonce, encode_base64(proof.signature))
