"""The HTTP side of the desk: who may ask, how much, and what a browser may do with the answer.

Promises:
1. Only the bound loopback address is served; a request with another `Host` is refused, so a foreign name that
   was pointed at this machine (DNS rebinding) reads nothing.
2. Every question about the device needs the token of this start. It travels in the fragment of the link and then
   in a header: never in a cookie, because browsers share cookies between all ports of one address, and never in
   a request line.
3. A question comes from the desk's own page: JSON only, of a bounded size, with this origin or none.
4. Nothing is logged, cached or kept: no text, no address, no error message that could quote one.
5. Only this origin and `allow_parent` may show the page in a frame.

Does not: know what is asked (see `answers`) or encrypt; loopback traffic stays inside this machine.
"""

from __future__ import annotations

import ipaddress
import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import urlsplit

from audit.frozen import frozen, member
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.desk.answers import Answers
from edge_runtime.runtime import EdgeRuntime

__all__ = ["DeskServer", "DeskSettings", "serve"]

MAX_BODY_BYTES = 2 * 1024 * 1024
"""Far more than a note may have: a longer text is still looked through for a crisis before it is refused."""
REQUEST_TIMEOUT_S = 20
FIRST_PAUSES_S = (0, 0.5, 1, 2, 4, 8, 15)
"""How long a device without a version waits before each look: it may have been started before its source."""
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
TOKEN_HEADER = "X-Desk-Token"  # noqa: S105 - the name of a header
PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/desk.css": ("desk.css", "text/css; charset=utf-8"),
    "/desk.js": ("desk.js", "text/javascript; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/note.js": ("note.js", "text/javascript; charset=utf-8"),
}


@frozen
class DeskSettings:
    """Where the desk listens, who may frame it and which named mirrors it may ask.

    `allow_parent` is an origin such as `http://127.0.0.1:8420`, or "" for none. `port` 0 takes a free one.
    """

    host: str = "127.0.0.1"
    port: int = 0
    allow_parent: str = ""
    mirrors: Mapping[str, str] = MappingProxyType({})
    token: str = member(default="", repr=False)


class DeskServer(ThreadingHTTPServer):
    """A bound desk; `link` opens it. Run it with `serve_forever`, end it with `shutdown` and `server_close`."""

    daemon_threads = True

    def __init__(self, edge: EdgeRuntime, settings: DeskSettings) -> None:
        if not ipaddress.ip_address(settings.host).is_loopback:
            raise ValueError("expected a loopback address: the desk answers only its own machine")
        if settings.allow_parent and not _is_origin(settings.allow_parent):
            raise ValueError("expected allow_parent to be an origin such as http://127.0.0.1:8420")
        self.answers = Answers(edge, settings.mirrors)
        self.allow_parent = settings.allow_parent
        self.token = settings.token or secrets.token_urlsafe(24)
        super().__init__((settings.host, settings.port), _Handler)
        self.address = f"{settings.host}:{self.server_address[1]}"

    @property
    def origin(self) -> str:
        """Return the origin of the desk's pages."""
        return f"http://{self.address}"

    @property
    def link(self) -> str:
        """Return the link that opens the desk, with its token in the fragment, which no request carries."""
        return f"{self.origin}/#{self.token}"

    def look_once(self, stop: threading.Event) -> None:
        """Let a device that runs nothing yet look for a first version, patiently while its source does not answer."""
        for pause_s in FIRST_PAUSES_S:
            if stop.wait(pause_s) or self.answers.has_version():
                return
            if self.answers.refresh({"source": ""})["check"]:
                return  # refused: it would be refused again, and the page says why when asked

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a traceback could quote a text."""


def serve(edge: EdgeRuntime, settings: DeskSettings, *, ready: Callable[[DeskServer], None] = lambda _: None) -> None:
    """Serve the desk until the process is interrupted; `ready` is called once it listens.

    Raises:
        ValueError: the host is not a loopback address, or `allow_parent` is not an origin.
        OSError: the port is taken.
    """
    stop = threading.Event()
    with DeskServer(edge, settings) as server:
        threading.Thread(target=server.look_once, args=(stop,), daemon=True).start()
        ready(server)
        try:
            server.serve_forever(poll_interval=0.2)
        finally:
            stop.set()


class _Refusal(Exception):
    """A request that the desk does not answer, with the HTTP status that says so."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """One request: gate, dispatch, answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "mentorplane-desk"
    sys_version = ""
    timeout = REQUEST_TIMEOUT_S
    server: DeskServer
    routes: ClassVar[dict[tuple[str, str], str]] = {
        ("GET", "/api/status"): "status",
        ("POST", "/api/refresh"): "refresh",
        ("POST", "/api/read"): "read",
    }

    def do_GET(self) -> None:
        """Answer a page, one of its files, or the status."""
        self._answer("GET")

    def do_POST(self) -> None:
        """Answer a question about the device."""
        self._answer("POST")

    def _answer(self, method: str) -> None:
        try:
            if self.headers.get_all("Host") != [self.server.address]:
                raise _Refusal(HTTPStatus.MISDIRECTED_REQUEST, "expected a request to the address of this desk")
            path = urlsplit(self.path).path
            if method == "GET" and path in PAGES:
                name, content_type = PAGES[path]
                page = files("edge_runtime.desk").joinpath("static", name).read_bytes()
                self._send(HTTPStatus.OK, page, content_type)
                return
            self._send_json(HTTPStatus.OK, self._ask(method, path))
        except _Refusal as refusal:
            self.close_connection = True
            self._send_json(refusal.status, {"error": str(refusal)})
        except MentorplaneError as error:
            self._send_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        except Exception:  # noqa: BLE001 - the HTTP boundary: whatever failed, no text of it leaves
            self.close_connection = True
            self._send_json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "the device could not answer"})

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        name = self.routes.get((method, path))
        if name is None:
            raise _Refusal(HTTPStatus.NOT_FOUND, "expected a path that the desk serves")
        self._gate()
        if method == "GET":
            return {**self.server.answers.status(), "parent": self.server.allow_parent}
        question = self._read_question()
        return self.server.answers.refresh(question) if name == "refresh" else self.server.answers.read(question)

    def _gate(self) -> None:
        """Let only the desk's own page through."""
        given = self.headers.get(TOKEN_HEADER, "").encode("utf-8", "surrogateescape")
        if not secrets.compare_digest(given, self.server.token.encode()):
            raise _Refusal(HTTPStatus.FORBIDDEN, "expected the token of this start: use the printed link")
        if self.headers.get("Origin", self.server.origin) != self.server.origin:
            raise _Refusal(HTTPStatus.FORBIDDEN, "expected a question from the desk's own page")

    def _read_question(self) -> dict[str, Any]:
        if self.headers.get_content_type() != "application/json":
            raise _Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected application/json")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise _Refusal(HTTPStatus.LENGTH_REQUIRED, "expected a Content-Length")
        if len(length) > 9 or int(length) > MAX_BODY_BYTES:
            raise _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected at most {MAX_BODY_BYTES} bytes")
        try:
            question = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise _Refusal(HTTPStatus.BAD_REQUEST, "expected a JSON object in UTF-8") from None
        if not isinstance(question, dict):
            raise _Refusal(HTTPStatus.BAD_REQUEST, "expected a JSON object in UTF-8")
        return question

    def _send_json(self, status: HTTPStatus, document: dict[str, Any]) -> None:
        self._send(status, json.dumps(document).encode(), "application/json")

    def _send(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in _safety_headers(self.server.allow_parent).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives
        """Keep no log: not even the address of a question."""


def _safety_headers(allow_parent: str) -> dict[str, str]:
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors 'self' {allow_parent}"
    )
    return {
        "Content-Security-Policy": policy.strip(),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }


def _is_origin(text: str) -> bool:
    return _ORIGIN.fullmatch(text) is not None
