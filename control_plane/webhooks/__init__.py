"""Webhooks: other systems are told what the log says, as it says it, at least once.

An act and the messages about it are written in one transaction (see `outbox.webhooks`), so that a crash loses neither;
a thread sends them afterwards (`delivering`), signed (`signing`), to addresses that an administrator chose
(`subscriptions`).
Does not: put a text of a person into a message: ids, names of governed things and digests are all there is.
Source: the Standard Webhooks specification.
"""

from __future__ import annotations

__all__: list[str] = []
