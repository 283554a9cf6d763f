"""Asking witnesses to cosign a checkpoint: several at once, within one deadline, believing none of them.

Promises:
1. A line is added only if the key that the caller gave for that witness made it, over this very checkpoint. What else
   a witness sends is dropped.
2. A witness that is slow, silent, lying or hostile costs its own cosignature and no more: at the deadline its
   connection is closed, and the result says what failed and why.
3. A proof is led back to the checkpoint's own root before it leaves; a witness that knows a larger log than the one
   submitted is reported, and never believed to be behind.

It does not decide whether the cosignatures are enough (`audit.policy`), follow redirects, or use a proxy.

Source: C2SP tlog-witness v1.0.0.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from audit.checkpoint import Checkpoint, Cosignature, parse_checkpoint
from audit.errors import AuditError, InvalidFormat, NotProven
from audit.lines import parse_decimal
from audit.note import Algorithm, Note, Signature, Verifier, parse_note, parse_signatures
from audit.policy import Policy
from audit.tiles import Read, TileReader
from audit.witness.decide import PATH, SIZE_TYPE, TEXT_TYPE, AddCheckpoint

MAX_REPLY_BYTES = 100_000
MAX_ATTEMPTS = 4
_MEANINGS = {
    403: "it does not accept the log's signature",
    404: "it does not know this log",
    422: "it says that this checkpoint does not extend the one it cosigned last",
}
_URL = re.compile(r"https?://[!-~]+")


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness to ask: what to call it, its cosignature key, and its submission prefix (an http or https URL)."""

    name: str
    verifier: Verifier
    url: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A witness that did not cosign, and why; `refused` if it answered no, rather than not at all."""

    name: str
    because: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The checkpoint with the cosignatures that verified, whose they are, who failed, and the sizes that each knows.

    Pass `sizes` to the next call: it saves each witness the question for its size.
    """

    note: bytes
    cosignatures: tuple[Cosignature, ...] = ()
    failures: tuple[Failure, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)


class _Refused(Exception):
    pass


def witnesses_of(policy: Policy) -> tuple[Witness, ...]:
    """Return the witnesses of a policy that have a URL."""
    return tuple(Witness(one.name, one.verifier, one.url) for one in policy.witnesses if one.url)


def cosigned(
    data: bytes,
    read: Read,
    witnesses: Sequence[Witness],
    *,
    timeout_s: float = 5.0,
    sizes: Mapping[str, int] | None = None,
    enough: Callable[[Collection[str]], bool] | None = None,
) -> Cosigned:
    """Have a signed checkpoint cosigned by these witnesses at once; `read` reads the tiles of its log.

    Returns when all have answered, after `timeout_s` at the latest, or as soon as `enough` says so of the names of
    those that cosigned (`Policy.is_met_by` is one such). `sizes` are those of the last result.

    Raises:
        InvalidFormat: the data is not a signed checkpoint.
        ValueError: two witnesses share a name, or one has a key or a URL of another kind.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    _require_usable(witnesses)
    subject = _Subject(
        note,
        checkpoint,
        TileReader(read, size=checkpoint.size, root=checkpoint.root),
        time.monotonic() + timeout_s,
    )
    answered: SimpleQueue[_Ask] = SimpleQueue()
    asks = [_Ask(one, subject, answered, size=(sizes or {}).get(one.name, 0)) for one in witnesses]
    names: list[str] = []
    for _ in asks:
        try:
            ask = answered.get(timeout=max(0.0, subject.end_s - time.monotonic()))
        except Empty:
            break
        names += [ask.witness.name] if ask.cosigned else []
        if enough is not None and enough(names):
            break
    return _result(note, asks)


def _require_usable(witnesses: Sequence[Witness]) -> None:
    if len({one.name for one in witnesses}) != len(witnesses):
        raise ValueError("expected witnesses of distinct names")
    for one in witnesses:
        if one.verifier.algorithm is not Algorithm.COSIGNATURE or not _URL.fullmatch(one.url):
            raise ValueError("expected witnesses with a cosignature key and an http or https URL")


def _result(note: Note, asks: Sequence[_Ask]) -> Cosigned:
    outcomes = [(ask.witness, *ask.outcome()) for ask in asks]
    lines = [line for _, line, _ in outcomes if line is not None]
    fresh = {(line.name, line.key_id) for line in lines}
    kept = [line for line in note.signatures if (line.name, line.key_id) not in fresh]
    return Cosigned(
        Note(note.text, (*kept, *lines)).encode(),
        tuple(
            Cosignature(line.name, line.key_id, witness.verifier.verify(note.text, line) or 0)
            for witness, line, _ in outcomes
            if line is not None
        ),
        tuple(failure for _, _, failure in outcomes if failure is not None),
        {ask.witness.name: ask.size for ask in asks},
    )


@dataclass(frozen=True, slots=True)
class _Subject:
    """What all witnesses are asked to cosign."""

    note: Note
    checkpoint: Checkpoint
    reader: TileReader
    end_s: float

    def request(self, old_size: int) -> bytes:
        if not old_size:
            return AddCheckpoint(0, (), self.note.encode()).encode()
        proof = self.reader.consistency_proof(size=old_size, root=self.reader.root_at(old_size))
        return AddCheckpoint(old_size, proof, self.note.encode()).encode()


class _Ask:
    """One witness being asked, in a thread of its own that nobody waits for beyond the deadline."""

    def __init__(self, witness: Witness, subject: _Subject, answered: SimpleQueue[_Ask], *, size: int) -> None:
        self.witness, self.size = witness, size
        self._subject, self._answered = subject, answered
        self._guard = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._line: Signature | None = None
        self._failure: Failure | None = Failure(
            witness.name, "no answer before the deadline, or before enough others had cosigned"
        )
        self._over = False
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def cosigned(self) -> bool:
        """Whether the witness has cosigned."""
        with self._guard:
            return self._line is not None

    def outcome(self) -> tuple[Signature | None, Failure | None]:
        """Return the answer there is by now, and break off what is still going on."""
        with self._guard:
            self._over = True
            for one in self._sockets:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(one, socket.SHUT_RDWR)  # of TLS too: its own would race with the reader
            return self._line, self._failure

    def _run(self) -> None:
        line, failure = None, None
        try:
            line = self._ask()
        except _Refused as error:
            failure = Failure(self.witness.name, str(error), refused=True)
        except AuditError as error:
            failure = Failure(self.witness.name, str(error))
        except TimeoutError:
            failure = self._failure
        except (OSError, http.client.HTTPException, ValueError) as error:
            failure = Failure(self.witness.name, f"no answer: {type(error).__name__}")
        with self._guard:
            if not self._over:
                self._line, self._failure = line, failure
        self._answered.put(self)

    def _ask(self) -> Signature:
        submitted = self._subject.checkpoint.size
        old_size = min(self.size, submitted)
        for _ in range(MAX_ATTEMPTS):
            status, kind, body = self._post(self._subject.request(old_size))
            if status == 200:
                line = self._own_line(body)
                self.size = submitted
                return line
            if status != 409 or kind != SIZE_TYPE:
                raise _Refused(_MEANINGS.get(status, f"it refused with status {status}"))
            self.size = old_size = parse_decimal(body.decode("ascii", "replace").removesuffix("\n"), "size")
            if old_size > submitted:
                raise _Refused(f"it knows a log of {old_size} entries, more than the {submitted} submitted")
        raise _Refused(f"it named another size {MAX_ATTEMPTS} times")

    def _own_line(self, body: bytes) -> Signature:
        """Return the line that the witness's own key made over the checkpoint, out of what it sent."""
        verifier = self.witness.verifier
        for line in parse_signatures(body):
            if (line.name, line.key_id) == (verifier.name, verifier.key_id):
                verifier.verify(self._subject.note.text, line)
                return line
        raise NotProven("expected a cosignature by the key of this witness, got only those of others")

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        left_s = self._subject.end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        # No handler for errors or redirects: whatever the status, it is looked at here.
        opener = urllib.request.OpenerDirector()
        opener.add_handler(_Web(self._opened))
        headers = {"Content-Type": TEXT_TYPE, "User-Agent": "mentorplane"}
        url = self.witness.url.rstrip("/") + PATH  # http or https: see `_require_usable`
        request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310
        with opener.open(request, timeout=left_s) as response:
            reply = response.read(MAX_REPLY_BYTES + 1)
            if len(reply) > MAX_REPLY_BYTES:
                raise InvalidFormat(f"expected a reply of at most {MAX_REPLY_BYTES} bytes, got more")
            return response.status, response.headers.get("Content-Type", ""), reply

    def _opened(self, one: socket.socket) -> None:
        with self._guard:
            if self._over:
                raise TimeoutError
            self._sockets.append(one)


class _Connection(http.client.HTTPConnection):
    """A connection that shows its socket, so that it can be broken off from outside."""

    def __init__(self, *where: Any, opened: Callable[[socket.socket], None], **options: Any) -> None:
        super().__init__(*where, **options)
        self._opened = opened

    def connect(self) -> None:
        super().connect()
        self._opened(self.sock)


class _SecureConnection(_Connection, http.client.HTTPSConnection):
    pass


class _Web(urllib.request.AbstractHTTPHandler):
    def __init__(self, opened: Callable[[socket.socket], None]) -> None:
        super().__init__()
        self._opened = opened

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Connection, opened=self._opened), request)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_SecureConnection, opened=self._opened), request)

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_
