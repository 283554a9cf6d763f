"""What may have left, and what did: from the evidence to leaks, tallies and what the policy disclosed.

    a text that is handed to the app for a model of its own                                      counts as sent
    a canary in a request outside the disclosed text                                             leak
    a canary in the disclosed text that was not said in this session                             leak
    ... that was told, or has a form, where covered text may leave                               leak
    ... that was found, where the policy lets plain text leave                                   leak: disclosed
    ... that only its sense tells, and that was not found                                        leak: missed
    a canary of another session in what the model on the device is asked                         leak
    a canary anywhere else: name, address, argument, file, output, log, exception, repr          leak
    anything reached but the recorder; a program; a file written outside the home                leak, canary or not

Promises: pure; what cannot be told apart counts as the worse of the two. A canary that left is a leak: whether somebody
tolerates that one was missed, or disclosed, is said elsewhere. Does not: gather.
"""

from __future__ import annotations

import ipaddress
import json
import os.path
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from audit.frozen import replace
from edge_runtime.proving.canaries import SENSE, TOLD
from edge_runtime.proving.corpus import Place
from edge_runtime.proving.recorder import Request
from edge_runtime.proving.records import (
    DISCLOSED,
    ELSEWHERE,
    MISSED,
    Evidence,
    Leak,
    Permitted,
    Run,
    Tally,
    Told,
    Verdict,
)
from edge_runtime.proving.search import Search

__all__ = ["judge"]

HANDED_OVER = "handed-over"
"""How a run ends whose covered text an app may give to a model of its own: what is handed over counts as left."""
_REACHING = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}
_LOOKING_UP = {
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
}
_PROGRAMS = (
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "pty.",
    "os.startfile",
    "webbrowser.",
)
_WRITING = (
    *("open", "os.mkdir", "os.rename", "os.link", "os.symlink", "os.truncate", "os.setxattr", "os.mk", "shutil.copy"),
    *("shutil.move", "shutil.make", "tempfile.", "sqlite3.connect", "mmap."),
)
_FROM_TO = ("os.rename", "os.link", "os.symlink", "shutil.")
_NOWHERE = ("/dev/null", ":memory:")


class _Leaks:
    """Leaks, each way out told once with how often it was taken."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Leak] = {}

    def add(
        self,
        way: str,
        what: str,
        *,
        run: int,
        canaries: Iterable[int] = (),
        times: int = 1,
        callers: tuple[str, ...] = (),
        excuse: str = "",
    ) -> None:
        """Add a leak, or to one."""
        found = self._found.get((way, what), Leak(way, what, 0, run, (), callers=callers, excuse=excuse))
        every = tuple(sorted({*found.canaries, *canaries}))
        self._found[way, what] = replace(found, times=found.times + times, canaries=every)

    def all(self) -> tuple[Leak, ...]:
        """Return them in the order in which they were met."""
        return tuple(self._found.values())


def judge(evidence: Evidence) -> Verdict:
    """Return what the evidence comes to."""
    search = Search(evidence.canaries)
    leaks = _Leaks()
    routes = _Routes(evidence, search, leaks)
    routes.judge()
    for told in evidence.told:
        _judge_event(told, evidence, search=search, leaks=leaks)
    for said in evidence.said:
        if found := search.find(said.said):
            leaks.add(said.where, "a canary", run=said.run, canaries=found)
    for kept in evidence.kept:
        if kept.path.split("/")[0] in ELSEWHERE:
            leaks.add("file", f"left behind: {kept.path}", run=-1)
        if found := search.find(kept.path) | search.find(kept.data):
            leaks.add("file", f"a canary in {kept.path}", run=-1, canaries=found)
    for number, run in enumerate(evidence.runs):
        for where, text in (("exception", run.raised), *_shown(run)):
            if found := search.find(text):
                leaks.add(where, "a canary", run=number, canaries=found)
        if run.raised and run.scenario != "app":
            leaks.add("exception", f"a run raised {_last_line(run.raised)}", run=number)
    _judge_wire(evidence, leaks)
    return Verdict(leaks.all(), routes.tallies(), routes.recall())


def _shown(run: Run) -> Iterator[tuple[str, str]]:
    for reply in run.replies:
        yield "representation", reply["shown"]
        yield "problems of a reply", "\n".join(reply["problems"])


def _last_line(raised: str) -> str:
    return raised.strip().rpartition("\n")[2].partition(":")[0]


class _Routes:
    """What the recorder got, run by run, beside what the replies said of it."""

    def __init__(self, evidence: Evidence, search: Search, leaks: _Leaks) -> None:
        self._evidence = evidence
        self._search = search
        self._leaks = leaks
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._sensed: dict[tuple[int, int, int], bool] = {}

    def tallies(self) -> tuple[Tally, ...]:
        """Return the counts by route."""
        return tuple(Tally(route, **counts) for route, counts in sorted(self._counts.items()))

    def recall(self) -> dict[str, tuple[int, int]]:
        """Return of each kind that only its sense tells how many were found, and how many were said."""
        kinds: dict[str, list[bool]] = defaultdict(list)
        for (_, _, canary), found in self._sensed.items():
            kinds[self._evidence.canaries[canary].kind].append(found)
        return {kind: (sum(found), len(found)) for kind, found in sorted(kinds.items())}

    def judge(self) -> None:
        """Judge every run with its requests, and requests that no run made."""
        requests: dict[int, list[Request]] = defaultdict(list)
        for request in self._evidence.requests:
            requests[request.run].append(request)
        for number, run in enumerate(self._evidence.runs):
            asked = requests.pop(number, [])
            here, away = ([one.data for one in asked if one.local is local] for local in (True, False))
            self._judge_run(number, run, away, here=here)
        for rest in requests.values():
            data = b"".join(one.data for one in rest)
            self._leaks.add("request", "sent outside of any run", run=-1, canaries=self._search.find(data))

    def _judge_run(self, number: int, run: Run, requests: list[bytes], *, here: list[bytes]) -> None:
        counts = self._counts[_route_of(run, here=bool(here))]
        handed = [reply["disclosed"] for reply in run.replies if reply["outcome"] == HANDED_OVER]
        bodies = (data.partition(b"\r\n\r\n")[2] for data in requests)
        sent = sum(map(len, (*bodies, *(text.encode() for text in handed))))
        places = [place for place in self._evidence.texts[run.text].places if place.turn == run.turn]
        counts.update(runs=1, requests=len(requests) + len(here), sent_bytes=sent, planted=len(places))
        if run.replies and sum(reply["sent_bytes"] for reply in run.replies) != sent:
            self._leaks.add("reply", "told of another number of bytes than were sent", run=number)
        self._count_found(run, places)
        self._judge_here(number, run, here)
        disclosures = [reply["disclosed"] for reply in run.replies if reply["disclosed"]]
        out: dict[int, str] = {}
        for data in requests:
            disclosed, rest = _divided(data, disclosures)
            if found := self._search.find(rest):
                self._leaks.add("request", "a canary beside the disclosed text", run=number, canaries=found)
                out.update(dict.fromkeys(found, "leaked"))
            for canary in self._search.find(disclosed):
                out.setdefault(canary, self._judge_disclosed(number, run, canary))
        for canary in self._search.find("\n".join(handed)):
            out.setdefault(canary, self._judge_disclosed(number, run, canary))
        counts.update(out.values())

    def _count_found(self, run: Run, places: list[Place]) -> None:
        """Count which of what only its sense tells the reader found, each time that it was said once."""
        for place in places:
            if self._guard(place.canary) == SENSE and (found := _is_found(run, [place])) is not None:
                self._sensed.setdefault((run.text, place.start, place.canary), found)

    def _judge_here(self, number: int, run: Run, requests: list[bytes]) -> None:
        """Judge what a model on this device was asked: the person's own words may be in it, and nobody else's."""
        others = self._search.find(b"".join(requests)) - self._evidence.texts[run.text].canaries
        if others:
            self._leaks.add("local model", "a canary that was not said in this session", run=number, canaries=others)

    def _guard(self, canary: int) -> str:
        guard = self._evidence.canaries[canary].guard
        return SENSE if guard == TOLD and not self._evidence.names_told else guard

    def _judge_disclosed(self, number: int, run: Run, canary: int) -> str:
        """Return what it is that a canary stands in the text that a run disclosed."""
        text, verdict, what = self._evidence.texts[run.text], "", "a canary that was not said in this session"
        if canary in text.canaries:
            found = _is_found(run, [place for place in text.places if place.canary == canary])
            plain = any(reply["disclosed_route"] == "cloud" for reply in run.replies)
            why = "was found" if found else "has a form, or the app named it,"
            what = f"a canary that {why} left all the same"
            if plain and found is not False:
                verdict, what = DISCLOSED, "a canary left as it is, as the policy allows"
            elif self._guard(canary) == SENSE and not found:
                verdict, what = MISSED, "a canary left that only its sense tells, and that was not found"
        self._leaks.add("request", what, run=number, canaries=[canary], excuse=verdict)
        return verdict or "leaked"


def _route_of(run: Run, *, here: bool) -> str:
    if not run.replies:
        return "raised" if run.raised else "app"
    if any(reply["outcome"] == HANDED_OVER for reply in run.replies):
        return "handed over"
    if here and not any(reply["disclosed"] for reply in run.replies):
        return "local model"
    return " + ".join(sorted({reply["disclosed_route"] or reply["route"] for reply in run.replies}))


def _is_found(run: Run, places: Iterable[Place]) -> bool | None:
    """Return whether the reader found the whole of a canary in this turn, or none if the places are not known."""
    if any(reply["found"] is None for reply in run.replies):
        return None
    covered = {at for reply in run.replies for start, end in reply["found"] for at in range(start, end)}
    here = [place for place in places if place.turn == run.turn]
    return any(covered.issuperset(range(place.start, place.end)) for place in here)


def _divided(data: bytes, disclosures: list[str]) -> tuple[str, str]:
    """Return the texts of a request that the replies disclosed, and everything else in it."""
    head, _, body = data.partition(b"\r\n\r\n")
    disclosed: list[str] = []

    def rest(value: Any) -> Any:
        if isinstance(value, str):
            if any(value in one for one in disclosures):
                disclosed.append(value)
                return ""
            return value
        if isinstance(value, dict):
            return {name: rest(member) for name, member in value.items()}
        return [rest(member) for member in value] if isinstance(value, list) else value

    try:
        left = json.dumps(rest(json.loads(body)), ensure_ascii=False)
    except (ValueError, RecursionError):
        disclosed, left = [], data.decode("utf-8", "replace")
    return "\n".join(disclosed), f"{head.decode('utf-8', 'replace')}\n{left}"


def _judge_event(told: Told, evidence: Evidence, *, search: Search, leaks: _Leaks) -> None:
    said = "" if _is_said_here(told, evidence) else json.dumps(told.arguments, ensure_ascii=False)
    found = search.find(said)
    if found:
        leaks.add(told.event, "a canary", run=told.run, canaries=found, callers=told.callers)
    for way, what in _ways_out(told, evidence.permitted):
        leaks.add(way, what, run=told.run, canaries=found, callers=told.callers)


def _is_said_here(told: Told, evidence: Evidence) -> bool:
    """Tell whether an event is no more than what the model on this device was asked, as it was."""
    if told.event != "http.client.send" or not isinstance(told.arguments[1], str):
        return False
    said = told.arguments[1].encode("latin-1")
    return any(said in one.data for one in evidence.requests if one.local and one.run == told.run)


def _ways_out(told: Told, permitted: Permitted) -> Iterator[tuple[str, str]]:
    """Yield which way an event goes that it may not go, and where to."""
    arguments = told.arguments
    if told.event in _REACHING:
        if said := _reached(arguments[_REACHING[told.event]], permitted.ports, permitted.hosts):
            yield "connection", said
    elif told.event in _LOOKING_UP:
        host = arguments[0][0] if told.event == "socket.getnameinfo" else arguments[0]
        if _is_name(host) and host not in permitted.hosts:
            yield "look-up", f"of {host}"
    elif told.event == "socket.bind":
        if not _is_loopback(arguments[1]):
            yield "connection", f"listens on {_address(arguments[1])}"
    elif told.event.startswith(_PROGRAMS):
        yield "program", f"{told.event} {_first(arguments)}"
    elif told.event.startswith("syslog."):
        yield "system log", told.event
    elif told.event.startswith(_WRITING):
        for path in _paths(told):
            if not _may_write(path, permitted.folders):
                yield "file", f"{told.event} {path}"


def _reached(address: Any, ports: frozenset[int], hosts: frozenset[str]) -> str:
    """Return who was reached that may not be, or ""."""
    if address is None or (isinstance(address, list) and (address[0] in hosts or _address(address) in hosts)):
        return ""
    if _is_loopback(address) and address[1] in ports:
        return ""
    return f"to {_address(address)}"


def _address(address: Any) -> str:
    return f"{address[0]}:{address[1]}" if isinstance(address, list) and len(address) > 1 else str(address)


def _is_loopback(address: Any) -> bool:
    try:
        return isinstance(address, list) and ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return False


def _is_name(host: Any) -> bool:
    """Tell whether a host has to be asked for: it is no address, nor this machine itself."""
    if not isinstance(host, str) or host in {"", "localhost"}:
        return False
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return True
    return False


def _first(arguments: tuple[Any, ...]) -> str:
    first = next((one for one in arguments if one not in (None, "")), "")
    return str(first if isinstance(first, str | int) else first[0] if isinstance(first, list) and first else "")[:200]


def _paths(told: Told) -> Iterator[str]:
    """Yield the path that an event writes: of two, the second."""
    at = 1 if told.event.startswith(_FROM_TO) else 0
    for path in told.arguments[at : at + 1]:
        if isinstance(path, str):
            yield os.path.normpath(path)


def _may_write(path: str, folders: Iterable[str]) -> bool:
    if path in _NOWHERE:
        return True
    return any(path == folder or path.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def _judge_wire(evidence: Evidence, leaks: _Leaks) -> None:
    wire = evidence.wire
    if wire is None:
        return
    for flow, times in wire.flows:
        ours = flow.port in evidence.permitted.ports and _is_loopback([flow.host])
        if not ours and flow.host not in evidence.permitted.hosts:
            leaks.add("packet", str(flow), run=-1, times=times)
    if not wire.lost and wire.to_recorder_bytes != evidence.received_bytes:
        leaks.add(
            "packet", f"{wire.to_recorder_bytes} bytes to the recorder, which got {evidence.received_bytes}", run=-1
        )
