"""Webhooks: told at least once, signed, without a person's text, and only where messages may go."""

from __future__ import annotations

import base64
import hmac
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.app import create_app
from control_plane.errors import NotFound
from control_plane.plane import ControlPlane
from control_plane.tables.webhooks import DeliveryRow, WebhookRow
from control_plane.webhooks import subscriptions
from control_plane.webhooks.addresses import post, require_url
from control_plane.webhooks.delivering import DEAD, DELIVERED, MOST_TRIES, deliver_due
from edge_runtime.core.errors import InvalidDocument, Unavailable
from tests.server.acts import Acts, newest
from tests.server.conftest import Clock
from tests.server.test_http import by


@dataclass
class Receiver:
    """A real HTTP server that keeps what it is sent and answers as it is told."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def bodies(self) -> list[dict[str, object]]:
        """Return what was sent, as JSON."""
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on the loopback address."""
    mine = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            mine.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(mine.answers.pop(0) if mine.answers else 200)
            self.send_header("Location", f"{mine.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    mine.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield mine
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def admin(acts: Acts, clock: Clock) -> Acts:
    """The demo people, on a plane that may send to this machine, with Ada an administrator."""
    return Acts(replace(acts.plane, settings=replace(acts.plane.settings, webhooks_to_private=True)))


def administrator(acts: Acts) -> str:
    """Return the id of a person who administers."""
    return next(one["id"] for one in acts.people.values() if "administrator" in one["roles"])


def states(plane: ControlPlane) -> list[str]:
    """Return the states of all messages, oldest first."""
    with db.read(plane.engine) as session:
        rows = session.exec(select(DeliveryRow)).all()
    return [row.state for row in sorted(rows, key=lambda row: row.leaf)]


def test_an_act_is_told_signed_and_without_a_persons_text(admin: Acts, receiver: Receiver) -> None:
    """The message names the entry, ids and digests; its signature verifies; no name, reason or title is in it."""
    made = subscriptions.add(admin.plane, administrator(admin), url=receiver.url, events=["approved", "released"])
    admin.approve_fully()
    admin.release()
    assert deliver_due(admin.plane) == len(receiver.got) > 1
    assert {body["type"] for body in receiver.bodies()} == {"approved", "released"}
    assert receiver.bodies()[-1]["data"]["entry"] <= newest(admin.plane).seq  # type: ignore[index]
    key = base64.b64decode(made.secret.removeprefix("whsec_"))
    for headers, body in receiver.got:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    texts = [person["name"] for person in admin.people.values()] + ["clearer", "really"]
    assert not [text for text in texts for _, body in receiver.got if text.encode() in body]
    assert set(states(admin.plane)) == {DELIVERED}
    assert deliver_due(admin.plane) == 0


def test_what_is_not_confirmed_is_sent_again_later_each_time_until_it_is_dead(
    admin: Acts, receiver: Receiver, clock: Clock
) -> None:
    """500 and a redirect are no confirmation; the id stays; after the last try it waits for a hand to replay it."""
    subscriptions.add(admin.plane, administrator(admin), url=receiver.url, events=["approved"])
    admin.approve_fully()
    count = len(states(admin.plane))
    receiver.answers = [500, 302] * count * MOST_TRIES
    for tried in range(MOST_TRIES):
        assert deliver_due(admin.plane) == count, tried
        assert deliver_due(admin.plane) == 0, "not before its time"
        clock.advance(hours=7)
    assert set(states(admin.plane)) == {DEAD}
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == count
    assert "/elsewhere" not in str(receiver.got)
    receiver.answers = []
    dead = subscriptions.deliveries(admin.plane, administrator(admin), state="dead")
    subscriptions.replay(admin.plane, administrator(admin), dead[0].id)
    assert deliver_due(admin.plane) == 1
    assert receiver.got[-1][0]["webhook-id"] == dead[0].id


def test_a_rotated_secret_signs_beside_the_one_before(admin: Acts, receiver: Receiver) -> None:
    """Readers change over at leisure; the database alone reveals neither secret."""
    first = subscriptions.add(admin.plane, administrator(admin), url=receiver.url, events=["*"])
    second = subscriptions.rotate(admin.plane, administrator(admin), first.webhook.id)
    deliver_due(admin.plane)
    headers, body = receiver.got[-1]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = [
        "v1," + base64.b64encode(hmac.digest(base64.b64decode(one.secret[6:]), signed, "sha256")).decode()
        for one in (second, first)
    ]
    assert headers["webhook-signature"].split() == expected
    with db.read(admin.plane.engine) as session:
        [row] = session.exec(select(WebhookRow)).all()
    assert first.secret.encode() not in row.secrets
    assert base64.b64decode(first.secret[6:]) not in row.secrets


@pytest.mark.databases
def test_a_message_is_written_with_its_act_or_not_at_all(admin: Acts, receiver: Receiver) -> None:
    """An act that is rolled back leaves no message."""
    subscriptions.add(admin.plane, administrator(admin), url=receiver.url, events=["*"])
    before = states(admin.plane)
    event = ledger.Event(Act.REVEALED, ledger.SYSTEM, ledger.SYSTEM, Auth.SYSTEM, LeafObject("setting", "x"))

    def act_and_fail() -> None:
        with db.write(admin.plane.engine) as session:
            ledger.append(admin.plane, session, event)
            assert len(session.exec(select(DeliveryRow)).all()) == len(before) + 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act_and_fail()
    assert states(admin.plane) == before


CHILD = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from control_plane.plane import open_plane
from control_plane.settings import Argon2, Settings
from control_plane.webhooks.delivering import deliver_due
from control_plane.webhooks.addresses import post
home, database = Path(sys.argv[1]), sys.argv[3]
plane = open_plane(Settings(home=home, argon2=Argon2(8, 1, 1), database_url=database, webhooks_to_private=True))
def send(*args, **kwargs):
    if sys.argv[2] == "after": post(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
deliver_due(plane, send=send)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_between_commit_and_delivery_loses_nothing(
    admin: Acts, receiver: Receiver, clock: Clock, when: str
) -> None:
    """Killed before or after it was sent: when the lease ends it goes out again, under the same id."""
    subscriptions.add(admin.plane, administrator(admin), url=receiver.url, events=["checked"])
    admin.approve_fully()
    waiting = len(states(admin.plane))
    given = [str(admin.plane.settings.home), when, admin.plane.settings.database_url]
    child = subprocess.run([sys.executable, "-c", CHILD, *given], check=False)
    assert child.returncode == -signal.SIGKILL
    already = {headers["webhook-id"] for headers, _ in receiver.got}
    assert len(already) == (when == "after")
    clock.advance(hours=1)
    deliver_due(admin.plane)
    assert set(states(admin.plane)) == {DELIVERED}
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == waiting
    assert already <= {headers["webhook-id"] for headers, _ in receiver.got}


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "ftp://x/"),
        *("https://10.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://user:pw@example.org/", "https://[fe80::1]/"),
        *("https://0.0.0.0/", "https://example.org/#x", "https:///x", "https://example.org:99999/", "https://a b/"),
        *("https://[64:ff9b::a9fe:a9fe]/", "https://[::7f00:1]/", "https://192.0.0.192/opc", "https://[fec0::1]/"),
        *("https://[64:ff9b::7f00:1]/x\n", "https://192.168.1.1:8443/", "https://100.64.0.1/", "//example.org"),
    ],
)
def test_attack_messages_to_private_addresses(acts: Acts, url: str) -> None:
    """An address inside the network, a scheme without encryption, or a URL with tricks is refused; nothing is kept."""
    with pytest.raises(InvalidDocument):
        require_url(url, private=False)
    before = newest(acts.plane)
    with pytest.raises(InvalidDocument):
        subscriptions.add(acts.plane, administrator(acts), url=url, events=["*"])
    assert newest(acts.plane) == before


def test_attack_a_name_that_leads_inside(receiver: Receiver) -> None:
    """A harmless name that leads to a private address is refused when the message goes out, before any connection."""
    with pytest.raises(InvalidDocument, match="private"):
        post(f"https://localhost:{receiver.url.split(':')[2].split('/')[0]}/", b"{}", {}, private=False)
    assert receiver.got == []
    with pytest.raises(Unavailable):
        post("http://127.0.0.1:9/", b"{}", {}, private=True)


def test_only_administrators_subscribe_and_the_log_says_so(client: TestClient, acts: Acts) -> None:
    """Others are refused over HTTP and the log knows; what an administrator does is an entry without the address."""
    body = {"url": "https://hooks.example.org/secret-path", "events": ["released"]}
    with refused_by_http(acts):
        assert client.post("/v1/webhooks", json=body, headers=by(acts, "tom")).status_code == 403
    login = next(login for login, one in acts.people.items() if "administrator" in one["roles"])
    made = client.post("/v1/webhooks", json=body, headers=by(acts, login))
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    said = newest(acts.plane)
    assert (said.object.kind, said.reason.code) == ("webhook", "webhook-added")
    identity = made.json()["webhook"]["id"]
    assert "secret" not in client.get("/v1/webhooks", headers=by(acts, login)).json()[0]
    assert client.post("/v1/webhooks", json=body | {"events": ["nothing"]}, headers=by(acts, login)).status_code == 422
    assert client.delete(f"/v1/webhooks/{identity}", headers=by(acts, login)).json()["state"] == "ended"
    with pytest.raises(NotFound):
        subscriptions.rotate(acts.plane, administrator(acts), identity)
    assert client.get("/v1/webhooks/deliveries", headers=by(acts, login)).status_code == 200


@contextmanager
def refused_by_http(acts: Acts) -> Iterator[None]:
    """Require that nothing but the entry of a refusal appears."""
    before = newest(acts.plane).seq
    yield
    last = newest(acts.plane)
    assert (last.seq, str(last.act)) == (before + 1, "refused")


@pytest.fixture
def client(acts: Acts, clock: Clock) -> Iterator[TestClient]:
    """A client of the application, without its background work."""
    client = TestClient(create_app(acts.plane.settings, clock=clock), raise_server_exceptions=False)
    yield client
    client.app.state.plane.close()  # type: ignore[attr-defined]
