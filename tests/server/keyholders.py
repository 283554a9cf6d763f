"""Somebody with a key of their own, and what their machine verified."""

from __future__ import annotations

from pathlib import Path

from control_plane import db
from control_plane.accounts import people
from control_plane.custody.deciding import Verified
from control_plane.custody.keyfile import KeyFile, create_key
from control_plane.overview import queries
from control_plane.registry import store
from control_plane.reviewing import own_keys
from tests.server.acts import Acts
from tests.server.conftest import CHEAP

SECRET = "a phrase of tom's own"
SALT = bytes(range(16))


def enrol(acts: Acts, file: KeyFile, *, passphrase: str) -> None:
    """Enrol a key in place of the one under a passphrase of the same person's."""
    given = {"public_key": file.public, "proof": file.proof, "present": passphrase}
    own_keys.enrol_own_key(acts.plane, file.person, **given)  # type: ignore[arg-type]


def fresh(acts: Acts, tmp_path: Path, role: str = "facilitator", *more: str) -> KeyFile:
    """Enrol a newcomer who holds a role, and takes their key to themselves."""
    new = people.NewPerson("noor", "Noor", (role, *more))
    made = people.enrol_all(acts.plane, [(new, "noor has a secret")])
    file = create_key(tmp_path / "noor.key", person=made[0].id, passphrase=SECRET, cost=CHEAP)
    enrol(acts, file, passphrase="noor has a secret")
    return file


def live(acts: Acts, channel: str = "") -> Verified:
    """Return what a device would have verified: the live release."""
    manifest = queries.live_manifest(acts.plane, channel=channel)
    assert manifest is not None
    with db.read(acts.plane.engine) as session:
        return Verified(manifest, {e.digest: store.closure(session, e.digest) for e in manifest.entries})
