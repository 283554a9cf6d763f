"""The records of `/v1/unsigned`. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Terms", "Words"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What somebody is to sign about a grant or a delegation: the document, as it will be."""

    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody is to sign about what is live: each statement as it will be, but for its reason and time.

    `before` is what was said about the stages of the release before, oldest first.
    """

    statements: tuple[Mapping[str, Any], ...]
    before: tuple[Mapping[str, Any], ...] = ()
