"""The audit log on the server: each governance act is one leaf, appended in the transaction that makes the act.

Promises: an act and its leaf are committed together or not at all, under the log-head row; what is published (entry
bundles, tiles, then the checkpoint) is derived from the database, may be missing after a crash, and is finished by the
next act or start; no checkpoint is signed that does not extend all that were published; `verify` recomputes everything
from the published bytes and compares them with the database.
Does not: find a history rewritten together with `checkpoints.log` and the published folder: without an outside witness
the report says `self_contained`. Source: C2SP tlog-tiles; docs/adr/0003.

Modules: `acts` (the leaf of an act), `head` (the row that every act holds), `checkpoints` (all that were ever
published), `publish` (the log as files), `witnesses` (who cosigns them). See `control_plane.verifying` for holding
all else against it.
"""

from control_plane.ledger.acts import SYSTEM, Event, act, append, logged_at, next_index
from control_plane.ledger.publish import checkpoint, inclusion_proof, publish_log, recover_log, require_current
from control_plane.ledger.search import LedgerLeaf, search
from control_plane.ledger.witnesses import ask_witnesses, verifiers, witness_policy

__all__ = [
    "SYSTEM",
    "Event",
    "LedgerLeaf",
    "act",
    "append",
    "ask_witnesses",
    "checkpoint",
    "inclusion_proof",
    "logged_at",
    "next_index",
    "publish_log",
    "recover_log",
    "require_current",
    "search",
    "verifiers",
    "witness_policy",
]
