"""A candidate as bytes, so that another process can run a check on it; and its answer as bytes.

Promises: `parse_candidate(encode_candidate(c))` is `c`; an answer is JSON, of texts alone, and read strictly: what a
foreign process says is never run or unpickled.
Does not: start the process (see `plugins`).
"""

from __future__ import annotations

import base64
import json
from typing import Any

from control_plane.policy.checks.records import Candidate, Found
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import parse_entry, parse_manifest

__all__ = ["encode_candidate", "encode_found", "parse_candidate", "parse_found"]

MAX_LINES = 1000
_MEMBERS = ("evidence", "notices", "problems")


def encode_candidate(candidate: Candidate) -> bytes:
    """Return the bytes that `parse_candidate` reads back as `candidate`."""
    document = {
        "manifest": _text(candidate.manifest.encode()),
        "base": _text(candidate.base.encode()) if candidate.base else None,
        "introduced": [entry.as_json() for entry in candidate.introduced],
        "closures": {digest: _text(data) for digest, data in candidate.closures.items()},
        "cases": candidate.cases,
        "recordings": candidate.recordings,
        "earlier": [[kind, name, list(digests)] for (kind, name), digests in candidate.earlier.items()],
    }
    return json.dumps(document).encode()


def parse_candidate(data: bytes) -> Candidate:
    """Return the candidate that `encode_candidate` wrote."""
    document = json.loads(data)
    base = document["base"]
    return Candidate(
        manifest=parse_manifest(_bytes(document["manifest"])),
        base=parse_manifest(_bytes(base)) if base else None,
        introduced=tuple(map(parse_entry, document["introduced"])),
        closures={digest: _bytes(text) for digest, text in document["closures"].items()},
        cases=document["cases"],
        recordings=document["recordings"],
        earlier={(kind, name): tuple(digests) for kind, name, digests in document["earlier"]},
    )


def encode_found(found: object) -> bytes:
    """Return what a check answered as bytes.

    Raises:
        InvalidDocument: it is no `Found`, or holds anything but texts.
    """
    if not isinstance(found, Found):
        raise InvalidDocument(f"expected a Found as its answer, got {type(found).__name__}")
    document = {name: _lines(getattr(found, name)) for name in _MEMBERS}
    return json.dumps(document).encode()


def parse_found(data: bytes) -> Found:
    """Return the answer that `encode_found` wrote.

    Raises:
        InvalidDocument: the bytes are anything else.
    """
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidDocument("expected an answer, got something that cannot be read") from error
    if not isinstance(document, dict) or set(document) != set(_MEMBERS):
        raise InvalidDocument("expected an answer of problems, notices and evidence, got another form")
    return Found(**{name: tuple(_lines(document[name])) for name in _MEMBERS})


def _lines(value: object) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > MAX_LINES or not all(type(line) is str for line in value):
        raise InvalidDocument(f"expected at most {MAX_LINES} lines of text in its answer, got something else")
    return list(value)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
