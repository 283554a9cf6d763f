"""How the command line says a proposal to people: what it changes, who said what about it, and what comes next.

Promises: whoever acted is named by login; a proposal's last lines say what it waits for, when it goes out or why it
did not, and which command goes on. Does not: ask for anything but the digest of which somebody typed the beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.client.api import Operations
    from control_plane.client.records import Change, CheckResult, Course, Missing, Proposal, ProposalDetail, Task

__all__ = [
    "course_lines",
    "detail_lines",
    "missing_lines",
    "moment",
    "proposal_line",
    "task_line",
    "whole_digest",
]

_BEGINNING = re.compile("(sha256:)?[0-9a-f]{12,64}")
_COMMANDS = {
    "approve": "mentorplane proposal show {number}, then mentorplane approve {number}",
    "check": "mentorplane check {number}",
    "edit": "mentorplane propose FILES --edit {number}, or mentorplane proposal rebase {number}",
    "release": "mentorplane release {number}",
    "reschedule": "mentorplane schedule {number} --at TIME, or mentorplane unschedule {number}",
    "return": "mentorplane return --channel {channel}",
    "review": "mentorplane proposal show {number}",
    "review-release": "mentorplane channels, then mentorplane review",
}


def whole_digest(client: Operations, number: int, seen: str) -> str:
    """Return the digest of the proposal as it is now if `seen` is a beginning of it, else what was given."""
    if not _BEGINNING.fullmatch(seen):
        raise InvalidDocument(
            "expected --manifest to be a digest, or at least its first 12 hex digits",
            hint=f"`mentorplane proposal show {number}` says it",
        )
    now = client.proposals.get(number).proposal.manifest
    return now if now.removeprefix("sha256:").startswith(seen.removeprefix("sha256:")) else seen


def moment(at: datetime) -> str:
    """Return a time as people read it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def proposal_line(made: Proposal) -> str:
    """Return where a proposal stands, in a line."""
    return f"proposal {made.number} on {made.channel}, revision {made.revision}, {made.state}: {made.manifest}"


def task_line(task: Task) -> str:
    """Return one line of an inbox: the proposal, what it waits for and the command that does it."""
    proposal = task.proposal
    due = f", due {moment(task.due)}" if task.due else ""
    asked = ", you were asked" if task.requested else ""
    command = _COMMANDS[task.why].format(number=proposal.number, channel=proposal.channel)
    return f"{proposal.number:4} {proposal.channel:10} {task.why:14} {proposal.title}{due}{asked}\n     {command}"


def detail_lines(found: ProposalDetail, logins: Mapping[str, str]) -> Iterator[str]:
    """Yield a proposal, line by line; `logins` by person id."""
    proposal = found.proposal
    stale = f", stale: `proposal rebase {proposal.number}` puts it on the live release" if found.stale else ""
    emergency = ", an emergency" if found.course.emergency else ""
    yield (
        f"proposal {proposal.number} for {proposal.channel}, revision {proposal.revision}, {proposal.state}"
        f"{emergency}{stale}"
    )
    yield f"title {proposal.title}"
    yield f"manifest {proposal.manifest}"
    for change in found.changes:
        yield from _change_lines(change)
    yield from (f"release: {said}" for said in found.settings)
    yield from _check_lines(found.checks)
    for one in found.signatures:
        who = logins.get(one.person, one.person)
        yield f"signed {one.act} by {who} as {one.role}" + (", void" if one.void else "")
    for objection in found.objections:
        if objection.standing:
            who = logins.get(objection.person, objection.person)
            yield f"{objection.act} by {who} as {objection.role}: {objection.reason}"
    yield from (f"asked {logins.get(one.person, one.person) or one.role}" for one in found.requested)
    yield from (f"changed underneath: {one.kind} {one.name}" for one in found.underneath)
    yield from (f"conflict: {one.kind} {one.name}" for one in found.conflicts)
    yield f"threads {found.threads}, ends {moment(proposal.expires_at)}"
    yield from missing_lines(found.missing)
    yield from course_lines(found.course, ready=found.ready)


def _change_lines(change: Change) -> Iterator[str]:
    from control_plane.diffs.words import as_text

    said = ": removed" if not change.digest else "" if change.before else ": new"
    yield f"{change.kind} {change.name}, tier {change.tier}{said}"
    yield from (f"{one.effect}: {one.sentence}" for one in change.meaning)
    if change.source and not change.before:  # a diff from nothing would say every member by itself
        yield from (f"    {line}" for line in change.source.splitlines())
    elif diff := as_text(change.diff).rstrip():
        yield diff


def _check_lines(checks: Sequence[CheckResult]) -> Iterator[str]:
    """Yield what approvers must read; what passed is a number, and `mentorplane check` has its evidence."""
    for check in checks:
        if check.status != "passed":
            yield f"check {check.name}: {check.status}"
            yield from (f"    {line}" for line in check.evidence)
    passed = sum(1 for check in checks if check.status == "passed")
    yield f"checks: {passed} of {len(checks)} passed" if checks else "checks: not run on this revision"


def missing_lines(missing: Sequence[Missing]) -> Iterator[str]:
    """Yield whose approvals are missing, and why they are asked for."""
    for one in missing:
        roles = f" of {' or '.join(one.roles)}" if one.roles else ""
        because = f", because {one.because}" if one.because else ""
        yield f"missing {one.people}{roles} for {one.what}{because}"


def course_lines(course: Course, *, ready: bool) -> Iterator[str]:
    """Yield what becomes of a proposal by itself, and what stands in the way of a release."""
    if course.suspended and course.goes_out:
        yield f"suspended: it was to go out at {moment(course.goes_out)}, but {course.because}"
        yield "    edit or rebase it, or schedule it anew"
    elif course.goes_out:
        yield f"scheduled: it goes out at {moment(course.goes_out)} if all that holds now still holds"
    if course.trial_ends:
        outcome = f": {course.trial_outcome}" if course.trial_outcome else ""
        yield f"trial: ends {moment(course.trial_ends)}, then {course.trial_then}{outcome}"
    if course.review_due:
        yield f"review: its release is to be reviewed by {moment(course.review_due)}, see `mentorplane channels`"
    if ready:
        yield "ready to release"
    elif course.hindrance:
        yield f"not yet: {course.hindrance}"
