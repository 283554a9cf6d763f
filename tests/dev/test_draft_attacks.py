"""A draft stays with its developer: no device of an organisation and no registry takes one, whatever it is called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from control_plane.cli import app
from control_plane.dev.publishing import Workshop
from control_plane.keys import load_keys
from control_plane.settings import load_settings
from edge_runtime import EdgeRuntime
from edge_runtime.core.approval import read_signed
from edge_runtime.core.canonical import digest
from edge_runtime.core.dsse import Envelope
from edge_runtime.core.errors import InvalidDocument, NotTrusted
from edge_runtime.core.manifest import DRAFT, Manifest, parse_manifest
from edge_runtime.core.parts import unpack
from edge_runtime.core.release import open_release, parse_release, release_path
from tests.dev.conftest import Desk
from tests.published import adopted, fingerprint, published_once
from tests.simulator import Organisation


def _draft(desk: Desk) -> tuple[Manifest, tuple[Envelope, ...]]:
    [path] = (desk.workshop.site / "targets" / "channels").glob("*.draft.json")
    assert path.name.endswith(release_path(DRAFT).removeprefix("channels/"))
    release = parse_release(path.read_bytes())
    parts = [unpack(part.read_bytes(), max_bytes=10**6) for part in (desk.workshop.site / "parts").iterdir()]
    return open_release(release, {digest(part): part for part in parts})


def test_a_production_device_is_pointed_at_a_draft(desk: Desk, tmp_path: Path) -> None:
    """Attack: somebody serves a draft to a device with the organisation's root: refused on every channel."""
    desk.publish()
    edge = adopted(published_once(tmp_path / "acme"), tmp_path)
    before = fingerprint(tmp_path / "home")

    refused = edge.refresh(str(desk.workshop.site))

    assert (refused.ok, refused.release, refused.check) == (False, 1, "V2")
    assert "signed by" in refused.message
    assert fingerprint(tmp_path / "home") == before
    fresh = EdgeRuntime.open(
        tmp_path / "new", trust=tmp_path / "acme" / "trust", source=str(desk.workshop.site), channel=DRAFT
    )
    assert fresh.refresh().check == "V2"
    assert fresh.state is None


def test_a_production_device_is_pointed_at_a_draft_whose_root_was_rotated(desk: Desk, tmp_path: Path) -> None:
    """Attack: the draft offers a second root as the organisation's next one: refused at the root chain."""
    desk.publish()
    metadata = desk.workshop.site / "metadata"
    (metadata / "2.root.json").write_bytes((metadata / "1.root.json").read_bytes())
    edge = adopted(published_once(tmp_path / "acme"), tmp_path)
    before = fingerprint(tmp_path / "home")

    refused = edge.refresh(str(desk.workshop.site))

    assert (refused.ok, refused.check) == (False, "V1")
    assert fingerprint(tmp_path / "home") == before


def test_a_home_that_adopted_a_draft_is_opened_with_the_organisation_s_root(desk: Desk, tmp_path: Path) -> None:
    """Attack: a home with a draft in it is shipped inside an app: the organisation's root does not open it."""
    desk.publish()
    assert desk.open().refresh().ok
    acme = published_once(tmp_path / "acme")
    with pytest.raises(NotTrusted):
        EdgeRuntime.open(desk.device, trust=acme.trust, channel=DRAFT)


def test_a_developer_s_device_is_pointed_at_a_production_channel(desk: Desk, tmp_path: Path) -> None:
    """A developer's root vouches for `draft` alone: not for a channel of another name, not for an organisation's."""
    desk.publish()
    edge = desk.open("production")
    assert edge.refresh().check == "V2"
    assert edge.refresh(str(published_once(tmp_path / "acme").folder)).check in {"V1", "V2"}
    assert edge.state is None


@pytest.mark.parametrize(("organisation", "channel"), [(DRAFT, "production"), (DRAFT, "pilot"), ("acme", DRAFT)])
def test_a_draft_under_another_name(desk: Desk, organisation: str, channel: str) -> None:
    """Attack: who holds keys of one kind takes the channel or the organisation of the other: it does not read (V4)."""
    desk.publish()
    genuine, _ = _draft(desk)
    assert (genuine.organisation, genuine.channel) == (DRAFT, DRAFT)
    renamed: Manifest = replace(genuine, organisation=organisation, channel=channel)
    with pytest.raises(InvalidDocument, match="developer's own root"):
        parse_manifest(renamed.encode())


def test_a_draft_is_passed_off_as_approved(desk: Desk) -> None:
    """Attack: the statements of a draft are put beside an organisation's keyring: nobody in it signed them (V6)."""
    desk.publish()
    with pytest.raises(NotTrusted, match="keyring") as caught:
        read_signed(_draft(desk)[1], Organisation().trust().people)
    assert caught.value.check == "V6"


def test_the_home_of_a_server_is_taken_for_drafts_or_the_other_way_round(desk: Desk, tmp_path: Path) -> None:
    """A server's root is never written over, nor do its keys sign a draft; no server opens a home of drafts."""
    server = tmp_path / "server"
    load_keys(server / "keys", "acme")
    (server / "trust").mkdir()
    (server / "trust" / "root.json").write_bytes(b"shipped")
    before = fingerprint(server)
    with pytest.raises(InvalidDocument, match="server"):
        Workshop(server)
    assert fingerprint(server) == before
    desk.publish()
    done = CliRunner().invoke(app, ["channels", "--home", str(desk.home)])
    assert done.exit_code == 3
    assert "home of a server" in done.output


@pytest.mark.parametrize(
    "environ",
    [
        {"MENTORPLANE_CHANNELS": "draft,production"},
        {"MENTORPLANE_CHANNELS": "draft", "MENTORPLANE_CHANNEL": "draft"},
        {"MENTORPLANE_ORGANISATION": "draft"},
    ],
)
def test_a_registry_has_no_draft_channel(tmp_path: Path, environ: dict[str, str]) -> None:
    """So nothing is ever promoted from `draft`, or released there: a registry does not start with such a name."""
    with pytest.raises(InvalidDocument, match="mentorplane dev"):
        load_settings(tmp_path, environ)
