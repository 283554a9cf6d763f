"""What an entry of the log says about a manifest: policy in force, models, riskiest tier, the change.

Does not: read or write rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from control_plane.policy.checks.records import CheckResult
from edge_runtime.core import canonical
from edge_runtime.core.manifest import Manifest, changed_entries

__all__ = ["Facts", "checks_digest", "facts_of"]


@dataclass(frozen=True, slots=True)
class Facts:
    """Digests of the policy in force, of the list of models, of the change; the riskiest tier that changes."""

    policy: str = ""
    models: str = ""
    tier: str = ""
    diff: str = ""


def facts_of(manifest: Manifest, base: Manifest | None) -> Facts:
    """Return the facts about a manifest that follows another.

    `policy` is the digest of the policy, or of the list of digests if there are several.
    """
    policies = sorted(entry.digest for entry in manifest.entries if entry.kind == "policy")
    changed = changed_entries(manifest, base)
    kept = {entry.key for entry in manifest.entries}
    gone = [entry for entry in (base.entries if base else ()) if entry.key not in kept]
    change = {"changed": [entry.as_json() for entry in changed], "removed": [entry.as_json() for entry in gone]}
    models = {"models": [model.as_json() for model in manifest.models]}
    return Facts(
        policy=policies[0] if len(policies) == 1 else _digest({"policies": list(policies)}) if policies else "",
        models=_digest(models) if manifest.models else "",
        tier=max((entry.tier for entry in (*changed, *gone)), default=""),
        diff=_digest(change),
    )


def checks_digest(results: Iterable[CheckResult]) -> str:
    """Return the digest of the report of checks; "" if there are none."""
    report = [_as_json(one) for one in results]
    return _digest({"checks": report}) if report else ""


def _as_json(result: CheckResult) -> list[object]:
    own: list[object] = [result.name, result.status, list(result.evidence)]
    return [*own, result.version, dict(result.inputs)] if result.version else own  # reports once stated no version


def _digest(document: canonical.JsonObject) -> str:
    return canonical.digest(canonical.encode(document))
