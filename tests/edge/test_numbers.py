"""Numbers that an app gives as numbers: long ones may be somebody's, and count in the decision as they do in a text."""

from __future__ import annotations

import pytest

from edge_runtime import EdgeRuntime, Session
from edge_runtime.core import canonical
from tests.edge.answering import Fixed, Scripted, said
from tests.edge.conftest import ruled
from tests.published import Published
from tests.simulator import prompt_document

INPUTS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["notes", "number"],
    "properties": {
        "notes": {"type": "string", "maxLength": 2000, "x-data-class": "R2"},
        "number": {"type": "integer", "x-data-class": "R2"},
        "minutes": {"type": "integer", "enum": [15, 1500000], "x-data-class": "R0"},
    },
}
RULE = {
    "id": "numbers-stay",
    "because": "numbers of somebody stay here",
    "when": {"entities": {"any_of": ["CARD", "PHONE"]}},
    "at_most": "device",
}


@pytest.fixture
def session(edge: EdgeRuntime, published: Published) -> Session:
    """A session of somebody with every consent; a number of somebody stays on the device."""
    documents = ruled(published.organisation.base_documents(), [RULE])
    prompt = prompt_document("opener", inputs=INPUTS, instruction="{{ notes }} {{ number }}")
    published.release({**documents, ("prompt", "opener"): canonical.encode(prompt)})
    assert edge.refresh().ok
    edge.routing = Fixed(Scripted(said({"summary": ["A plain day."]})))
    return edge.session(learner="u1", consents={"cloud"})


@pytest.mark.parametrize(
    ("number", "kind", "route"),
    [
        (442079460018, "PHONE", "device"),
        (4111111111111111, "CARD", "device"),
        (-99999999999999, "ID_NUMBER", "redacted"),
    ],
)
def test_attack_a_number_of_somebody_that_is_given_as_a_number(
    session: Session, number: int, kind: str, route: str
) -> None:
    """P2: it is found, decides, is named in the reply by its type, counted in the receipt, and covered."""
    inputs = {"notes": "A plain day.", "number": number}
    reply = session.run("opener", inputs)

    assert (reply.route, reply.sent_bytes == 0) == (route, route == "device")
    assert [(one.input, one.type, one.start, one.end) for one in reply.findings] == [
        ("number", kind, 0, len(str(number)))
    ]
    assert reply.receipt is not None
    assert reply.receipt.findings == {kind: 1}
    outgoing = session.preview("opener", inputs).outgoing
    assert (f"[{kind}_1]" in outgoing, str(abs(number)) in outgoing) == (True, False)


def test_a_number_as_it_is_every_day_decides_nothing(session: Session) -> None:
    """An age, a count, and what people approved as a choice."""
    reply = session.run("opener", {"notes": "A plain day.", "number": 45, "minutes": 1500000})
    assert (reply.findings, reply.route) == ((), "redacted")


def test_the_same_telephone_has_one_placeholder_as_a_text_and_as_a_number(session: Session) -> None:
    """Who rings is one person's number, however an app hands it over."""
    outgoing = session.preview("opener", {"notes": "Ring +44 20 7946 0018.", "number": 442079460018}).outgoing
    assert (outgoing.count("[PHONE_1]"), "[PHONE_2]" in outgoing) == (2, False)
