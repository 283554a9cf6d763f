"""Asking whether scripts would break callers or parsers, before anybody proposes them: a dry run of the contract check.

Promises: the answer is that of the check; nothing is stored or logged. Does not: ask who has the right to propose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlmodel import Session

from control_plane import db
from control_plane.plane import ControlPlane
from control_plane.policy.checks import Candidate
from control_plane.policy.checks.contracts import breaks_of, modes_of
from control_plane.policy.compatibility import MODES, Break
from control_plane.registry.drafts import Edit, make_draft, read_files
from control_plane.registry.reports import gather
from control_plane.tables.registry import RevisionRow
from edge_runtime.core.errors import InvalidDocument

__all__ = ["Verdict", "dry_run"]

_NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one script is compatible: the modes that were asked for, and each break of them."""

    kind: str
    name: str
    modes: tuple[str, ...]
    versions: int
    compatible: bool
    breaks: tuple[Break, ...]


def dry_run(
    plane: ControlPlane, files: Mapping[str, str | bytes], *, channel: str = "", mode: str = ""
) -> tuple[Verdict, ...]:
    """Return a verdict for each script that the files would change, by kind and name.

    Args:
        plane: the control plane.
        files: YAML by path, as for a proposal.
        channel: whose live release is compared with; "" for the usual one.
        mode: asks for this mode instead of those that apply.

    Raises:
        InvalidDocument: a file does not read, nothing governed would change, or the mode is none.
        Conflict: a name is taken by an entry of another kind.
    """
    if mode and mode not in MODES:
        raise InvalidDocument(f"expected a mode among {', '.join(MODES)}, got another")
    with db.read(plane.engine) as session:
        candidate = _candidate(plane, session, Edit(channel or plane.channel, _NOBODY, read_files(files)))
    verdicts = []
    for entry, prompt in candidate.scripts():
        modes = (mode,) if mode else modes_of(candidate, entry)
        breaks = breaks_of(candidate, entry, prompt, modes=modes)
        earlier = {*candidate.earlier.get(entry.key, ()), *([old.digest] if (old := candidate.before(entry)) else ())}
        verdicts.append(Verdict(entry.kind, entry.name, modes, len(earlier), not breaks, breaks))
    return tuple(verdicts)


def _candidate(plane: ControlPlane, session: Session, edit: Edit) -> Candidate:
    """Return what checks would be given if the edit were proposed now."""
    draft = make_draft(plane, session, edit)
    revision = RevisionRow(
        proposal=0,
        revision=0,
        editor=edit.editor,
        digest=draft.digest,
        base=draft.manifest.base,
        manifest=draft.data,
        files=[{"kind": f.kind, "name": f.name, "path": f.path, "text": f.text} for f in edit.files],
        removed=[],
        at=plane.now(),
    )
    candidate = gather(session, revision)
    return replace(candidate, closures={**candidate.closures, **draft.closures})
