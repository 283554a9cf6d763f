"""What a generation was adopted on top of, kept beside it so that it can be verified again.

Not signed: whoever can edit it can edit the home; the approval floor of the trust file holds regardless.
Format: docs/formats.md, `mentorplane-basis/2`.
"""

from __future__ import annotations

from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import EVERY_CHANGE, Changed
from edge_runtime.core.asked import Before
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.checkpoints import Seen
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields, is_name
from edge_runtime.core.manifest import (
    KINDS,
    Settings,
    parse_entry,
    parse_lift,
    parse_listing,
    parse_model,
    parse_stage,
)
from edge_runtime.core.trust import Basis, EntryKey
from edge_runtime.core.withdrawals import Withdrawals

__all__ = ["encode_basis", "parse_basis"]

FORMAT = "mentorplane-basis/2"
MAX_BYTES = 16_000_000


def encode_basis(basis: Basis | None, growth: tuple[bytes, ...], changes: tuple[Changed, ...] | None = None) -> bytes:
    """Return the canonical bytes of what a generation was adopted on.

    Args:
        basis: what the device knew; None for a first adoption.
        growth: the log's proof of growth.
        changes: the kinds of change, worked out from contents that need not be there any more; None: not known.
    """
    return canonical.encode(
        {
            "format": FORMAT,
            "before": [_before_json(basis)] if basis else [],
            "growth": [dsse.encode_base64(node) for node in growth],
            "changes_known": changes is not None,
            "changes": [_change_json(change) for change in changes or ()],
        }
    )


def parse_basis(data: bytes) -> tuple[Basis | None, tuple[bytes, ...], tuple[Changed, ...] | None]:
    """Return the basis, the proof of growth and the kinds of change that canonical bytes hold.

    Raises:
        InvalidDocument: malformed.
    """
    fields = Fields(parse_listing(data, max_bytes=MAX_BYTES, within=("before", 0)), FORMAT)
    before = fields.items("before", _parse_before, at_most=1)
    growth = fields.items("growth", dsse.parse_bytes, at_most=128)
    known, changes = fields.boolean("changes_known"), fields.items("changes", _parse_change)
    fields.close()
    return (before[0] if before else None), growth, changes if known else None


def _change_json(change: Changed) -> JsonObject:
    return {"kind": change.kind, "name": change.name, "changes": list(change.changes), "paths": list(change.paths)}


def _parse_change(document: object) -> Changed:
    match document:
        case {"kind": str(kind), "name": str(name), "changes": [*changes], "paths": [*paths], **rest} if (
            kind in KINDS and is_name(name) and changes and not rest and set(map(type, (*changes, *paths))) == {str}
        ):
            if EVERY_CHANGE.issuperset(changes):
                return Changed(kind, name, tuple(changes), tuple(paths))
    raise InvalidDocument("basis change: expected kind and name of an entry, kinds of change, and paths")


def _before_json(basis: Basis) -> JsonObject:
    seen, withdrawals = basis.checkpoint, basis.withdrawals
    return {
        "number": basis.number,
        "manifest": basis.manifest,
        "epochs": [
            {"kind": kind, "name": name, "epoch": epoch}
            for (kind, name), epoch in sorted(basis.epochs.items())
            if (kind, name) not in basis.before.entries or basis.before.entries[kind, name].epoch != epoch
        ],
        "before": basis.before.number,
        "entries": [entry.as_json() for entry in sorted(basis.before.entries.values())],
        "settings": _settings_json(basis.before.settings),
        "rules": basis.rules.decode(),
        "rules_before": basis.rules_before.decode(),
        "checkpoint": {
            "origin": seen.origin,
            "size": seen.size,
            "root": dsse.encode_base64(seen.root),
            "witnesses": seen.witnesses,
        },
        "withdrawals": {
            "count": withdrawals.count,
            "head": withdrawals.head,
        },
    }


def _parse_before(document: object) -> Basis:
    fields = Fields(document, "basis", tagged=False)
    entries = {entry.key: entry for entry in fields.items("entries", parse_entry)}
    basis = Basis(
        number=fields.integer("number", at_least=1),
        manifest=fields.digest("manifest"),
        # Of an entry in force the entry says it; listed are those that went.
        epochs={key: entry.epoch for key, entry in entries.items()} | dict(fields.items("epochs", _parse_epoch)),
        before=Before(fields.integer("before", at_least=1), entries, _parse_settings(fields.json_object("settings"))),
        rules=fields.text("rules", at_most=200_000).encode(),
        rules_before=fields.text("rules_before", at_most=200_000).encode(),
        checkpoint=_parse_seen(fields.json_object("checkpoint")),
        withdrawals=_parse_withdrawals(fields.json_object("withdrawals")),
    )
    fields.close()
    return basis


def _settings_json(settings: Settings) -> JsonObject:
    locales, stages, models, fresh_for_s, valid_for_s, lifts = settings
    return {
        "locales": list(locales),
        "stages": list(stages),
        "models": [model.as_json() for model in models],
        "fresh_for_s": fresh_for_s,
        "valid_for_s": valid_for_s,
        "lifts": list(lifts),
    }


def _parse_settings(document: object) -> Settings:
    fields = Fields(document, "basis settings", tagged=False)
    settings = (
        fields.texts("locales"),
        fields.items("stages", parse_stage, at_most=20),
        fields.items("models", parse_model, at_most=100),
        fields.integer("fresh_for_s"),
        fields.integer("valid_for_s"),
        fields.items("lifts", parse_lift),
    )
    fields.close()
    return settings


def _parse_epoch(document: object) -> tuple[EntryKey, int]:
    fields = Fields(document, "basis epoch", tagged=False)
    item = (fields.choice("kind", KINDS), fields.name("name")), fields.integer("epoch", at_least=1)
    fields.close()
    return item


def _parse_seen(document: object) -> Seen:
    fields = Fields(document, "basis checkpoint", tagged=False)
    seen = Seen(
        fields.text("origin"),
        fields.integer("size"),
        dsse.decode_base64(fields.text("root")),
        witnesses=fields.integer("witnesses"),
    )
    fields.close()
    return seen


def _parse_withdrawals(document: object) -> Withdrawals:
    fields = Fields(document, "basis withdrawals", tagged=False)
    # What they stop follows from the list, which must begin with all that was seen.
    withdrawals = Withdrawals(fields.integer("count"), fields.digest("head", empty=True))
    fields.close()
    return withdrawals
