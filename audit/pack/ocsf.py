"""The log as OCSF events for a SIEM: one JSON line for each entry, generated from the entry and the log's origin alone.

Promises:
1. The same entry gives the same bytes, always and everywhere: a line can be made again from the leaf and compared.
2. Schema 1.9.0-dev with the profile `record_integrity`. Every attribute that 1.7.0 requires of the class is there too,
   so a collector of that version takes the event and ignores the attestation.
3. Every line names its entry: `metadata.sequence` and `unmapped.leaf_index`, the leaf hash, the bundle and the hash
   tile where they are published, so that the proof is computed from static files.

Classes: 3002 Authentication for signing in and out; 3001 Account Change for people, their roles, keys and tokens; 6003
API Activity for reading, revealing and exporting the log; 3004 Entity Management for everything that is governed.

It does not fit OCSF in two points, and says so here. An OCSF fingerprint is taken over the event; ours is the RFC 6962
hash of the leaf from which the event is generated (`algorithm_id` 99). And an OCSF chain is linear, while this log is a
tree: `prev_event` names the previous entry about the same object by its index; what binds all entries is the
checkpoint.

Source: ocsf/ocsf-schema, 1.9.0-dev: profiles/record_integrity, objects/attestation, events/iam, events/application.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from audit.acts import Act, Client, Outcome
from audit.pack.table import COLUMNS
from audit.record import FORMAT
from audit.tiles import ENTRIES, TILE_WIDTH, Tile

VERSION = "1.9.0-dev"
COMPATIBLE = "1.7.0"
PRODUCT = {"name": "Mentorplane", "vendor_name": "Mentorplane", "feature": {"name": "audit log"}}

_IAM, _APPLICATION = (3, "Identity & Access Management"), (6, "Application Activity")
_ACCOUNT, _AUTHENTICATION, _ENTITY, _API = 3001, 3002, 3004, 6003
_CLASSES = {
    _ACCOUNT: (_IAM, "Account Change"),
    _AUTHENTICATION: (_IAM, "Authentication"),
    _ENTITY: (_IAM, "Entity Management"),
    _API: (_APPLICATION, "API Activity"),
}
_OTHER = 99
_ACTIVITIES: dict[Act, tuple[int, int, str]] = {
    Act.SEEDED: (_ENTITY, 1, "Create"),
    Act.PROPOSED: (_ENTITY, 1, "Create"),
    Act.EDITED: (_ENTITY, 3, "Update"),
    Act.ABANDONED: (_ENTITY, 4, "Delete"),
    Act.RELEASED: (_ENTITY, 10, "Activate"),
    Act.SCHEDULED: (_ENTITY, 3, "Update"),
    Act.UNSCHEDULED: (_ENTITY, 3, "Update"),
    Act.SUSPENDED: (_ENTITY, 12, "Suspend"),
    Act.WINDOW_STATED: (_ENTITY, 3, "Update"),
    Act.WINDOW_ENDED: (_ENTITY, 3, "Update"),
    Act.BREAK_GLASS: (_ENTITY, 10, "Activate"),
    Act.STAGE_CHANGED: (_ENTITY, 3, "Update"),
    Act.WITHDRAWN: (_ENTITY, 12, "Suspend"),
    Act.WITHDRAWAL_LIFTED: (_ENTITY, 13, "Resume"),
    Act.TRUST_CHANGED: (_ENTITY, 3, "Update"),
    Act.ROOT_SIGNED: (_ENTITY, 3, "Update"),
    Act.TARGETS_SIGNED: (_ENTITY, 3, "Update"),
    Act.HOLD_PLACED: (_ENTITY, 1, "Create"),
    Act.HOLD_LIFTED: (_ENTITY, 4, "Delete"),
    Act.ERASED: (_ENTITY, 4, "Delete"),
    Act.SETTINGS_CHANGED: (_ENTITY, 3, "Update"),
    Act.EVIDENCE_FILED: (_ENTITY, 1, "Create"),
    Act.GATHERED: (_ENTITY, 1, "Create"),
    Act.PERSON_ENROLLED: (_ACCOUNT, 1, "Create"),
    Act.PERSON_RETIRED: (_ACCOUNT, 5, "Disable"),
    Act.ROLE_GRANTED: (_ACCOUNT, 7, "Attach Policy"),
    Act.ROLE_DELEGATED: (_ACCOUNT, 7, "Attach Policy"),
    Act.ROLE_ENDED: (_ACCOUNT, 8, "Detach Policy"),
    Act.KEY_SEALED: (_ACCOUNT, _OTHER, Act.KEY_SEALED),
    Act.KEY_ENROLLED: (_ACCOUNT, _OTHER, Act.KEY_ENROLLED),
    Act.KEY_REVOKED: (_ACCOUNT, _OTHER, Act.KEY_REVOKED),
    Act.TOKEN_ISSUED: (_ACCOUNT, _OTHER, Act.TOKEN_ISSUED),
    Act.TOKEN_REVOKED: (_ACCOUNT, _OTHER, Act.TOKEN_REVOKED),
    Act.SIGNED_IN: (_AUTHENTICATION, 1, "Logon"),
    Act.SIGNED_IN_FAILED: (_AUTHENTICATION, 1, "Logon"),
    Act.SIGNED_OUT: (_AUTHENTICATION, 2, "Logoff"),
    Act.AUDIT_READ: (_API, 2, "Read"),
    Act.REVEALED: (_API, 2, "Read"),
    Act.EXPORTED: (_API, 2, "Read"),
}
"""Class, activity and its name for each act; any other is Entity Management, activity Other, named like the act."""

_NOTABLE = {
    *(Act.ERASED, Act.SETTINGS_CHANGED, Act.TRUST_CHANGED, Act.ROOT_SIGNED, Act.TARGETS_SIGNED),
    *(Act.RECOVERED, Act.REFUSED, Act.SIGNED_IN_FAILED),
}
_SEVERITIES = {1: "Informational", 3: "Medium"}
_ENCODER = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":"))


_NUMBERS = ("index", "time_ms", "position", "previous")
_PLACE = re.compile(r'"@@(\w+)@@"|@@(\w+)@@')


def event_line(row: tuple[str, ...], *, origin: str) -> bytes:
    """Return the event of an entry as one JSON line.

    Args:
        row: the cells of the entry, see `audit.views.row_of`.
        origin: the log's name.
    """
    if row[_FORMAT] != FORMAT:  # only the alphabets of this version need no escapes
        return _ENCODER.encode(event_of(cells_of(row), origin=origin)).encode() + b"\n"
    shape = (row[_ACT], row[_OUTCOME], row[_ACTOR] == "system", row[_NAME] == "system", row[_CLIENT] == Client.CLI)
    template, values = _template(origin, shape, tuple(map(bool, row)))
    return (template % values(row + _derived(row))).encode()


_ACT, _OUTCOME, _ACTOR, _NAME = map(COLUMNS.index, ("act", "outcome", "actor", "object_name"))
_CLIENT, _FORMAT = map(COLUMNS.index, ("client", "format"))
_ALL = (*COLUMNS, "time_ms", "position", "bundle", "tile")


def cells_of(row: tuple[str, ...]) -> dict[str, str]:
    """Return the cells by column, with what is worked out of them: all that an event says comes from here."""
    return dict(zip(_ALL, row + _derived(row), strict=True))


def _derived(row: tuple[str, ...]) -> tuple[str, str, str, str]:
    """Return time in milliseconds, position in the bundle, and the paths of bundle and tile."""
    at, position = divmod(int(row[0]), TILE_WIDTH)
    milliseconds = str(int(datetime.fromisoformat(row[1]).timestamp()) * 1000)
    return (milliseconds, str(position), *_paths(at))


@lru_cache(maxsize=8)
def _paths(at: int) -> tuple[str, str]:
    return Tile(ENTRIES, at).path, Tile(0, at).path


@lru_cache(maxsize=1024)
def _template(
    origin: str, shape: tuple[Any, ...], filled: tuple[bool, ...]
) -> tuple[str, Callable[[tuple[str, ...]], tuple[str, ...]]]:
    """Return the JSON of all events of a shape with places for their values, and what picks these out of all cells."""
    act, outcome, by_system, on_system, at_console = shape
    names = zip(_ALL, (*filled, True, True, True, True), strict=True)
    cells = {name: f"@@{name}@@" if there else "" for name, there in names}
    cells |= {"act": act, "outcome": outcome}
    cells |= {"actor": "system"} if by_system else {}
    cells |= {"object_name": "system"} if on_system else {}
    cells |= {"client": Client.CLI} if at_console else {}
    text = _ENCODER.encode(event_of(cells, origin=origin)).replace("%", "%%")
    found: list[str] = []

    def place(match: re.Match[str]) -> str:
        found.append(match[1] or match[2])
        return "%s" if match[2] or match[1] in _NUMBERS else '"%s"'

    template = _PLACE.sub(place, text)
    return template + "\n", itemgetter(*map(_ALL.index, found))


def event_of(cells: Mapping[str, str], *, origin: str) -> dict[str, Any]:
    """Return the event of an entry as a document, from its cells."""
    act, outcome = Act(cells["act"]), cells["outcome"]
    class_uid, activity_id, activity = _ACTIVITIES.get(act, (_ENTITY, _OTHER, str(act)))
    (category_uid, category), class_name = _CLASSES[class_uid]
    done = outcome == Outcome.DONE
    severity = 1 if done and act not in _NOTABLE else 3
    what = f"{cells['object_kind']} {cells['object_name']}" if cells["object_name"] else cells["object_kind"]
    return {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_name": category,
        "category_uid": category_uid,
        "class_name": class_name,
        "class_uid": class_uid,
        "type_uid": class_uid * 100 + activity_id,
        "type_name": f"{class_name}: {activity}",
        "severity": _SEVERITIES[severity],
        "severity_id": severity,
        "status": "Success" if done else "Failure",
        "status_id": 1 if done else 2,
        "status_detail": outcome,
        "time": _number(cells["time_ms"]),
        "timezone_offset": 0,
        "message": f"{cells['actor']} as {cells['role']}: {act} {what}, {outcome}",
        "metadata": _metadata(cells, origin=origin),
        "actor": _actor(cells),
        "attestation_list": [_attestation(cells, origin=origin)],
        "unmapped": _unmapped(cells, origin=origin),
        **_PARTICULARS[class_uid](cells),
    }


def _number(cell: str) -> int | str:
    """Return a cell as a number; what stands for one in a template stays."""
    return int(cell) if cell.isdigit() else cell


def _metadata(cells: Mapping[str, str], *, origin: str) -> dict[str, Any]:
    return {
        "version": VERSION,
        "product": PRODUCT,
        "profiles": ["record_integrity"],
        "uid": cells["id"] or f"{origin}#{cells['index']}",
        "sequence": _number(cells["index"]),
        "log_name": origin,
        "log_provider": "mentorplane",
        "log_version": cells["format"],
        "event_code": cells["act"],
        "original_time": cells["time"],
        "tenant_uid": cells["organisation"],
    }


def _actor(cells: Mapping[str, str]) -> dict[str, Any]:
    user = {**_user(cells["actor"]), "groups": [{"name": cells["role"]}]}
    found: dict[str, Any] = {"user": user, "app_name": cells["client"] or str(Client.SYSTEM)}
    if cells["session"]:
        found["session"] = {"uid": cells["session"]}
    if cells["behalf"]:
        found["invoked_by"] = cells["behalf"]
    return found


def _user(identity: str) -> dict[str, Any]:
    kind = (3, "System") if identity == "system" else (1, "User")
    return {"uid": identity, "name": identity, "type_id": kind[0], "type": kind[1]}


def _attestation(cells: Mapping[str, str], *, origin: str) -> dict[str, Any]:
    fingerprint = {"algorithm": "RFC 6962 leaf hash, SHA-256", "algorithm_id": _OTHER, "value": cells["leaf_hash"]}
    found: dict[str, Any] = {
        "uid": f"{origin}#{cells['index']}",
        "authority_uid": origin,
        "chain_uid": origin,
        "fingerprint": fingerprint,
    }
    if cells["previous"]:
        found["prev_event"] = {"uid": f"{origin}#{cells['previous']}"}
    return found


def _unmapped(cells: Mapping[str, str], *, origin: str) -> dict[str, Any]:
    """Return what OCSF has no place for: where the entry is in the log, and each member that is not empty."""
    found = {name: cells[name] for name in _UNMAPPED if cells[name]}
    return {
        **found,
        "leaf_index": _number(cells["index"]),
        "position": _number(cells["position"]),
        "log": origin,
        "ocsf_compatible": COMPATIBLE,
    }


def _entity(cells: Mapping[str, str]) -> dict[str, Any]:
    name = cells["object_name"] or cells["object_kind"]
    uid = cells["before"] or cells["object_digest"] or name
    entity = {"type": cells["object_kind"], "name": name, "uid": uid}
    if cells["object_version"]:
        entity["version"] = cells["object_version"]
    found: dict[str, Any] = {"entity": entity}
    if cells["after"]:
        found["entity_result"] = {**entity, "uid": cells["after"]}
    if cells["reason_code"]:
        found["comment"] = cells["reason_code"]
    return found


def _account(cells: Mapping[str, str]) -> dict[str, Any]:
    return {"user": _user(cells["object_name"] or cells["actor"])}


def _authentication(cells: Mapping[str, str]) -> dict[str, Any]:
    return {
        **_account(cells),
        "auth_protocol": cells["auth"],
        "auth_protocol_id": _OTHER,
        "service": {"name": "mentorplane"},
        "is_remote": cells["client"] != Client.CLI,
    }


def _api(cells: Mapping[str, str]) -> dict[str, Any]:
    name = cells["object_name"] or cells["object_kind"]
    return {
        "api": {"operation": cells["act"], "service": {"name": "mentorplane"}},
        "src_endpoint": {"name": cells["client"] or str(Client.SYSTEM)},
        "resources": [{"type": cells["object_kind"], "name": name, "uid": cells["object_digest"] or name}],
    }


_PARTICULARS = {_ACCOUNT: _account, _AUTHENTICATION: _authentication, _ENTITY: _entity, _API: _api}
_UNMAPPED = (
    "actor_name",
    "auth",
    "bundle",
    "channel",
    "checks",
    "clock",
    "diff",
    "holds",
    "key",
    "leaf_hash",
    "manifest",
    "meaning",
    "models",
    "object_digest",
    "object_kind",
    "object_name",
    "policy",
    "reason",
    "reason_code",
    "retention",
    "statement",
    "subject",
    "ticket",
    "tier",
    "tile",
)
