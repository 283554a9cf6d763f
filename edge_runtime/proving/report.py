"""A proof in words, as one JSON object, and its requests as files.

Promises: claims no more than was watched; says what was not reached, left out, missed, and disclosed as the policy
allows. Values of canaries are shown: they belong to nobody. Does not: judge.
"""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_runtime.proving.proof import Proof
from edge_runtime.proving.records import Leak, Tally
from edge_runtime.proving.runs import SCENARIOS

__all__ = ["as_json", "claim", "in_words", "write_requests"]

_ROUTES = ("device", "local model", "redacted", "cloud", "block", "hand-off", "handed over")
_COLUMNS = ("route", "runs", "requests", "bytes sent", "canaries said", "disclosed", "missed", "leaked")
_MOST_LEAKS, _MOST_CANARIES = 40, 5
NOT_WATCHED = (
    "files that native code opens without Python; what sizes and times give away; the memory of the process",
    "; and, without a network namespace, connections that native code makes without Python",
)


def claim(proof: Proof, *, tolerated: Collection[str]) -> str:
    """Return what the proof shows, in one sentence that holds."""
    verdict = proof.verdict
    if failing := verdict.failing(tolerated):
        left = _kinds(proof, failing)
        return f"NOT HELD: {len(failing)} ways out that may not be{f'; by them left {left}' if left else ''}"
    routes = ", ".join(one.route for one in verdict.tallies)
    out = f"of the routes taken ({routes}) no canary left in any form"
    if verdict.leaks:
        out += f", but those that were tolerated: {_kinds(proof, verdict.leaks)}"
    elsewhere = "nothing but the recorder was reached, no program started, no file written outside the home"
    return f"held: {out}; {elsewhere}{', as far as Python was asked' if proof.chamber else ''}"


def _kinds(proof: Proof, leaks: Collection[Leak]) -> str:
    """Return how many canaries of which kinds stand in some leaks."""
    numbers = {number for leak in leaks for number in leak.canaries}
    return _counted(Counter(proof.evidence.canaries[number].kind for number in numbers))


def in_words(proof: Proof, *, tolerated: Collection[str]) -> str:
    """Return the proof as lines for people."""
    evidence, device = proof.evidence, proof.device
    lines = []
    if device:
        lines.append(
            f"release {device['release']} on {device['channel']} of {device['organisation']}; {device['reader']}"
        )
    lines += [
        f"{len(evidence.texts):,} texts with {len(evidence.canaries):,} canaries made for this proof alone",
        f"{len(evidence.runs):,} runs in a watched process",
        "",
        "how it was watched",
        *(f"  {name:<18} {said}" for name, said in _watched(proof).items()),
        "",
        *_table(proof.verdict.tallies),
        *_scenarios(proof),
        *_not_reached(proof),
        "",
        *_what_left(proof),
        *_recall(proof),
        *_leak_lines(proof, tolerated),
        "",
        claim(proof, tolerated=tolerated),
    ]
    return "\n".join(lines)


def _watched(proof: Proof) -> dict[str, str]:
    evidence, wire = proof.evidence, proof.evidence.wire
    packets = "no: it is not allowed here" if not proof.chamber else "no: there is no network of its own to capture"
    if wire is not None:
        lost = f"{wire.lost:,} LOST" if wire.lost else "none lost"
        packets = (
            f"{wire.packets:,} packets, {lost}; {wire.to_recorder_bytes:,} bytes to the recorder, "
            f"which got {evidence.received_bytes:,}"
        )
    return {
        "audit hooks": f"set before anything of ours was loaded; {len(evidence.told):,} events told",
        "network namespace": f"no: {proof.chamber}"
        if proof.chamber
        else "yes: no other machine could be reached, and every address led to a captured wire",
        "packet capture": packets,
        "also searched": (
            f"{len(evidence.said):,} log records and outputs, {len(evidence.kept):,} files, every repr and exception"
        ),
        "not watched": NOT_WATCHED[0] + (NOT_WATCHED[1] if proof.chamber else ""),
    }


def _table(tallies: tuple[Tally, ...]) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [_COLUMNS]
    for one in tallies:
        route, *counts = asdict(one).values()
        rows.append((route, *(f"{count:,}" for count in counts)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield f"{row[0].ljust(widths[0])}  {'  '.join(cells)}"


def _scenarios(proof: Proof) -> Iterator[str]:
    """Yield how often each scenario was run, and what replies said went wrong."""
    if proof.device:
        yield f"scenarios: {_counted(_runs_of(proof))}"
    for said, times in sorted(_problems(proof).items()):
        yield f"  {times:,} times a reply told: {said}"


def _runs_of(proof: Proof) -> dict[str, int]:
    """Return of each scenario how many runs it had, none included."""
    counts = Counter(run.scenario for run in proof.evidence.runs)
    return {name: counts[name] for name in (SCENARIOS if proof.device else counts)}


def _problems(proof: Proof) -> Counter[str]:
    return Counter(said for run in proof.evidence.runs for reply in run.replies for said in reply["problems"])


def _not_reached(proof: Proof) -> Iterator[str]:
    reached = {one.route for one in proof.verdict.tallies}
    missing = [route for route in _ROUTES if route not in reached]
    if proof.device and missing:
        yield f"not proved, since no run took it: {', '.join(missing)}"
    for said in proof.left_out:
        yield f"left out: {said}"
    if proof.evidence.unfit:
        yield f"{proof.evidence.unfit:,} turns fitted no prompt of the release"


def _what_left(proof: Proof) -> Iterator[str]:
    requests = [one for one in proof.evidence.requests if not one.local]
    handed = next((one for one in proof.verdict.tallies if one.route == "handed over"), None)
    if handed:
        yield f"handed to the app for a model of its own: {handed.runs:,} covered texts, {handed.sent_bytes:,} bytes"
    if not requests:
        yield "what left: nothing"
        return
    total = sum(len(request.data) for request in requests)
    yield f"what left: {len(requests):,} requests, {total:,} bytes, all to the recorder; the first, byte for byte:"
    yield from (f"  | {line}" for line in requests[0].data.decode("utf-8", "backslashreplace").splitlines())
    yield "  all of them: --write FOLDER, or --json"


def _recall(proof: Proof) -> Iterator[str]:
    """Yield how much the reader found of what only its sense tells."""
    if recall := proof.verdict.recall:
        found = (f"{kind} {there:,} of {said:,}" for kind, (there, said) in recall.items())
        yield f"found by the reader, of what nobody named to the app: {', '.join(found)}"


def _counted(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count:,}" for kind, count in sorted(kinds.items()))


def _leak_lines(proof: Proof, tolerated: Collection[str]) -> Iterator[str]:
    leaks = proof.verdict.leaks
    if leaks:
        yield ""
        yield "ways out that may not be"
    for leak in leaks[:_MOST_LEAKS]:
        excused = f" (tolerated: {leak.excuse})" if leak.excuse and leak.excuse in tolerated else ""
        yield f"  {leak.way}: {leak.what}{_where(proof, leak)}{excused}"
        yield from (f"      by {caller}" for caller in _nearest(leak.callers))
        for canary in (proof.evidence.canaries[number] for number in leak.canaries[:_MOST_CANARIES]):
            yield f"      {canary.kind}: {canary.value}"
        if len(leak.canaries) > _MOST_CANARIES:
            yield f"      and {len(leak.canaries) - _MOST_CANARIES:,} more"
    if len(leaks) > _MOST_LEAKS:
        yield f"  and {len(leaks) - _MOST_LEAKS:,} more: --json lists all"


def _nearest(callers: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lines to look at first: the nearest, and the nearest one outside of installed packages."""
    own = [caller for caller in callers if f"{os.sep}lib{os.sep}python" not in caller]
    return tuple(dict.fromkeys((*callers[:1], *own[:1])))


def _where(proof: Proof, leak: Leak) -> str:
    times = "" if leak.times == 1 else f", {leak.times:,} times"
    if leak.run < 0 or leak.run >= len(proof.evidence.runs):
        return times
    run = proof.evidence.runs[leak.run]
    return f"{times}, first with text {run.text} turn {run.turn}, {run.scenario}"


def as_json(proof: Proof, *, tolerated: Collection[str]) -> dict[str, Any]:
    """Return the proof as a JSON object, with every request byte for byte."""
    verdict, evidence = proof.verdict, proof.evidence
    return {
        "held": not verdict.failing(tolerated),
        "claim": claim(proof, tolerated=tolerated),
        "tolerated": sorted(tolerated),
        "device": proof.device,
        "texts": len(evidence.texts),
        "canaries": len(evidence.canaries),
        "runs": len(evidence.runs),
        "watched": _watched(proof),
        "namespace": not proof.chamber,
        "captured": evidence.wire is not None,
        "scenarios": _runs_of(proof),
        "routes": [asdict(one) for one in verdict.tallies],
        "problems": dict(_problems(proof)),
        "left_out": list(proof.left_out),
        "unfit": evidence.unfit,
        "recall": {kind: {"found": found, "said": said} for kind, (found, said) in verdict.recall.items()},
        "leaks": [_leak_document(proof, leak) for leak in verdict.leaks],
        "requests": [{"run": one.run, "local": one.local, **_bytes_document(one.data)} for one in evidence.requests],
    }


def _leak_document(proof: Proof, leak: Leak) -> dict[str, Any]:
    canaries = [proof.evidence.canaries[number] for number in leak.canaries]
    return {
        "way": leak.way,
        "what": leak.what,
        "times": leak.times,
        "run": leak.run,
        "callers": list(leak.callers),
        "excuse": leak.excuse,
        "canaries": [{"kind": canary.kind, "value": canary.value} for canary in canaries],
    }


def _bytes_document(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def write_requests(proof: Proof, folder: Path) -> None:
    """Write every request as a file of its own, byte for byte as it left.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, request in enumerate(proof.evidence.requests, start=1):
        (folder / f"{number:05}-run-{request.run}.http").write_bytes(request.data)
