"""What an operator may set, read once at start.

Does not: read the environment by itself; `load_settings` is given it. Secrets are not settings: keys live in files
below `home`, passphrases in people's heads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import is_name
from edge_runtime.core.manifest import DRAFT, FORMAT, PREVIOUS

__all__ = ["Argon2", "Bucket", "Mail", "Settings", "SingleSignOn", "load_settings"]

_PREFIX = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*")


@dataclass(frozen=True, slots=True)
class Argon2:
    """Cost of opening a person's key. Source: OWASP Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane)."""

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail server that takes our messages.

    sender         the address that they come from
    starttls       whether the connection must be encrypted
    user, password_file   how we authenticate; "" is not at all
    """

    host: str
    port: int
    sender: str
    starttls: bool = True
    user: str = ""
    password_file: Path | None = None


@dataclass(frozen=True, slots=True)
class SingleSignOn:
    """The organisation's identity provider.

    issuer         its address, as its documents and tokens name it
    client_id      the name under which it knows this server
    secret_file    file with the secret that it gave this server
    """

    issuer: str
    client_id: str
    secret_file: Path


@dataclass(frozen=True, slots=True)
class Bucket:
    """The bucket of an S3-compatible store that gets a copy of what devices read.

    prefix     what the names of its objects begin with, such as "edge/"; "" is nothing
    endpoint   the store's address; "" is Amazon's
    region     where the bucket is; "" is what the files of AWS tools say
    """

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation.

    home            folder of keys, database and published files; whoever writes there is the operator
    host, port      where HTTP listens; the default is reachable from this machine only
    database_url    SQLAlchemy URL, may hold a password, so it is kept out of the representation; "" = SQLite in `home`
    organisation    name in every manifest and statement; one installation serves one
    channels        the channels that this registry governs, each with releases and numbers of its own
    channel         the one of them that is meant where nobody names one
    floor           least quorum per tier that holds whatever a release says; devices learn it from the trust file
    argon2          cost of opening a key sealed under a passphrase
    wrong_passphrases   wrong passphrases in a row until a person is locked out
    locked_for_s    seconds that the lock lasts
    argon2_at_once, argon2_waiting   keys opened at once, and how many may wait to be; more are told to come again
    max_body_bytes  largest HTTP request body
    requests_per_minute_of_person, requests_per_minute_of_address  below `/v1`; 0 is no limit
    webhooks_to_private   whether messages may go to addresses that are not public, and without encryption
    mail            the mail server, if people are told by mail
    public_url      how browsers reach the server, such as "https://prompts.example.org"; "" is `host` and `port`
    session_idle_s, session_lasts_s  seconds after which somebody must sign in again: unused, and in any case
    sso             the identity provider, if people sign in there
    local_sign_in   whether they may sign in with their passphrase
    manifest_version   the format in which new manifests are written; "" is that of the release before, and the newest
                       for the first of a channel
    bucket          where published files are copied to, if devices read them from a store
    census_most_per_day   reports of the census that are taken of one day and channel; 0 takes none
    census_per_minute_of_address  how many of them one address may send; 0 is no limit
    census_tokens   a file with a channel and the token of its app in each line: that channel takes no report without
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 8420
    database_url: str = field(default="", repr=False)
    organisation: str = "example-coaching"
    channels: tuple[str, ...] = ("pilot", "production")
    channel: str = "production"
    floor: tuple[tuple[str, int], ...] = (("R0", 1), ("R1", 1), ("R2", 2), ("R3", 2), ("R4", 2))
    argon2: Argon2 = Argon2()
    wrong_passphrases: int = 5
    locked_for_s: int = 900
    argon2_at_once: int = 2
    argon2_waiting: int = 56
    max_body_bytes: int = 1_000_000
    requests_per_minute_of_person: int = 1_200
    requests_per_minute_of_address: int = 30_000
    webhooks_to_private: bool = False
    mail: Mail | None = None
    public_url: str = ""
    session_idle_s: int = 3600
    session_lasts_s: int = 43_200
    sso: SingleSignOn | None = None
    local_sign_in: bool = True
    manifest_version: str = ""
    bucket: Bucket | None = None
    census_most_per_day: int = 1_000_000
    census_per_minute_of_address: int = 3_000
    census_tokens: Path | None = None

    @property
    def site(self) -> Path:
        """The folder that devices read: static files, published at `/edge`."""
        return self.home / "site" / "edge"

    @property
    def witness_policy(self) -> Path:
        """The file that says which witnesses must cosign the log; without it the log is self-contained."""
        return self.home / "witness-policy"

    @property
    def forged(self) -> Path:
        """The folder of a forged mirror, served at `/forged` while it exists; for demonstrations."""
        return self.home / "site" / "forged"


def load_settings(home: Path, environ: Mapping[str, str], *, host: str = "127.0.0.1", port: int = 8420) -> Settings:
    """Return the settings for `home`, with `DATABASE_URL`, `MENTORPLANE_ORGANISATION` and the channels.

    `MENTORPLANE_CHANNELS` names them, separated by commas; `MENTORPLANE_CHANNEL` is the usual one.

    Raises:
        InvalidDocument: the names are none, or the usual channel is not among them, or one is that of drafts.
    """
    channels = tuple(environ.get("MENTORPLANE_CHANNELS", "pilot,production").split(","))
    channel = environ.get("MENTORPLANE_CHANNEL", "production")
    if channel not in channels or not all(is_name(name) for name in channels):
        raise InvalidDocument(
            "expected MENTORPLANE_CHANNEL to be one of MENTORPLANE_CHANNELS, names with commas between"
        )
    organisation = environ.get("MENTORPLANE_ORGANISATION", "example-coaching")
    if DRAFT in (organisation, *channels):
        raise InvalidDocument(
            f"expected other names than {DRAFT!r} for the organisation and its channels: `mentorplane dev` has it alone"
        )
    return Settings(
        home=home.resolve(),
        host=host,
        port=port,
        database_url=environ.get("DATABASE_URL", ""),
        organisation=organisation,
        channels=channels,
        channel=channel,
        requests_per_minute_of_person=_number(environ, "MENTORPLANE_REQUESTS_PER_MINUTE_PERSON", 1_200),
        requests_per_minute_of_address=_number(environ, "MENTORPLANE_REQUESTS_PER_MINUTE_ADDRESS", 30_000),
        webhooks_to_private=environ.get("MENTORPLANE_WEBHOOKS_TO_PRIVATE", "") == "on",
        mail=_mail(environ),
        public_url=environ.get("MENTORPLANE_PUBLIC_URL", "").rstrip("/"),
        sso=_single_sign_on(environ),
        local_sign_in=environ.get("MENTORPLANE_LOCAL_SIGN_IN", "on") != "off",
        manifest_version=_manifest_version(environ),
        bucket=_bucket(environ),
        census_most_per_day=_number(environ, "MENTORPLANE_CENSUS_MOST_PER_DAY", 1_000_000),
        census_per_minute_of_address=_number(environ, "MENTORPLANE_CENSUS_PER_MINUTE_ADDRESS", 3_000),
        census_tokens=Path(file) if (file := environ.get("MENTORPLANE_CENSUS_TOKENS_FILE", "")) else None,
    )


def _manifest_version(environ: Mapping[str, str]) -> str:
    versions = {"": "", **{form.rpartition("/")[2]: form for form in (PREVIOUS, FORMAT)}}
    said = environ.get("MENTORPLANE_MANIFEST_VERSION", "")
    if said not in versions:
        raise InvalidDocument(f"expected MENTORPLANE_MANIFEST_VERSION to be one of {', '.join(filter(None, versions))}")
    return versions[said]


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidDocument(f"expected a number in {name}, got something else")
    return int(text)


def _mail(environ: Mapping[str, str]) -> Mail | None:
    host, sender = environ.get("MENTORPLANE_SMTP_HOST", ""), environ.get("MENTORPLANE_SMTP_FROM", "")
    if not host:
        return None
    if not sender.isascii() or sender.count("@") != 1 or not sender.isprintable() or " " in sender:
        raise InvalidDocument("expected an address in MENTORPLANE_SMTP_FROM, got none")
    password = environ.get("MENTORPLANE_SMTP_PASSWORD_FILE", "")
    return Mail(
        host=host,
        port=_number(environ, "MENTORPLANE_SMTP_PORT", 587),
        sender=sender,
        starttls=environ.get("MENTORPLANE_SMTP_STARTTLS", "on") != "off",
        user=environ.get("MENTORPLANE_SMTP_USER", ""),
        password_file=Path(password) if password else None,
    )


def _single_sign_on(environ: Mapping[str, str]) -> SingleSignOn | None:
    issuer = environ.get("MENTORPLANE_OIDC_ISSUER", "")
    if not issuer:
        return None
    client, secret = environ.get("MENTORPLANE_OIDC_CLIENT_ID", ""), environ.get("MENTORPLANE_OIDC_SECRET_FILE", "")
    if not client or not secret:
        raise InvalidDocument("expected MENTORPLANE_OIDC_CLIENT_ID and MENTORPLANE_OIDC_SECRET_FILE with the issuer")
    return SingleSignOn(issuer, client, Path(secret))


def _bucket(environ: Mapping[str, str]) -> Bucket | None:
    name = environ.get("MENTORPLANE_S3_BUCKET", "")
    if not name:
        return None
    prefix = environ.get("MENTORPLANE_S3_PREFIX", "").strip("/")
    prefix = f"{prefix}/" if prefix else ""
    if not _PREFIX.fullmatch(prefix):
        raise InvalidDocument("expected a prefix such as coach/edge in MENTORPLANE_S3_PREFIX, got another")
    endpoint = environ.get("MENTORPLANE_S3_ENDPOINT", "").rstrip("/")
    parts = urlsplit(endpoint)
    is_plain = parts.scheme in {"http", "https"} and parts.hostname and not set("@?#") & set(endpoint)
    if endpoint and not is_plain:
        raise InvalidDocument("expected an address such as https://s3.example.org in MENTORPLANE_S3_ENDPOINT")
    return Bucket(name, prefix, endpoint, region=environ.get("MENTORPLANE_S3_REGION", ""))
