"""A cloud model over TLS: who is believed, what passes, and that a server which trickles there is given up too."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge_runtime import CloudModel, Unavailable
from edge_runtime.generators.cloud import CloudGenerator
from edge_runtime.generators.protocol import Ask, Wire
from edge_runtime.generators.transport import tls
from tests.edge.test_cloud import disclosed
from tests.faulty_model import DONE, EVENTS, SAID

NOW = dt.datetime.now(dt.UTC)


def authority(folder: Path, name: str) -> Path:
    """Make a certificate that signs itself, for 127.0.0.1, and return the file with it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[str, list[bytes]]]]:
    """Start servers that speak TLS; those with the certificate `known` are believed."""
    monkeypatch.setattr(certifi, "where", lambda: str(authority(tmp_path, "known")))
    tls.cache_clear()
    tls()
    opened: list[socket.socket] = []

    def start(answer: bytes, *, name: str = "known", then: bytes = b"") -> tuple[str, list[bytes]]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = tmp_path / f"{name}.pem"
        context.load_cert_chain(path if path.exists() else authority(tmp_path, name))
        server, over = socket.create_server(("127.0.0.1", 0)), threading.Event()
        opened.append(server)
        requests: list[bytes] = []

        def answer_one() -> None:
            try:
                connection, _ = server.accept()
                with context.wrap_socket(connection, server_side=True) as spoken:
                    requests.append(spoken.recv(65_536) + spoken.recv(65_536))
                    spoken.sendall(answer)
                    while then and not over.wait(0.02):
                        spoken.sendall(then)
            except OSError:
                over.set()

        threading.Thread(target=answer_one, daemon=True).start()
        return f"https://127.0.0.1:{server.getsockname()[1]}/v1", requests

    yield start
    tls.cache_clear()
    for server in opened:
        server.close()


def ask(base_url: str, wire: Wire, *, within_s: float = 60) -> str:
    """Return the text of an answer."""
    model = CloudModel("m", base_url, within_s=within_s)
    return "".join(piece.text for piece in CloudGenerator(model).answer(Ask(disclosed(), max_tokens=9), wire))


def test_an_answer_comes_over_tls(serve: Callable[..., tuple[str, list[bytes]]]) -> None:
    """The usual way: encrypted, to a server whose certificate is known."""
    address, requests = serve(EVENTS + b"\r\n" + SAID + DONE)
    wire = Wire(lambda _: ())
    assert ask(address, wire) == "Mara"
    assert wire.sent_bytes > 0
    assert b"Summarise: a good talk." in requests[0]


def test_attack_a_server_with_a_certificate_of_its_own(serve: Callable[..., tuple[str, list[bytes]]]) -> None:
    """P2: somebody in between gets nothing."""
    address, requests = serve(EVENTS + b"\r\n" + SAID + DONE, name="unknown")
    wire = Wire(lambda _: ())
    with pytest.raises(Unavailable):
        ask(address, wire)
    assert (requests, wire.sent_bytes) == ([], 0)


def test_a_server_that_trickles_over_tls_is_given_up(serve: Callable[..., tuple[str, list[bytes]]]) -> None:
    """The limit of the whole answer counts where each wait is short, too."""
    address, _ = serve(EVENTS + b"\r\n" + SAID, then=b": wait\n\n")
    with pytest.raises(Unavailable):
        ask(address, Wire(lambda _: ()), within_s=0.6)
