"""A bucket of an S3-compatible store, through `botocore`: this module alone imports it, when a bucket is first used.

Who we are comes from where every tool for such stores looks: the environment (`AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`) or the files `~/.aws/credentials` and `~/.aws/config`; `AWS_SHARED_CREDENTIALS_FILE` and
`AWS_PROFILE` name others. The network is not asked for credentials.

Promises: each object is sent with its MD5, so that a store refuses one that arrived otherwise; errors say which step
failed and the store's code for it, nothing of what was sent. Does not: make buckets, set who may read, or delete.
Source: Amazon S3 API reference.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from control_plane.bucket.copying import AT_ONCE
from control_plane.published import cache_control
from control_plane.settings import Bucket
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.release import CHECKPOINT_PATH

__all__ = ["S3"]

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 20
MAX_READ_BYTES = 1_000_000
_ATTEMPTS = 2  # a connection that was kept may be gone; what lasts longer is tried again as a whole
_NO_SUCH = {"NoSuchKey", "404"}
_CHECK = "look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the file that holds them"
_HINTS = {
    "EndpointConnectionError": "is MENTORPLANE_S3_ENDPOINT the store's address, and does it answer?",
    "InvalidAccessKeyId": _CHECK,
    "SignatureDoesNotMatch": _CHECK,
    "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE",
    "NoRegionError": "set MENTORPLANE_S3_REGION",
    "NoSuchBucket": "make the bucket first, and let everybody read it",
    "AccessDenied": "these credentials need s3:ListBucket, s3:GetObject and s3:PutObject",
}


class S3:
    """A bucket. The client is made once, at the first request, and may be used by many threads."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def read(self, path: str) -> bytes | None:
        """Return an object, or its first megabyte; None if there is none.

        Raises:
            Unavailable: the store does not answer, or answers no.
        """
        with _wrapped(f"give {path}") as codes:
            try:
                answer = self._client.get_object(Bucket=self._bucket.name, Key=self._key(path))
                return bytes(answer["Body"].read(MAX_READ_BYTES))
            except codes as error:
                if _code(error) in _NO_SUCH:
                    return None
                raise

    def write(self, path: str, data: bytes) -> None:
        """Make an object, or replace it at once.

        Raises:
            Unavailable: the store does not answer, or answers no.
        """
        md5 = hashlib.md5(data, usedforsecurity=False).digest()
        with _wrapped(f"take {path}"):
            self._client.put_object(
                Bucket=self._bucket.name,
                Key=self._key(path),
                Body=data,
                ContentMD5=base64.b64encode(md5).decode(),
                ContentType=_content_type(path),
                CacheControl=cache_control(path),
            )

    def paths(self) -> set[str]:
        """Return the paths of all objects, a thousand at a request.

        Raises:
            Unavailable: the store does not answer, or answers no.
        """
        prefix = self._bucket.prefix
        with _wrapped("list its objects"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket.name, Prefix=prefix)
            return {found["Key"].removeprefix(prefix) for page in pages for found in page.get("Contents", ())}

    def _key(self, path: str) -> str:
        return f"{self._bucket.prefix}{path}"

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config
        from botocore.session import get_session

        session = get_session()
        session.get_component("credential_provider").remove("iam-role")  # it would ask the network
        return session.create_client(
            "s3",
            region_name=self._bucket.region or None,
            endpoint_url=self._bucket.endpoint or None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if self._bucket.endpoint else "auto"},
                # Other stores than Amazon's do not know its newer checksums; all know the MD5 that is sent.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                max_pool_connections=AT_ONCE,
            ),
        )


@contextmanager
def _wrapped(what: str) -> Iterator[type[Exception]]:
    """Turn what `botocore` raises into our error; gives the kind of error that is an answer of the store."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
    except ImportError as error:
        hint = "pip install 'mentorplane[server,s3]'"
        raise Unavailable("expected the extra s3 for a bucket, got none installed", hint=hint) from error
    try:
        yield ClientError
    except (ClientError, BotoCoreError, ResponseParserError, OSError, ValueError) as error:
        code = _code(error)
        raise Unavailable(f"expected the bucket to {what}, got {code}", hint=_HINTS.get(code, "")) from error


def _code(error: Exception) -> str:
    """Return the store's code for an error, or its kind: never its text, which may tell what was sent."""
    said = str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
    return said if said.isascii() and said.isalnum() else type(error).__name__


def _content_type(path: str) -> str:
    if path.endswith(".json"):
        return "application/json"
    return "text/plain; charset=utf-8" if path == CHECKPOINT_PATH else "application/octet-stream"
