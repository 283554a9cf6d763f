"""Somebody with a key of their own, and what their machine verified."""

from __future__ import annotations

from pathlib import Path

from control_plane import db
from control_plane.accounts import people
from control_plane.custody.deciding import Verified
from control_plane.custody.keyfile import KeyFile, create_key
from control_plane.registry import queries, store
from control_plane.reviewing import own_keys
from edge_runtime.core.approval import APPROVING
from tests.server.acts import Acts
from tests.server.conftest import CHEAP
from tests.server.test_grants import grant

SECRET = "a phrase of tom's own"
SALT = bytes(range(16))


def enrol(acts: Acts, file: KeyFile, login: str = "sam") -> None:
    """Enrol a key as the administrator."""
    own_keys.enrol_own_key(acts.plane, acts.id("lena"), login, public_key=file.public, proof=file.proof)


def fresh(acts: Acts, tmp_path: Path, role: str = "facilitator", *more: str) -> KeyFile:
    """Enrol a newcomer with a key of their own, who holds a role."""
    made = people.enrol_all(acts.plane, [(people.NewPerson("noor", "Noor", (role, *more)), "noor has a secret")])
    file = create_key(tmp_path / "noor.key", person=made[0].id, passphrase=SECRET, cost=CHEAP)
    enrol(acts, file, "noor")
    if role in APPROVING:
        grant(acts, "noor", role)
    return file


def live(acts: Acts, channel: str = "") -> Verified:
    """Return what a device would have verified: the live release."""
    manifest = queries.live_manifest(acts.plane, channel=channel)
    assert manifest is not None
    with db.read(acts.plane.engine) as session:
        return Verified(manifest, {e.digest: store.closure(session, e.digest) for e in manifest.entries})
