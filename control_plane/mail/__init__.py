"""Mail without content: whose key was used is told so, each time; and whoever is to review, that they are.

A message holds a kind of act, a time and a link; no name, no title, no reason. It is written in the transaction of the
act (see `outbox.mail`) and sent afterwards (`delivering`) to the person's address, which erasing their texts erases
(see `accounts.addresses`).
Does not: send anything unless the operator names a mail server.
"""

from __future__ import annotations

__all__: list[str] = []
