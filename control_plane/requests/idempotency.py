"""Idempotency keys: one act and one answer, however often a caller asks again.

A write with `Idempotency-Key` (16 to 128 printable characters, best random) is carried out once in 24 hours for
each token or session. Asked again with the same body: the same answer, `Idempotency-Replayed: true`. Another body: 422.
While it is being carried out: 409 with `Retry-After`. If the server ended between the act and its answer: 409 that
names the entry of the log, since the act is done and its answer is not known any more.
Promises: no passphrase and no text is stored in a form that the database alone reveals.
Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from control_plane.plane import ControlPlane
from control_plane.requests.buffering import Answer, ask, body_of, header_of, send_answer
from control_plane.requests.claims import CURRENT, Claim, Found, claim, give_up, keep
from control_plane.requests.etags import WRITES
from control_plane.requests.problems import problem

__all__ = ["HEADER", "Idempotency"]

HEADER = "Idempotency-Key"
_SESSION = re.compile(r"(?:^|;\s*)(?:__Host-)?mentorplane=([^;]+)")
_KEY = re.compile(r"[\x21-\x7e]{16,128}")
_PASSING = frozenset({401, 408, 429})
"""Answers that say nothing about the request itself: it may be asked again."""
_NOT_KEPT = frozenset({b"x-request-id", b"date", b"set-cookie", b"ratelimit", b"ratelimit-policy"})
_MOST_BYTES = 1_000_000


class Idempotency:
    """Carry out a write with a key once."""

    def __init__(self, app: ASGIApp, plane: ControlPlane) -> None:
        self._app = app
        self._plane = plane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what has no key, and what nobody is behind."""
        key = header_of(scope, HEADER.lower().encode()) if scope["type"] == "http" else ""
        who = _who(scope) if key else ""
        if not key or not who or scope["method"] not in WRITES or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        if not _KEY.fullmatch(key):
            detail = f"expected {HEADER} of 16 to 128 printable characters, got another"
            await problem(422, detail, name="idempotency-key-invalid")(scope, receive, send)
            return
        body = await body_of(receive)
        if body is None:
            return
        secret = _Secret(key, who)
        asked = [scope["method"].encode(), scope["path"].encode(), scope["query_string"], body]
        found = await run_in_threadpool(claim, self._plane, secret.identity, secret.digest(*asked))
        if isinstance(found, Found):
            answer = secret.open(found) if found.same else None
            if answer is not None:
                await send_answer(answer, send)
            else:
                await _cannot(found)(scope, receive, send)
            return
        await send_answer(await self._carry_out(scope, body, mine=found, secret=secret), send)

    async def _carry_out(self, scope: Scope, body: bytes, *, mine: Claim, secret: _Secret) -> Answer:
        token = CURRENT.set(mine)
        try:
            answer = await ask(self._app, scope, body)
            # Crash here: the act is done if its entry is in the claim; the answer is lost, and who asks again is told.
        except BaseException:
            await run_in_threadpool(give_up, self._plane, mine)
            raise
        finally:
            CURRENT.reset(token)
        if answer.status >= 500 or answer.status in _PASSING:
            await run_in_threadpool(give_up, self._plane, mine)
        else:
            await run_in_threadpool(keep, self._plane, mine, status=answer.status, answer=secret.seal(answer))
        return answer


def _who(scope: Scope) -> str:
    """Return the token and the session's cookie of a request, whatever other cookies a browser has; "" for neither."""
    session = _SESSION.search(header_of(scope, b"cookie"))
    return "\n".join(one for one in (header_of(scope, b"authorization"), session[1] if session else "") if one)


class _Secret:
    """What only the caller has: the key together with the token or cookie leads to the digests and the encryption."""

    def __init__(self, key: str, who: str) -> None:
        self._base = hmac.digest(key.encode(), who.encode("latin-1"), "sha256")
        self.identity = self._derive(b"identity").hex()

    def _derive(self, use: bytes) -> bytes:
        return hmac.digest(self._base, b"mentorplane-idempotency/1 " + use, "sha256")

    def digest(self, *parts: bytes) -> str:
        """Return the keyed digest of a request: a plain one would let a passphrase in the body be guessed."""
        lengths = b"".join(hashlib.sha256(part).digest() for part in parts)
        return hmac.new(self._derive(b"request"), lengths, "sha256").hexdigest()

    def seal(self, answer: Answer) -> bytes:
        """Return an answer, encrypted; one that is very large is left out, and its entry alone is kept."""
        if len(answer.body) > _MOST_BYTES:
            return b""
        headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in answer.headers if k.lower() not in _NOT_KEPT]
        nonce = secrets.token_bytes(12)
        data = json.dumps(headers).encode() + b"\n" + answer.body
        return nonce + AESGCM(self._derive(b"answer")).encrypt(nonce, data, str(answer.status).encode())

    def open(self, found: Found) -> Answer | None:
        """Return the answer that was kept; None if there is none."""
        if found.status is None or not found.answer:
            return None
        nonce, data = found.answer[:12], found.answer[12:]
        try:
            opened = AESGCM(self._derive(b"answer")).decrypt(nonce, data, str(found.status).encode())
        except InvalidTag:
            return None
        headers, _, body = opened.partition(b"\n")
        kept = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in json.loads(headers)]
        return Answer(found.status, [*kept, (b"idempotency-replayed", b"true")], body)


def _cannot(found: Found) -> ASGIApp:
    if not found.same:
        detail = f"expected the request that this {HEADER} was used for, got another"
        return problem(422, detail, "use a new key for another request", name="idempotency-key-reused")
    if found.wait_s:
        detail = "expected a request that nobody is carrying out, got one that goes on"
        return problem(409, detail, name="idempotency-in-progress", headers={"Retry-After": str(found.wait_s)})
    where = f"entry {found.leaf} of the log says what" if found.leaf is not None else "it made no entry in the log"
    return problem(
        409, f"this request was carried out, and its answer is not there any more: {where}", name="answer-lost"
    )
