"""An OpenID Connect provider in a process of its own, on the loopback address: Authlib's server side over http.server.

Code flow with PKCE, client_secret_basic, RS256, discovery and keys, as a real one. Who signs in is what the test's
browser says in a cookie; another cookie asks for a token that is wrong in one way.
Run as `python -m tests.server.oidc_provider`; it prints its address and answers until it is ended.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request, grants
from authlib.oauth2.rfc6749.requests import OAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import RSAKey

CLIENT, SECRET = "mentorplane", "a-secret-of-the-client"
KEY, OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"}), RSAKey.generate_key(2048, {"kid": "one"})
CODES: dict[str, Code] = {}
ISSUER = ""


class Code:
    """An authorization code, good once."""

    def __init__(self, code: str, request: OAuth2Request, user: dict[str, str]) -> None:
        data = request.payload.data
        self.code, self.user = code, user
        self.redirect_uri, self.scope, self.nonce = data["redirect_uri"], data["scope"], data.get("nonce")
        self.code_challenge, self.code_challenge_method = data.get("code_challenge"), data.get("code_challenge_method")

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return "another" if self.user.get("wrong") == "nonce" else self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class Client(ClientMixin):
    """The one client there is."""

    client_id = CLIENT
    id_token_signed_response_alg = "RS256"

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.endswith("/v1/session/oidc/callback")

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Grant(grants.AuthorizationCodeGrant):
    """The code flow."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        CODES[code] = Code(code, request, request.user)

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        return CODES.get(code)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        CODES.pop(authorization_code.code, None)

    def authenticate_user(self, authorization_code: Code) -> dict[str, str]:
        return authorization_code.user


class Identity(OpenIDCode):
    """The ID token."""

    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
        return False

    def resolve_client_private_key(self, client: Client) -> Any:
        return self.key

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": ISSUER}

    key = KEY

    def encode_id_token(self, token: dict[str, Any], request: OAuth2Request) -> str:
        from joserfc import jwt

        user, code, now = request.user, request.authorization_code, int(time.time())
        wrong = user.get("wrong", "")
        claims: dict[str, Any] = {"iss": ISSUER, "sub": user["sub"], "aud": [CLIENT], "iat": now, "exp": now + 300}
        claims |= {"nonce": code.get_nonce(), "auth_time": now}
        claims |= {"email": user["email"], "email_verified": user.get("verified") == "yes"} if "email" in user else {}
        claims |= {
            "audience": {"aud": ["somebody-else"]},
            "issuer": {"iss": "https://evil.example"},
            "expired": {"exp": now - 3600, "iat": now - 7200},
            "old": {"iat": now - 7200},
        }.get(wrong, {})
        if wrong == "no-nonce":
            del claims["nonce"]
        key = OTHER_KEY if wrong == "key" else KEY
        if wrong == "unsigned":
            import base64

            parts = [json.dumps({"alg": "none"}).encode(), json.dumps(claims).encode(), b""]
            return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)


class Payload(OAuth2Payload):
    """Parameters of a request."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    @property
    def data(self) -> dict[str, str]:
        return dict(self._pairs)

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in self._pairs:
            found[name].append(value)
        return found


class Server(AuthorizationServer):
    """Authlib's server over the requests of http.server."""

    def query_client(self, client_id: str) -> Client | None:
        return Client() if client_id == CLIENT else None

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        pass

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        pass

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        if isinstance(request, OAuth2Request):
            return request
        made = OAuth2Request(request["method"], request["uri"], headers=request["headers"])
        made.payload = Payload(request["pairs"])
        made._body = dict(request["pairs"]) if request["method"] == "POST" else {}
        return made

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, bytes, list[tuple[str, str]]]:
        data = json.dumps(body).encode() if isinstance(body, dict) else str(body or "").encode()
        return status, data, list(headers)


SERVER = Server()
SERVER.register_token_generator("default", BearerTokenGenerator(lambda *a, **k: "access-" + str(time.time_ns())))
SERVER.register_grant(Grant, [Identity(), CodeChallenge(required=True)])


class Handler(BaseHTTPRequestHandler):
    """The endpoints."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
            self._json({"issuer": ISSUER, **{name: ISSUER + path for name, path in names.items()}})
        elif parts.path == "/keys":
            self._json({"keys": [KEY.as_dict(private=False)]})
        else:
            cookies = SimpleCookie(self.headers.get("Cookie", ""))
            user = {name: morsel.value for name, morsel in cookies.items()}
            request = SERVER.create_oauth2_request(self._request("GET", parse_qsl(parts.query)))
            grant = SERVER.get_consent_grant(request, end_user=user)
            self._answer(*SERVER.create_authorization_response(request, grant_user=user, grant=grant))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(*SERVER.create_token_response(self._request("POST", parse_qsl(body))))

    def _request(self, method: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
        return {
            "method": method,
            "uri": ISSUER + self.path,
            "headers": {name.title(): one for name, one in self.headers.items()},
            "pairs": pairs,
        }

    def _json(self, document: dict[str, Any]) -> None:
        self._answer(200, json.dumps(document).encode(), [("Content-Type", "application/json")])

    def _answer(self, status: int, data: bytes, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ISSUER = f"http://127.0.0.1:{server.server_port}"
    print(ISSUER, flush=True)
    server.serve_forever()
