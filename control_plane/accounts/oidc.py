"""Single sign-on: the organisation's OpenID Connect provider says who somebody is.

Code flow with PKCE, state and nonce; the token's signature, issuer, audience, times and nonce are verified by keys that
the issuer publishes. Promises: a verified subject is one person, linked by themselves with a code that they made with
their passphrase or own key (see `invitations`): neither an administrator nor an e-mail address links anybody; whoever
begins a sign-in is who ends it (the state lies in a cookie of that browser). It proves who somebody is, and signs
nothing: signing still takes their passphrase or a key of their own.
Does not: make people, or give them roles. The one module that imports Authlib, which brings a library for HTTP.
Source: OpenID Connect Core 1.0, sections 3.1 and 3.1.3.7; RFC 7636; RFC 9207; RFC 9700.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlmodel import Session

from audit.record import Act, Auth, LeafObject
from control_plane import ledger
from control_plane.accounts import invitations, rights
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.settings import SingleSignOn
from control_plane.tables.accounts import IdentityRow
from edge_runtime.core import canonical, dsse
from edge_runtime.core.errors import InvalidDocument, Unavailable

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import OAuth2Client

__all__ = ["Answer", "Begun", "begin", "finish"]

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
LEEWAY_S, TRY_FOR_S, TIMEOUT_S = 60, 600, 10.0
_AGAIN = "begin to sign in again"


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what it keeps in a cookie until it comes back."""

    url: str
    cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser brings back from the provider, and the cookie that it kept."""

    code: str = field(repr=False)
    state: str
    cookie: str = field(repr=False)
    issuer: str = ""
    error: str = ""


def begin(plane: ControlPlane, *, back_to: str, then: str = "/", invitation: str = "") -> Begun:
    """Begin to sign somebody in.

    Args:
        plane: the control plane.
        back_to: the address that the provider sends the browser back to.
        then: path of the page to show after that.
        invitation: code of somebody who links their account.

    Raises:
        NotFound: no provider is set up.
        Unavailable: it does not answer, or not as a provider does.
    """
    sso = _settings(plane)
    kept = {
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "verifier": secrets.token_urlsafe(48),
        "then": then if then.startswith("/") and not then.startswith(("//", "/\\")) else "/",
        "invitation": invitation,
        "until": int(plane.now().timestamp()) + TRY_FOR_S,
    }
    with _client(sso) as client:
        endpoint = _documents(client, sso)["authorization_endpoint"]
        url, _ = client.create_authorization_url(
            endpoint,
            state=kept["state"],
            nonce=kept["nonce"],
            code_verifier=kept["verifier"],
            redirect_uri=back_to,
        )
    return Begun(str(url), _seal(sso, kept))


def finish(plane: ControlPlane, answer: Answer, *, back_to: str) -> tuple[str, str]:
    """Return the id of the person who signed in at the provider, and the path of the page to show.

    Raises:
        Refused: the answer is not one to this browser's question, proves nobody, or somebody who is not linked.
        Unavailable: the provider does not answer.
    """
    sso = _settings(plane)
    kept = _open(sso, answer.cookie)
    now = int(plane.now().timestamp())
    fits = secrets.compare_digest(str(kept.get("state", "")).encode(), answer.state.encode(errors="replace"))
    if not kept or not fits or int(kept["until"]) < now:
        raise Refused("expected an answer to a sign-in that this browser began, got another", hint=_AGAIN)
    if answer.error or not answer.code:
        raise Refused("expected the identity provider to say who it is, and it did not", hint=_AGAIN)
    if answer.issuer and answer.issuer != sso.issuer:
        raise Refused("expected an answer of the organisation's identity provider, got another's", hint=_AGAIN)
    with _client(sso) as client:
        documents = _documents(client, sso)
        token = client.fetch_token(
            documents["token_endpoint"], code=answer.code, code_verifier=kept["verifier"], redirect_uri=back_to
        )
        keys = client.request("GET", documents["jwks_uri"], withhold_token=True).raise_for_status().json()
    claims = _verified(sso, token, keys, nonce=str(kept["nonce"]), now=now)
    person = _person(plane, sso, claims, invitation=str(kept["invitation"]))
    return person, str(kept["then"])


@dataclass(frozen=True, slots=True)
class _Identity:
    issuer: str
    subject: str


def _settings(plane: ControlPlane) -> SingleSignOn:
    if plane.settings.sso is None:
        raise NotFound("expected an identity provider to be set up, and none is")
    return plane.settings.sso


@contextmanager
def _client(sso: SingleSignOn) -> Iterator[OAuth2Client]:
    from authlib.common.errors import AuthlibBaseError
    from authlib.integrations.httpx_client import OAuth2Client

    http = _library_of(OAuth2Client)
    client = OAuth2Client(
        sso.client_id,
        _secret(sso),
        token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - a method, not a secret
        scope="openid",
        code_challenge_method="S256",
        timeout=TIMEOUT_S,
    )
    try:
        with client:
            yield client
    except http.HTTPStatusError as error:
        raise Unavailable("expected the identity provider to answer, got an error of it") from error
    except (http.HTTPError, ValueError, KeyError) as error:
        raise Unavailable("expected the identity provider to answer as one does, and it did not") from error
    except AuthlibBaseError as error:
        raise Refused("expected the identity provider to accept this sign-in, and it did not", hint=_AGAIN) from error


def _library_of(client: type) -> Any:
    """Return the library that speaks HTTP for a client: Authlib takes httpx2 where it is installed, else httpx."""
    base = next(one for one in client.__mro__ if one.__name__ == "Client")
    return sys.modules[base.__module__.partition(".")[0]]


def _secret(sso: SingleSignOn) -> str:
    try:
        return sso.secret_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable("expected the file with the client's secret, and it cannot be read") from error


def _documents(client: OAuth2Client, sso: SingleSignOn) -> dict[str, str]:
    """Return the addresses that the issuer publishes; each must be as safe as its own."""
    said = client.request("GET", f"{sso.issuer.rstrip('/')}/.well-known/openid-configuration", withhold_token=True)
    found = said.raise_for_status().json()
    wanted = {name: str(found[name]) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    if found["issuer"] != sso.issuer or not all(_is_safe(address) for address in (sso.issuer, *wanted.values())):
        raise Unavailable("expected a provider that names itself as it is set up, over https, got another")
    return wanted


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"})


def _verified(sso: SingleSignOn, token: Mapping[str, Any], keys: Any, *, nonce: str, now: int) -> Mapping[str, Any]:
    """Return the claims of an ID token once everything about it holds."""
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        opened = jwt.decode(str(token["id_token"]), KeySet.import_key_set(keys), algorithms=list(ALGORITHMS))
        claims = CodeIDToken(
            opened.claims,
            opened.header,
            {"iss": {"essential": True, "value": sso.issuer}, "aud": {"essential": True, "value": sso.client_id}},
            {"nonce": nonce, "client_id": sso.client_id, "access_token": token.get("access_token")},
        )
        claims.validate(now, LEEWAY_S)
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255 or "nonce" not in claims:
            raise ValueError
        if int(claims["iat"]) < now - TRY_FOR_S:
            raise ValueError
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise Refused("expected a token that proves who signed in, got another", hint=_AGAIN) from error
    return dict(claims)


def _person(plane: ControlPlane, sso: SingleSignOn, claims: Mapping[str, Any], *, invitation: str) -> str:
    identity = _Identity(sso.issuer, str(claims["sub"]))
    with ledger.act(plane) as session:
        row = session.get(IdentityRow, (identity.issuer, identity.subject))
        if row is not None and not invitation:
            return row.person
        if invitation:
            person = invitations.redeem(plane, session, invitation, purpose=invitations.SIGN_ON)
            _link(plane, session, identity, person=person)
            return person
    raise Refused(
        "expected somebody whom this server knows, got somebody else",
        hint="sign in with your passphrase or key once, and link this account",
    )


def _link(plane: ControlPlane, session: Session, identity: _Identity, *, person: str) -> None:
    if session.get(IdentityRow, (identity.issuer, identity.subject)) is not None:
        raise Conflict("expected an account that is nobody's yet, got one that is somebody's")
    rights.require_here(rights.find_row(session, person))
    row = IdentityRow(issuer=identity.issuer, subject=identity.subject, person=person, at=plane.now())
    session.add(row)
    session.flush()
    digest = canonical.digest(canonical.encode({"issuer": identity.issuer, "subject": identity.subject}))
    target, role = LeafObject("person", person, digest), ledger.SYSTEM
    event = ledger.Event(Act.IDENTITY_LINKED, person, role, Auth.SINGLE_SIGN_ON, target, code="invitation")
    ledger.append(plane, session, event)


def _seal(sso: SingleSignOn, kept: Mapping[str, object]) -> str:
    nonce = secrets.token_bytes(12)
    data = ChaCha20Poly1305(_key(sso)).encrypt(nonce, json.dumps(kept).encode(), b"sign-in")
    return dsse.encode_base64(nonce + data).replace("+", "-").replace("/", "_").rstrip("=")


def _open(sso: SingleSignOn, cookie: str) -> dict[str, Any]:
    text = cookie.replace("-", "+").replace("_", "/")
    try:
        data = dsse.decode_base64(text + "=" * (-len(text) % 4))
        return dict(json.loads(ChaCha20Poly1305(_key(sso)).decrypt(data[:12], data[12:], b"sign-in")))
    except (InvalidDocument, InvalidTag, ValueError):
        return {}


def _key(sso: SingleSignOn) -> bytes:
    """Return the key of the cookie, which only who knows the client's secret can make."""
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"mentorplane sign-in")
    return kdf.derive(_secret(sso).encode())
