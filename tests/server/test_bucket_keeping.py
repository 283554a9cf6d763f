"""Keeping a bucket up: no act waits for the store, and an outage is told and made good."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from control_plane.accounts import tokens
from control_plane.app import create_app
from control_plane.bucket import Keeper
from control_plane.bucket.keeping import EVERY_S, LISTED_EVERY, MOST_S
from control_plane.bucket.keeping import _run as run
from control_plane.errors import NotFound
from control_plane.overview import queries
from control_plane.plane import ControlPlane
from control_plane.publish import renew
from control_plane.settings import Bucket, Settings, load_settings
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.core.release import TIMESTAMP_PATH
from tests.server.acts import Acts
from tests.server.conftest import Clock
from tests.server.test_bucket import Kept, files
from tests.store import environment


class Away(Kept):
    """A store that may be away."""

    is_away = False

    def read(self, path: str) -> bytes | None:
        if self.is_away:
            raise Unavailable("expected the bucket to answer, got silence")
        return super().read(path)


def test_an_outage_of_the_store_loses_no_act(acts: Acts, clock: Clock) -> None:
    """Acts are done and published in the folder, the lag is told, and the bucket catches up when the store is back."""
    plane, to = acts.plane, Away()
    keeper = Keeper(plane, to)
    assert (keeper.turn(), keeper.warnings()) == (EVERY_S, ())
    held, to.is_away = dict(to.objects), True
    acts.approve_fully()
    acts.release()
    manifest = queries.live_manifest(plane)
    assert manifest is not None
    assert (manifest.number, files(plane.site) == held) == (2, False)
    waits = []
    for _ in range(4):
        waits.append(keeper.turn())
        clock.advance(seconds=25)
    assert waits == [2.0, 25.0, 50.0, MOST_S]
    [told] = keeper.warnings()
    assert "the bucket that devices read lags since" in told
    assert to.objects == held
    to.is_away = False
    assert (keeper.turn(), keeper.warnings()) == (EVERY_S, ())
    assert to.objects == held | files(plane.site)


def test_no_act_waits_for_the_store(acts: Acts) -> None:
    """Whoever acts while an object is on its way is done and published at once; it is copied at the next turn."""
    plane, to = acts.plane, Kept()
    keeper, issued = Keeper(plane, to), list[str]()

    def act(path: str) -> None:
        if path == TIMESTAMP_PATH and not issued:
            issued.append(tokens.issue_token(plane, "tom"))

    to.before = act
    keeper.turn()
    assert issued
    behind = keeper.lag()
    assert behind is not None
    assert keeper.here().size == behind.size + 1
    keeper.turn()
    assert keeper.lag() is None


def test_a_thread_that_ends_by_a_mistake_is_told(plane: ControlPlane) -> None:
    """What nobody foresaw ends copying; the server goes on, and says that the bucket lags and what to do."""
    to = Kept()
    to.before = {}.__getitem__
    keeper = Keeper(plane, to)
    with pytest.raises(KeyError):
        run(keeper, threading.Event())
    [told] = keeper.warnings()
    assert "start the server again" in told


def test_a_store_is_asked_only_where_something_changed(plane: ControlPlane, clock: Clock) -> None:
    """Each second costs three looks at the disk; a new timestamp is copied, alone but for what it names."""
    to = Kept()
    keeper = Keeper(plane, to)
    keeper.turn()
    asked = to.asked
    for _ in range(10):
        keeper.turn()
    assert to.asked == asked
    to.written.clear()
    clock.advance(hours=1)
    renew(plane)
    keeper.turn()
    assert to.written == [TIMESTAMP_PATH]


def test_objects_that_somebody_removed_come_back(plane: ControlPlane) -> None:
    """Within the hour the bucket is listed, and what it lacks is copied, if nothing was published meanwhile, too."""
    to = Kept()
    keeper = Keeper(plane, to)
    keeper.turn()
    lost = next(path for path in to.objects if path.startswith("targets/"))
    del to.objects[lost]
    for _ in range(LISTED_EVERY):
        keeper.turn()
    assert to.objects == files(plane.site)


def test_before_anything_is_published_there_is_nothing_to_copy(empty: ControlPlane) -> None:
    """A home without a release asks its store for nothing."""
    to = Kept()
    with pytest.raises(NotFound):
        Keeper(empty, to).keep_up()
    assert (to.asked, to.written) == (0, [])


def test_the_server_says_that_the_bucket_lags(settings: Settings, acts: Acts) -> None:
    """Its health says so, and since when; a store that is not there holds up nothing."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = Bucket("coach", endpoint=f"http://127.0.0.1:{closed.getsockname()[1]}", region="us-east-1")
    application = create_app(replace(settings, bucket=nowhere))
    client = TestClient(application)
    assert client.get("/v1/health").json()["warnings"] == []
    assert application.state.keeper.turn() > EVERY_S
    [told] = client.get("/v1/health").json()["warnings"]
    assert "lags" in told
    application.state.plane.close()


def test_the_bucket_is_set_in_the_environment(tmp_path: Path) -> None:
    """Name, prefix, endpoint and region; who we are is no setting and stands in none."""
    names = {"BUCKET": "coach", "PREFIX": "/eu/edge", "ENDPOINT": "https://s3.example.org/", "REGION": "eu-central-1"}
    said = {f"MENTORPLANE_S3_{name}": value for name, value in names.items()} | environment()
    settings = load_settings(tmp_path, said)
    assert settings.bucket == Bucket("coach", "eu/edge/", "https://s3.example.org", "eu-central-1")
    assert environment()["AWS_SECRET_ACCESS_KEY"] not in repr(settings)
    assert load_settings(tmp_path, environment()).bucket is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PREFIX", "../other"), ("PREFIX", "a//b"), ("PREFIX", ".hidden"), ("ENDPOINT", "s3.example.net"),
        ("ENDPOINT", "https://key:secret@s3.example.net"), ("ENDPOINT", "file:///etc"),
    ],
)  # fmt: skip
def test_settings_of_a_bucket_that_are_none_are_refused(tmp_path: Path, name: str, value: str) -> None:
    """A prefix leads nowhere else, and an address holds no secret; the error does not repeat it."""
    with pytest.raises(InvalidDocument, match=f"MENTORPLANE_S3_{name}") as caught:
        load_settings(tmp_path, {"MENTORPLANE_S3_BUCKET": "coach", f"MENTORPLANE_S3_{name}": value})
    assert value not in str(caught.value)
