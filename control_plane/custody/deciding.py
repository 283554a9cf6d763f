"""Deciding about a proposal where one's own key is: everything is derived again, nothing is believed.

The server sends bytes; the release that they are compared with is one that this machine verified itself, as a device
does. Promises: what is signed are digests derived here from the content that was shown here; the diff is against the
verified release; the checks are those installed here; a proposal on another base than that release is refused.
Does not: fetch (see `mentorplane approve --key`), or hide what a server could do: it can withhold a proposal, and it
chooses the cases and earlier contents that the checks are given besides, which no signature covers. An author's own
files are frozen here, and must be what the manifest names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.record import commit
from control_plane.diffs.words import FieldDiff, diff_closures
from control_plane.errors import Conflict, Refused
from control_plane.policy.checks.records import Candidate, CheckResult
from control_plane.reviewing.material import Material
from control_plane.signing import SALT_BYTES
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import SETTINGS
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import TIERS, Entry, Manifest, changed_entries, manifest_digest, parse_manifest
from edge_runtime.core.statements import Statement, sign_statement

__all__ = [
    "Decision",
    "Derived",
    "Shown",
    "Verified",
    "derive",
    "material_of",
    "require_written",
    "sign_authorship",
    "sign_decision",
]


@dataclass(frozen=True, slots=True)
class Verified:
    """A release that this machine verified itself, with its contents by digest; none before the first."""

    manifest: Manifest | None
    closures: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry that changes, or the release's own settings, and how; `digest` is "" for one that goes."""

    kind: str
    name: str
    tier: str
    digest: str
    diff: tuple[FieldDiff, ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """A proposal as this machine derived it: what is signed, what to read first, and what the checks said here."""

    number: int
    channel: str
    organisation: str
    manifest: str
    entries: tuple[Entry, ...]
    changes: tuple[Shown, ...]
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided: `act` is approve or reject."""

    act: str
    person: str
    role: str
    reason: str


def material_of(asked: Any) -> Material:
    """Return what a server says that there is to sign, as it is derived from."""
    return Material(**{one.name: getattr(asked, one.name) for one in fields(Material)})


def derive(material: Material, verified: Verified, *, manifest: str = "") -> Derived:
    """Return a proposal as derived from its bytes and a release that was verified here.

    Args:
        material: what the server sent.
        verified: the release to compare with.
        manifest: digest that the signer was told elsewhere, if they were; it must be the one that is derived.

    Raises:
        InvalidDocument: a part does not read.
        Refused: contents are not those that the manifest names, or it is for another organisation or channel.
        Conflict: it stands on another release than the one that was verified here.
    """
    data = material.manifest.encode()
    proposed, digest = parse_manifest(data), manifest_digest(data)
    base = verified.manifest
    if manifest and manifest != digest:
        raise Refused("expected the manifest of the digest that was given, got another")
    if (proposed.organisation, proposed.channel) != (material.organisation, material.channel):
        raise Refused("expected a manifest for the organisation and channel that the server says, got another")
    if base is not None and (base.organisation, base.channel) != (proposed.organisation, proposed.channel):
        raise Refused("expected a proposal for the organisation and channel of the verified release, got another")
    if proposed.base != (base.digest if base else ""):
        raise Conflict(
            "expected a proposal on the release that this machine verified, got one on another",
            hint="the source may lag behind, or the proposal is stale: refresh, or have it rebased",
        )
    closures = dict(verified.closures)
    for named, text in material.closures.items():
        if canonical.digest(text.encode()) != named:
            raise Refused("expected contents with the digests that name them, got others")
        closures[named] = text.encode()
    introduced = changed_entries(proposed, base)
    if missing := [entry for entry in introduced if entry.digest not in closures]:
        raise Refused(f"expected the content of {missing[0].kind} {missing[0].name!r}, got none")
    candidate = _candidate(material, (proposed, base), introduced=introduced, closures=closures)
    return Derived(
        material.number,
        proposed.channel,
        proposed.organisation,
        digest,
        introduced,
        changes=_shown(proposed, base, closures=closures),
        checks=_run(candidate),
    )


def sign_decision(
    derived: Derived, decision: Decision, key: Ed25519PrivateKey, *, salt: bytes, at: datetime
) -> JsonObject:
    """Return what goes to the server: the signed statement, the reason and the salt of its commitment.

    Raises:
        Refused: an approval although a check failed here.
        InvalidDocument: no reason, or a salt of another length.
    """
    if not decision.reason.strip() or len(salt) != SALT_BYTES:
        raise InvalidDocument("expected a reason and a salt of 16 bytes")
    failed = [check.name for check in derived.checks if check.status == "failed"]
    if decision.act == "approve" and failed:
        raise Refused(f"expected every check to pass here, and these did not: {', '.join(failed)}")
    statement = Statement(
        act=decision.act,
        organisation=derived.organisation,
        channel=derived.channel,
        manifest=derived.manifest,
        entries=tuple(sorted(derived.entries)),
        person=decision.person,
        role=decision.role,
        reason=commit(decision.reason, salt),
        at=f"{at:%Y-%m-%dT%H:%M:%SZ}",
    )
    envelope = sign_statement(statement, key)
    return {"envelope": envelope.as_json(), "reason": decision.reason, "salt": dsse.encode_base64(salt)}


def require_written(material: Material, files: Mapping[str, str]) -> None:
    """Refuse a proposal in which one of these files is not just as this machine freezes it.

    Passages and words that files share are the server's to send; each must be what the manifest names.

    Raises:
        InvalidDocument: a file does not read or freeze.
        Refused: the manifest names other content.
    """
    from control_plane.sources.closures import CLOSURE_KINDS, freeze  # which reads YAML
    from control_plane.sources.parsing import parse_source

    named = {entry.key: entry.digest for entry in parse_manifest(material.manifest.encode()).entries}
    written = [parse_source(text.encode(), path) for path, text in files.items()]
    shared = [parse_source(text.encode(), name) for name, text in material.shared.items()]
    for source in (*shared, *(one for one in written if one.kind in CLOSURE_KINDS)):
        digest = named.get((source.kind, source.name))
        if digest != canonical.digest(freeze(source, [*shared, *written])):
            raise Refused(f"expected {source.kind} {source.name!r} as this machine freezes it, got another")


def sign_authorship(
    material: Material, derived: Derived, key: Ed25519PrivateKey, *, person: str, salt: bytes, at: datetime
) -> JsonObject:
    """Return what goes to the server: the author's signed statement, and the salt of its commitment to the title.

    Raises:
        Refused: it is to be signed for entries that were not shown.
    """
    wanted = set(material.signs)
    entries = tuple(sorted(entry for entry in derived.entries if f"{entry.kind} {entry.name}" in wanted))
    if len(entries) != len(wanted):
        raise Refused("expected to sign for what changes, got something else")
    statement = Statement(
        act="author",
        organisation=derived.organisation,
        channel=derived.channel,
        manifest=derived.manifest,
        entries=entries,
        person=person,
        role="author",
        reason=commit(material.title, salt) if material.title else "",
        at=f"{at:%Y-%m-%dT%H:%M:%SZ}",
    )
    return {"envelope": sign_statement(statement, key).as_json(), "salt": dsse.encode_base64(salt)}


def _candidate(
    material: Material,
    manifests: tuple[Manifest, Manifest | None],
    *,
    introduced: tuple[Entry, ...],
    closures: Mapping[str, bytes],
) -> Candidate:
    earlier = {}
    for key, found in material.earlier.items():
        kind, _, name = key.partition(" ")
        earlier[kind, name] = tuple(found)
    return Candidate(
        *manifests,
        introduced,
        closures=closures,
        cases=material.cases,
        recordings=material.recordings,
        earlier=earlier,
    )


def _run(candidate: Candidate) -> tuple[CheckResult, ...]:
    from control_plane.policy.checks.running import run_checks  # brings every check that is installed

    return run_checks(candidate)


def _shown(manifest: Manifest, base: Manifest | None, *, closures: Mapping[str, bytes]) -> tuple[Shown, ...]:
    before = {entry.key: entry for entry in base.entries} if base else {}
    found = []
    for entry in changed_entries(manifest, base):
        old = before.get(entry.key)
        old_data = closures.get(old.digest) if old else None
        if old is not None and old_data is None:
            raise Refused(f"expected the verified content of {old.kind} {old.name!r} on this machine, got none")
        diff = diff_closures(old_data, closures[entry.digest])
        found.append(Shown(entry.kind, entry.name, entry.tier, entry.digest, diff=tuple(diff)))
    kept = {entry.key for entry in manifest.entries}
    gone = [entry for key, entry in before.items() if key not in kept]
    found += [Shown(entry.kind, entry.name, entry.tier, "", diff=()) for entry in gone]
    was, now = (_settings(one) for one in (base or manifest, manifest))
    if was != now:  # what no entry shows: stages, lifted withdrawals, hours, locales
        found.append(Shown(SETTINGS, "settings", TIERS[-1], canonical.digest(now), diff_closures(was, now)))
    return tuple(found)


def _settings(manifest: Manifest) -> bytes:
    return canonical.encode(
        {
            "locales": list(manifest.locales),
            "stages": ", ".join(f"{percent} %" for percent in manifest.stages),
            "models": [model.as_json() for model in manifest.models],
            "fresh_for_s": manifest.fresh_for_s,
            "valid_for_s": manifest.valid_for_s,
            "lifts": list(manifest.lifts),
            "emergency": manifest.emergency,
        }
    )
