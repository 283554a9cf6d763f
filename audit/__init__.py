"""A tamper-evident log of governance acts, and the tools with which an outsider checks it.

Every act is one canonical JSON record, and every record is one leaf of a Merkle tree published as static files: hash
tiles, entry bundles and a signed checkpoint. This folder needs the Python standard library and `cryptography`, and
nothing else of the product, so it can be handed over as it is and run with `python -m audit`.

The log promises:
1. An entry that a published checkpoint covers cannot be changed, removed, inserted or moved without a verifier
   noticing, given the log's public key.
2. A later checkpoint that does not extend an earlier one is noticed by whoever kept the earlier one.
3. Nothing but bytes and keys is needed to check either: no network, no database, no trust in the server.

It does not promise:
- that what an entry says was true when it was written;
- that everybody is shown the same log, unless witnesses outside the operator's reach cosign its checkpoints. A
  verifier that finds no such cosignature calls the log self-contained;
- secrecy: whoever reads the log reads every entry, so entries hold digests and salted commitments only.

Modules: `record` (the leaf), `merkle` (trees and proofs), `tiles` (the tree as files), `note` and `checkpoint`
(signatures), `folder` (reading a published folder), `writer` and `disk` (growing one), `verify` (checking all of it),
`fork` (evidence of two histories), `openings` (what stands behind commitments), `policy` (whose cosignatures are
enough), `proof` (one entry's place, as a file), `released` (all that a device asks of an entry). Rooms: `witness`,
`pack`, `commands`.
"""

from audit.errors import AuditError, InvalidFormat, NotProven

__all__ = ["AuditError", "InvalidFormat", "NotProven"]
