"""Backups: the whole registry in one file, whichever database it is in, and the way back, also to the other database.

A backup is a copy of every row as it was at one moment, while the server runs, with the small files that must not go
backwards (`archive`, docs/formats.md). It can be verified by itself (`verifying`); restoring (`restoring`) refuses to
write over anything, checks the log wholly, and destroys again what was erased since, before anybody opens the home.
Does not: hold the files that devices fetch, which are made again; or the keys, unless a passphrase is given.
"""

from __future__ import annotations

__all__: list[str] = []
