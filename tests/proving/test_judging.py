"""What a proof comes to: whatever canary left is a leak, and what somebody may tolerate of it is told apart."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from edge_runtime.proving.canaries import Canary, Maker
from edge_runtime.proving.corpus import Place, Text
from edge_runtime.proving.judging import judge
from edge_runtime.proving.proof import Proof
from edge_runtime.proving.recorder import Request
from edge_runtime.proving.records import DISCLOSED, MISSED, Evidence, Permitted, Run
from edge_runtime.proving.report import as_json, claim, in_words


def proof_of(canary: Canary, *, route: str, found: bool, local: bool = False, own: bool = True) -> Proof:
    """Return the proof of one run that sent a canary, as the model on the device was asked or as one elsewhere."""
    said = f"My colleague is {canary.value}."
    place = Place(canary.number, 0, 16, 16 + len(canary.value), "plain")
    texts = (Text((said,), (), (), (place,) if own else ()),)
    body = json.dumps({"messages": [{"role": "user", "content": said}]}).encode()
    reply: dict[str, Any] = {
        "route": route,
        "outcome": "answered",
        "disclosed": None if local else said,
        "disclosed_route": "" if local else route,
        "sent_bytes": 0 if local else len(body),
        "found": [(place.start, place.end)] if found else [],
        "problems": [],
        "shown": "",
    }
    evidence = Evidence(
        texts=texts,
        canaries=(canary,),
        runs=(Run(0, 0, "cloud", (reply,)),),
        requests=(Request(0, b"POST / HTTP/1.1\r\n\r\n" + body, local),),
        told=(),
        said=(),
        kept=(),
        wire=None,
        received_bytes=0,
        permitted=Permitted(frozenset(), frozenset(), ()),
    )
    return Proof(judge(evidence), evidence, {}, "", ())


def made(kind: str, *, told: bool = False) -> Canary:
    """Return a canary of a kind."""
    return Maker(Random(1)).make(kind, told=told)


def test_attack_a_name_that_nobody_told_the_app_leaves() -> None:
    """What the reader missed has left: it is named, the proof fails, and whoever tolerates it is told the recall."""
    name = made("other name")
    proof = proof_of(name, route="redacted", found=False)
    told, tolerating = (as_json(proof, tolerated=tolerated) for tolerated in ((), (MISSED,)))

    assert not told["held"]
    assert [canary["value"] for leak in told["leaks"] for canary in leak["canaries"]] == [name.value]
    assert "no canary left" not in told["claim"]
    assert "other name 1" in told["claim"]
    assert name.value in in_words(proof, tolerated=())
    assert tolerating["held"]
    assert "tolerated: other name 1" in tolerating["claim"]
    assert tolerating["recall"] == {"other name": {"found": 0, "said": 1}}
    assert "other name 0 of 1" in in_words(proof, tolerated=(MISSED,))
    assert not as_json(proof, tolerated=(DISCLOSED,))["held"]


def test_attack_a_policy_lets_a_name_leave_as_it_is() -> None:
    """Plain text that the policy discloses fails a proof as well, until somebody says that it may."""
    proof = proof_of(made("other name"), route="cloud", found=True)
    assert claim(proof, tolerated=(MISSED,)).startswith("NOT HELD")
    assert claim(proof, tolerated=(DISCLOSED,)).startswith("held")


def test_attack_what_the_app_named_or_a_form_gives_away_leaves() -> None:
    """Nobody may tolerate what the product promises to cover."""
    for canary in (made("name"), made("health", told=True), made("account"), made("salary")):
        proof = proof_of(canary, route="redacted", found=False)
        assert not as_json(proof, tolerated=(DISCLOSED, MISSED))["held"], canary.kind


def test_a_model_on_the_device_may_be_asked_with_the_persons_own_words() -> None:
    """Nothing has left then; words of another session are a leak there, too."""
    own, others = (proof_of(made("name"), route="device", found=True, local=True, own=own) for own in (True, False))
    assert own.verdict.leaks == ()
    assert [(tally.route, tally.requests, tally.sent_bytes) for tally in own.verdict.tallies] == [("local model", 1, 0)]
    assert [leak.way for leak in others.verdict.failing((DISCLOSED, MISSED))] == ["local model"]
