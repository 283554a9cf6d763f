"""What `serve` does with runs that may leave the device: sessions, consents, streams, tools, clients that hang up."""

from __future__ import annotations

import http.client
import json
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from edge_runtime import EdgeRuntime, InvalidDocument
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.reply import Reply
from edge_runtime.serving.answering import Answering
from edge_runtime.serving.asking import Person
from edge_runtime.serving.errors import Refusal
from edge_runtime.serving.jobs import Job, Jobs
from edge_runtime.serving.sessions import Sessions
from tests.edge.serving import TOKEN, answered
from tests.published import Published
from tests.recording_cloud import Cloud
from tests.simulator import prompt_document

NOTES = "Priya Nair called. We agreed that I will write to mara@example.org by Thursday."
JSON_HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
CONSENTED = {"mentorplane": {"consents": ["cloud"]}}
TOOL = {
    "name": "look_up",
    "description": "the approved words",
    "parameters": {"type": "object", "required": ["who"], "properties": {"who": {"type": "string"}}},
}
TEXT = {"type": "string", "maxLength": 20000, "x-data-class": "R2"}
HELPER = prompt_document(
    "helper",
    tools=[TOOL],
    inputs={
        "type": "object",
        "additionalProperties": False,
        "required": ["notes"],
        "properties": {"notes": TEXT, "tool_results": TEXT},
    },
    instruction="Answer as JSON:\n{{ notes }}\n{{ tool_results }}",
)
WITH_CLOUD = {"consents": ["cloud"], "names": ["Priya Nair", "Tom Baker"]}


@pytest.fixture
def client(edge: EdgeRuntime) -> Iterator[openai.OpenAI]:
    """The official client of a device with a cloud model."""
    with answered(edge) as base_url, openai.OpenAI(base_url=base_url, api_key=TOKEN, max_retries=0) as made:
        yield made


def ask(client: openai.OpenAI, text: str, **mentorplane: Any) -> tuple[str, dict[str, Any]]:
    """Ask the opener, and return the text and what is told of the run."""
    answer = client.chat.completions.create(
        model="opener", messages=[{"role": "user", "content": text}], extra_body={"mentorplane": mentorplane}
    )
    assert answer.model_extra
    return answer.choices[0].message.content or "", answer.model_extra["mentorplane"]


def test_a_person_keeps_one_placeholder_through_a_session(client: openai.OpenAI, cloud: Cloud) -> None:
    """P2: in a named session the second text uses the first one's placeholder, other names beside it or not."""
    text, told = ask(client, NOTES, session="s", **WITH_CLOUD)
    ask(client, "Tom Baker met Priya.", session="s", **{**WITH_CLOUD, "names": ["Tom Baker", "Priya Nair", "Ann"]})
    ask(client, "Tom Baker met Priya.", **WITH_CLOUD)

    first, second, alone = (request.decode() for request in cloud.requests)
    assert (told["route"], text) == ("redacted", "You will write to mara@example.org.")
    assert "[PERSON_1] called." in first
    assert told["disclosure"] in json.loads(first)["messages"][0]["content"]
    assert "[PERSON_2] met [PERSON_1]." in second
    assert "[PERSON_1] met [PERSON_2]." in alone
    assert [word for word in ("Priya", "Baker", "mara@") if word in first + second + alone + json.dumps(told)] == []


def test_attack_a_model_takes_a_text_and_gives_no_answer(client: openai.OpenAI, cloud: Cloud) -> None:
    """P2: the answer is made on the device, and all the same says which very text had left, and why it is so."""
    cloud.answers = ["500"]
    text, told = ask(client, NOTES, **WITH_CLOUD)

    assert (told["outcome"], bool(text)) == ("filled", True)
    assert told["problems"] == ["expected an answer from the cloud model, got status 500"] * 2
    sent = [json.loads(request)["messages"][0]["content"] for request in cloud.requests]
    assert told["disclosure"] in sent
    assert told["sent_bytes"] == sum(map(len, cloud.requests))


def test_a_consent_that_is_taken_back_counts_at_once(client: openai.OpenAI, cloud: Cloud) -> None:
    """P3: the next request of the same session says no more consent, and nothing leaves."""
    assert ask(client, NOTES, session="s", **WITH_CLOUD)[1]["route"] == "redacted"
    assert ask(client, NOTES, session="s")[1]["route"] == "device"
    assert ask(client, NOTES, session="s", consents=["cloud"], at_most="device")[1]["route"] == "device"
    assert len(cloud.requests) == 1


def test_a_device_that_has_adopted_nothing_says_so_and_hears_a_crisis(published: Published, tmp_path: Path) -> None:
    """P6: before the first release there are no models; any question gets the fixed text, a crisis the help text."""
    new = EdgeRuntime.open(tmp_path / "new", trust=published.trust)
    with answered(new) as base_url, openai.OpenAI(base_url=base_url, api_key=TOKEN, max_retries=0) as client:
        assert client.models.list().data == []
        text, told = ask(client, NOTES)
        assert (told["outcome"], told["route"], bool(text)) == ("not-adopted", "block", True)
        assert ask(client, "I have been thinking about killing myself.")[1]["route"] == "hand-off"


@pytest.mark.parametrize("early", [False, True])
def test_a_stream_that_is_refused_in_the_end_says_which_text_counts(
    client: openai.OpenAI, cloud: Cloud, early: bool
) -> None:
    """With `early` what came first does not count, and the fallback stands beside it; without, nothing else came."""
    cloud.answers = ['{"summary": ["It rained.", "It snowed.", "Too many."]}']

    chunks = list(
        client.chat.completions.create(
            model="opener",
            messages=[{"role": "user", "content": NOTES}],
            stream=True,
            extra_body={"mentorplane": {"early": early, "consents": ["cloud"]}},
        )
    )

    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    told = (chunks[-1].model_extra or {})["mentorplane"]
    assert told["outcome"] == "fallback"
    assert told.get("text", text) == "What do you want to keep from this?"
    assert ("text" in told, "It rained." in text) == (early, early)


@pytest.mark.parametrize("stream", [False, True])
def test_an_approved_tool_is_called_and_what_it_gives_is_data(
    published: Published, edge: EdgeRuntime, client: openai.OpenAI, cloud: Cloud, stream: bool
) -> None:
    """The call has the person's values, whole or as chunks; its result goes back covered, as the prompt's own input."""
    published.release({**published.organisation.base_documents(), ("prompt", "helper"): canonical.encode(HELPER)})
    assert edge.refresh().ok
    cloud.answers = [[("look_up", '{"who": "[PERSON_1]"}')], '{"summary": ["[PERSON_1] is away."]}']
    more: Any = {"mentorplane": {"session": "s", **WITH_CLOUD}}
    offered: Any = [{"type": "function", "function": {**TOOL, "description": "as the app says it"}}]
    said: Any = [{"role": "user", "content": "Is Priya Nair there?"}]

    asked: Any = client.chat.completions.create(
        model="helper", messages=said, tools=offered, stream=stream, extra_body=more
    )
    chunks = list(asked) if stream else []
    choice = asked.choices[0] if not stream else chunks[-1].choices[0]
    [call] = asked.choices[0].message.tool_calls if not stream else chunks[-2].choices[0].delta.tool_calls
    said += [
        {"role": "assistant", "tool_calls": [{"id": call.id, "type": "function", "function": _called(call)}]},
        {"role": "tool", "tool_call_id": call.id, "content": "Priya Nair, mara@example.org: away"},
    ]
    told = client.chat.completions.create(model="helper", messages=said, tools=offered, extra_body=more)

    assert (choice.finish_reason, call.function.name, json.loads(call.function.arguments)) == (
        "tool_calls",
        "look_up",
        {"who": "Priya Nair"},
    )
    assert told.choices[0].message.content == "Priya Nair is away."
    first, second = (request.decode() for request in cloud.requests)
    assert "the approved words" in first
    assert "as the app says it" not in first
    assert "[PERSON_1], [EMAIL_1]: away" in second
    assert [word for word in ("Priya", "Nair", "mara@") if word in first + second] == []


def _called(call: Any) -> dict[str, str]:
    return {"name": call.function.name, "arguments": call.function.arguments}


@pytest.mark.parametrize("changes", [{"name": "delete_all"}, {"parameters": {"type": "object"}}])
def test_attack_a_tool_that_nobody_approved(
    published: Published, edge: EdgeRuntime, client: openai.OpenAI, cloud: Cloud, changes: dict[str, Any]
) -> None:
    """Another name, or the approved name with other arguments: refused, and nothing is asked."""
    published.release({**published.organisation.base_documents(), ("prompt", "helper"): canonical.encode(HELPER)})
    assert edge.refresh().ok
    tools: Any = [{"type": "function", "function": {**TOOL, **changes}}]
    with pytest.raises(openai.BadRequestError, match="look_up") as refused:
        client.chat.completions.create(
            model="helper", messages=[{"role": "user", "content": NOTES}], tools=tools, extra_body=CONSENTED
        )
    assert (refused.value.code, cloud.requests, edge.receipts.verify()) == ("undeclared_tool", [], 0)


def test_litellm_asks_it_like_any_other_server(edge: EdgeRuntime) -> None:
    """A client of many apps, told the address and the token, gets what the official one gets."""
    import litellm

    with answered(edge) as base_url:
        answer = litellm.completion(
            model="openai/opener",
            api_base=base_url,
            api_key=TOKEN,
            messages=[{"role": "user", "content": NOTES}],
            extra_body={"mentorplane": {"at_most": "device"}},
        )

    assert "mara@example.org by Thursday" in answer.choices[0].message.content


class Slow(Answering):
    """Answers that say one sentence, and then nothing until they are stopped or released."""

    def __init__(self, edge: EdgeRuntime) -> None:
        super().__init__(edge, lambda: 0.0)
        self.began = threading.Semaphore(0)
        self.stopped = threading.Event()
        self.going_on = threading.Event()

    def run(self, body: JsonObject, job: Job) -> Reply:
        """Begin, and wait."""
        job.closes(self.stop)
        if body.get("stream"):
            job.put("It rained.")
        self.began.release()
        assert self.going_on.wait(20)
        return super().run(body, job)

    def stop(self) -> None:
        """Remember that nobody waits any more."""
        self.stopped.set()
        self.going_on.set()


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_hangs_up_ends_its_run(edge: EdgeRuntime, stream: bool) -> None:
    """Closing the connection in the middle stops the run, whether a stream was asked for or not."""
    slow = Slow(edge)
    with answered(edge, answering=slow) as base_url:
        body = json.dumps({"model": "opener", "stream": stream, "messages": [{"role": "user", "content": NOTES}]})
        connection = http.client.HTTPConnection(base_url.split("/")[2], timeout=20)
        connection.request("POST", "/v1/chat/completions", body, JSON_HEADERS)
        assert slow.began.acquire(timeout=20)
        if stream:
            assert connection.getresponse().read(6) == b"data: "
        assert not slow.stopped.is_set()
        connection.close()
        assert slow.stopped.wait(20)


def test_attack_more_requests_than_there_is_room_for(edge: EdgeRuntime) -> None:
    """One runs, one waits, the third is told to come back; the two are answered when the first goes on."""
    slow = Slow(edge)
    came: queue.Queue[str | None] = queue.Queue()
    with (
        answered(edge, answering=slow, jobs=Jobs(at_once=1, in_line=1)) as base_url,
        openai.OpenAI(base_url=base_url, api_key=TOKEN, max_retries=0) as client,
    ):

        def ask_one() -> None:
            try:
                came.put(ask(client, NOTES)[0])
            except openai.RateLimitError as refused:
                came.put(refused.code)

        asking = [threading.Thread(target=ask_one) for _ in range(3)]
        for thread in asking:
            thread.start()
        assert came.get(timeout=20) == "rate_limit_exceeded"
        assert not slow.going_on.is_set()
        slow.going_on.set()
        assert [(came.get(timeout=20) or "").count("Thursday") for _ in range(2)] == [1, 1]


def test_sessions_are_bounded_and_end(edge: EdgeRuntime) -> None:
    """The one unused for longest goes when there are too many, and each goes an hour after its last use."""
    now = [0.0]
    sessions = Sessions(edge, lambda: now[0], at_most=2)
    person = Person(learner="u1")

    first, second = sessions.session("first", person), sessions.session("second", person)
    assert sessions.session("first", person) is first
    sessions.session("third", person)
    assert sessions.session("first", person) is first
    assert sessions.session("second", person) is not second
    now[0] = 3599.0
    kept = sessions.session("second", person)
    now[0] = 3601.0
    assert sessions.session("second", person) is kept
    assert sessions.session("first", person) is not first
    assert sessions.session("", person) is not sessions.session("", person)


def test_another_name_or_consent_goes_on_with_the_same_conversation(edge: EdgeRuntime) -> None:
    """What is said of the person anew counts, and placeholders stay; another learner is refused and changes nothing."""
    sessions = Sessions(edge, lambda: 0.0)
    before = sessions.session("s", Person(learner="u1", names=("Priya Nair",)))
    assert before.redact("Priya Nair").text == "[PERSON_1]"

    after = sessions.session("s", Person(learner="u1", names=("Priya Nair", "Tom")))

    assert after.redact("Tom and Priya").text == "[PERSON_2] and [PERSON_1]"
    for wrong in (Person(learner="u2"), Person(learner="u1", names=("!!!",))):
        with pytest.raises((Refusal, InvalidDocument)):
            sessions.session("s", wrong)
    assert sessions.session("s", Person(learner="u1", names=("Priya Nair", "Tom"))) is after
