"""Witnesses: asking outsiders to cosign what is published, and knowing whose cosignatures count.

The file `witness-policy` in the home (a tlog-policy) says who they are, where they answer, and how many it takes. While
there is none, the log is self-contained.

Promises: a cosigned checkpoint replaces the published one only if it says the same and a quorum signed it; an act waits
for witnesses only so long, and never fails because of one; the next publication or the server's timer asks again. Since
devices count freshness from when witnesses last cosigned, a log that does not grow is cosigned anew.
Does not: decide how far a witness is independent of the operator. Source: C2SP tlog-policy, tlog-witness.
"""

from __future__ import annotations

import logging
import time
from functools import lru_cache

from audit.disk import Disk
from audit.errors import AuditError
from audit.folder import folder_reader
from audit.frozen import replace
from audit.note import Verifier, parse_note
from audit.policy import Policy, cosigned_at, evaluate, parse_policy, probe
from audit.witness.client import cosigned, witnesses_of
from audit.writer import write_checkpoint
from control_plane import checkpoints
from control_plane.ledger.publish import publish_log, publishing
from control_plane.plane import ControlPlane
from edge_runtime.core.errors import InvalidDocument, MentorplaneError

__all__ = ["ACT_WAIT_S", "ask_witnesses", "problems", "verifiers", "witness_policy"]

ACT_WAIT_S = 0.5
"""The longest that an act waits for witnesses, after it is done and published."""
TIMER_WAIT_S = 10.0
_LOG = logging.getLogger(__name__)


def witness_policy(plane: ControlPlane) -> Policy | None:
    """Return the policy of the home; None if there is none.

    Raises:
        InvalidDocument: the file is not a policy, or accepts what nobody may accept.
    """
    try:
        data = plane.settings.witness_policy.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _parsed(data)
    except AuditError as error:
        raise InvalidDocument(f"expected a witness policy in {plane.settings.witness_policy.name}: {error}") from error


@lru_cache(maxsize=4)
def _parsed(data: bytes) -> Policy:
    policy = parse_policy(data)
    probe(policy)
    return policy


def verifiers(plane: ControlPlane) -> tuple[Verifier, ...]:
    """Return the log's key and those of the witnesses of the policy; a file that is no policy names none."""
    try:
        known = witness_policy(plane)
    except InvalidDocument:
        known = None  # `problems` says so
    return (plane.keys.log.verifier, *(one.verifier for one in (known.witnesses if known else ())))


def problems(plane: ControlPlane) -> tuple[str, ...]:
    """Return what the policy of the home has against the published checkpoint, or what is wrong with the policy.

    () if there is no policy.
    """
    path = plane.site / "log" / "checkpoint"
    try:
        known = witness_policy(plane)
    except InvalidDocument as error:
        return (str(error),)
    if known is None or not path.is_file():
        return ()
    verdict = evaluate(known, path.read_bytes())
    return () if verdict.ok else (f"the published checkpoint does not satisfy the witness policy: {verdict.because}",)


def ask_witnesses(plane: ControlPlane, *, timeout_s: float = TIMER_WAIT_S, anew_after_s: int = 0) -> bool:
    """Have the published checkpoint cosigned, if it is not; return whether it satisfies the policy now.

    With `anew_after_s` also if the quorum cosigned it longer ago than that. Never raises for what a witness, its policy
    or the disk does wrong: that is logged, and asked again another time.
    """
    end_s = time.monotonic() + timeout_s
    try:
        known = witness_policy(plane)
        if known is None:
            return True
        if not plane.asking.turn.acquire(timeout=timeout_s):
            return False
        try:
            return _ask(plane, known, end_s=end_s, anew_after_s=anew_after_s)
        finally:
            plane.asking.turn.release()
    except (AuditError, MentorplaneError, OSError, ValueError):
        _LOG.exception("the witnesses were not asked; the next publication or the timer does it")
        return False


def _ask(plane: ControlPlane, known: Policy, *, end_s: float, anew_after_s: int) -> bool:
    folder = plane.site / "log"
    while True:
        note = (folder / "checkpoint").read_bytes()
        verdict = evaluate(known, note)
        if verdict.ok:
            since_s = plane.now().timestamp() - cosigned_at(known, verdict.witnesses)
            if not anew_after_s or since_s <= anew_after_s:
                return True  # it is as it should be, or somebody asked while we waited for our turn
            note = _by_the_log_alone(plane, note)
        left_s = end_s - time.monotonic()
        witnesses = witnesses_of(known)
        if left_s <= 0 or not witnesses:
            return False
        result = cosigned(
            note,
            folder_reader(folder),
            witnesses,
            timeout_s=left_s,
            sizes=plane.asking.sizes,
            enough=known.is_met_by,
        )
        plane.asking.sizes.update(result.sizes)
        for failure in result.failures:
            _LOG.warning("witness %s did not cosign: %s", failure.name, failure.because)
        if not evaluate(known, result.note).ok:
            return False
        with publishing(plane):
            # INVARIANT: what is remembered never goes back, also if a crash left a newer checkpoint unpublished.
            overtaken = checkpoints.newest(plane) != checkpoints.published(plane)
            if not overtaken and parse_note((folder / "checkpoint").read_bytes()).text == parse_note(note).text:
                # Crash between the two: the cosignatures are remembered and not published; they are asked for again.
                if not verdict.ok:  # of those that are made anew the first are remembered
                    checkpoints.remember(plane, result.note)
                write_checkpoint(Disk(folder), result.note, remembered=True)
                return True
        if overtaken:
            publish_log(plane)
        # Another publication overtook us: the witnesses are asked about the newer checkpoint, while there is time.


def _by_the_log_alone(plane: ControlPlane, data: bytes) -> bytes:
    """Return a checkpoint without the lines of witnesses: beside an older line of theirs a new one would not count."""
    note, own = parse_note(data), plane.keys.log.verifier
    lines = tuple(one for one in note.signatures if (one.name, one.key_id) == (own.name, own.key_id))
    return replace(note, signatures=lines).encode()
