"""`mentorplane edge serve` with the official `openai` package, unchanged, against a server in a process of its own."""

from __future__ import annotations

import asyncio
import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.edge.serving import Served, asked, elsewhere, served
from tests.published import fingerprint

NOTE = "Priya Nair called. We agreed that I will write to mara@example.org by Thursday. The talk was good."
CRISIS = "I have been thinking about killing myself."
SAID = [{"role": "user", "content": NOTE}]
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
IMAGE = {"type": "image_url", "image_url": {"url": "x"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests here."""
    with served(tmp_path_factory.mktemp("serve")) as running:
        yield running


@pytest.fixture
def client(server: Served) -> Iterator[openai.OpenAI]:
    """The official client, given the address and the token and nothing else."""
    with openai.OpenAI(base_url=server.base_url, api_key=server.token, max_retries=0) as made:
        yield made


def ours(answer: Any) -> dict[str, Any]:
    """Return what an answer says of the run."""
    told = answer.model_extra["mentorplane"]
    assert isinstance(told, dict)
    return told


def receipts(server: Served) -> int:
    """Return how many runs the device has kept a receipt of."""
    path = server.home / "receipts.jsonl"
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def test_a_note_runs_an_approved_prompt(server: Served, client: openai.OpenAI) -> None:
    """`model` is the prompt, the message its free text; beside the text stand route, findings and receipt, no value."""
    before = receipts(server)

    answer = client.chat.completions.create(model="opener", messages=SAID, temperature=0.2, max_tokens=50)

    [choice] = answer.choices
    assert (answer.object, answer.model, choice.finish_reason) == ("chat.completion", "opener", "stop")
    assert choice.message.content is not None
    assert "mara@example.org by Thursday" in choice.message.content
    told = ours(answer)
    assert (told["route"], told["outcome"], told["sent_bytes"], told["problems"]) == ("device", "filled", 0, [])
    start = NOTE.index("mara")
    assert {"input": "notes", "type": "EMAIL", "start": start, "end": start + 16} in told["findings"]
    assert re.fullmatch("sha256:[0-9a-f]{64}", told["receipt"])
    assert [word for word in ("mara", "Priya", "Thursday", "talk") if word in json.dumps(told)] == []
    assert receipts(server) == before + 1


def test_a_stream_is_the_same_text_in_pieces(client: openai.OpenAI) -> None:
    """Chunks join to what a whole answer says; the one with the end says where it ran, the last one the usage."""
    whole = client.chat.completions.create(model="opener", messages=SAID)

    chunks = list(
        client.chat.completions.create(
            model="opener", messages=SAID, stream=True, stream_options={"include_usage": True}
        )
    )

    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == whole.choices[0].message.content
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["stop"]
    assert ours(chunks[-2])["route"] == "device"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert (chunks[-1].choices, chunks[-1].usage and chunks[-1].usage.total_tokens) == ([], 0)


def test_typed_inputs_and_a_message_for_the_input_they_leave_open(client: openai.OpenAI) -> None:
    """`extra_body.inputs` are the inputs; a message goes to the only free text, or the only one that must be."""
    given = client.chat.completions.create(
        model="typed", messages=[], extra_body={"inputs": {"topic": "delegating", "minutes": 10}}
    )
    said = client.chat.completions.create(
        model="typed",
        messages=[{"role": "user", "content": [{"type": "text", "text": "listening"}]}],
        extra_body={"inputs": {"minutes": 15}},
    )

    assert given.choices[0].message.content == "delegating in 10"
    assert said.choices[0].message.content == "listening in 15"


@pytest.mark.parametrize("stream", [False, True])
def test_an_object_holds_the_text_and_the_output_and_so_it_does_in_a_crisis(
    client: openai.OpenAI, stream: bool
) -> None:
    """With `json_object` an app gets the output of the prompt's schema; the help text comes in the same form (P6)."""
    said: list[dict[str, Any]] = []
    for note in ("We agreed that I will call Tom by Monday.", CRISIS):
        answer = client.chat.completions.create(
            model="opener",
            messages=[{"role": "user", "content": note}],
            response_format={"type": "json_object"},
            stream=stream,
        )
        said.append(json.loads(_read(answer)[0]))
    sentence = "We agreed that I will call Tom by Monday."
    assert said[0] == {"text": sentence, "output": {"summary": [sentence]}}
    assert ("112" in said[1]["text"], said[1]["output"]) == (True, None)


def test_several_turns_are_one_text_of_data(client: openai.OpenAI) -> None:
    """A conversation goes to the free text as a whole, with who said each; what tools gave back is data, too."""
    answer = client.chat.completions.create(
        model="opener",
        messages=[
            {"role": "user", "content": "We agreed that I will call Tom by Monday."},
            {"role": "assistant", "content": None, "tool_calls": [_call()]},
            {"role": "tool", "tool_call_id": "c1", "content": "It rains."},
            {"role": "assistant", "content": "What else?"},
            {"role": "user", "content": "Next step: write to mara@example.org by Friday."},
        ],
    )

    assert answer.choices[0].message.content is not None
    assert answer.choices[0].message.content.splitlines() == [
        "User: We agreed that I will call Tom by Monday.",
        "User: Next step: write to mara@example.org by Friday.",
    ]


def _call() -> Any:
    return {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"place": "here"}'}}


def test_models_are_the_approved_prompts_with_their_exact_content(server: Served, client: openai.OpenAI) -> None:
    """The list names version and digest of what the release holds; one model says which inputs it takes."""
    manifest = server.published.organisation.manifest
    assert manifest
    approved = {entry.name: (entry.epoch, entry.digest) for entry in manifest.entries if entry.kind == "prompt"}

    listed = client.models.list().data
    one = ours(client.models.retrieve("typed"))

    assert {model.id: (ours(model)["version"], ours(model)["digest"]) for model in listed} == approved
    assert set(one["inputs"]["properties"]) == {"topic", "aim", "minutes"}
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("no-such")
    assert refused.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("changes", "status", "code", "param"),
    [
        ({"model": "no-such"}, 404, "model_not_found", "model"),
        ({"messages": [{"role": "system", "content": "Obey."}, *SAID]}, 400, "instruction_refused", "messages[0].role"),
        ({"messages": [*SAID, {"role": "developer", "content": "x"}]}, 400, "instruction_refused", "messages[1].role"),
        ({"messages": [{"role": "root", "content": "Obey."}]}, 400, "invalid_value", "messages[0].role"),
        ({"messages": []}, 400, "invalid_value", "messages"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, 400, "unsupported_content", "messages[0].content"),
        ({"messages": [{"role": "user", "content": "word " * 5000}]}, 400, "context_length_exceeded", "messages"),
        ({"tools": [TOOL]}, 400, "undeclared_tool", "tools[0]"),
        ({"tools": [TOOL], "stream": True}, 400, "undeclared_tool", "tools[0]"),
        ({"n": 2}, 400, "unsupported_value", "n"),
        ({"response_format": {"type": "json_schema"}}, 400, "unsupported_value", "response_format"),
        ({"extra_body": {"instructions": "Obey."}}, 400, "unknown_parameter", "instructions"),
        ({"extra_body": {"inputs": {"notes": 3}}, "messages": []}, 400, "invalid_inputs", "inputs"),
        ({"extra_body": {"inputs": {"other": "x"}}, "messages": []}, 400, "invalid_inputs", "inputs"),
        ({"extra_body": {"inputs": {"notes": "x"}}}, 400, "inputs_required", "inputs"),
        ({"extra_body": {"mentorplane": {"consents": "cloud"}}}, 400, "invalid_value", "mentorplane"),
        ({"extra_body": {"mentorplane": {"names": ["!!!"]}}}, 400, "invalid_value", "mentorplane"),
        ({"extra_body": {"mentorplane": {"go_on": True}}}, 400, "invalid_value", "mentorplane.session"),
    ],
)  # fmt: skip
def test_what_is_refused_is_refused_in_openais_shape(
    server: Served, client: openai.OpenAI, changes: dict[str, Any], status: int, code: str, param: str
) -> None:
    """Instructions, undeclared tools, several answers, inputs that do not fit: nothing ran, no text is quoted."""
    before = receipts(server)

    with pytest.raises(openai.APIStatusError) as refused:
        client.chat.completions.create(**{"model": "opener", "messages": SAID, **changes})

    assert (refused.value.status_code, refused.value.code, refused.value.param) == (status, code, param)
    assert refused.value.type == "invalid_request_error"
    assert "Obey" not in str(refused.value)
    assert "Priya" not in str(refused.value)
    assert receipts(server) == before


@pytest.mark.parametrize("stream", [False, True])
def test_a_hand_off_comes_as_an_ordinary_message(client: openai.OpenAI, stream: bool) -> None:
    """P6: a crisis is answered with the help text, however the answer is asked for; nothing was sent."""
    answer = client.chat.completions.create(
        model="opener", messages=[{"role": "user", "content": CRISIS}], stream=stream
    )

    text, end, told = _read(answer)
    assert "112" in text
    assert (end, told["route"], told["outcome"], told["sent_bytes"]) == ("stop", "hand-off", "handed-off", 0)


def _read(answer: Any) -> tuple[str, str, dict[str, Any]]:
    """Return text, end and what is ours, of an answer or of a stream."""
    if not isinstance(answer, openai.Stream):
        return answer.choices[0].message.content, answer.choices[0].finish_reason, ours(answer)
    chunks = list(answer)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    return text, chunks[-1].choices[0].finish_reason, ours(chunks[-1])


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "no-such"},
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": CRISIS}]},
        {"messages": [], "extra_body": {"inputs": {"other": [CRISIS]}}},
        {"messages": [{"role": "user", "content": [[[[{"deep": CRISIS}]]]]}]},
        {"tools": [TOOL]},
        {"n": 3},
    ],
)
def test_a_crisis_in_a_request_that_is_wrong_is_handed_off_all_the_same(
    client: openai.OpenAI, wrong: dict[str, Any]
) -> None:
    """P6: whatever mistake the app makes, the person gets the help text instead of an error."""
    asked = {"model": "opener", "messages": [{"role": "user", "content": CRISIS}], **wrong}

    answer = client.chat.completions.create(**asked)

    assert ours(answer)["route"] == "hand-off"
    assert "112" in (answer.choices[0].message.content or "")


def test_a_host_s_instruction_about_crises_is_no_crisis(client: openai.OpenAI) -> None:
    """A refused `system` message is not taken for what the person said."""
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="opener", messages=[{"role": "system", "content": CRISIS}, *SAID])


def test_going_on_needs_the_session_that_showed_the_help_text(client: openai.OpenAI) -> None:
    """In another session `go_on` shows the help text first; in the same one the prompt runs, on the device."""

    def ask(session: str, *, go_on: bool) -> str:
        more = {"mentorplane": {"session": session, "go_on": go_on, "consents": ["cloud"]}}
        messages: Any = [{"role": "user", "content": CRISIS}]
        return str(ours(client.chat.completions.create(model="opener", messages=messages, extra_body=more))["route"])

    assert [ask("a", go_on=True), ask("a", go_on=True), ask("b", go_on=True), ask("a", go_on=False)] == [
        *("hand-off", "device", "hand-off", "hand-off"),
    ]


def test_a_session_is_one_learner_s(client: openai.OpenAI) -> None:
    """The name of somebody else's session gives nothing."""

    def ask(learner: str) -> Any:
        more = {"mentorplane": {"session": "of-u1", "learner": learner}}
        return client.chat.completions.create(model="opener", messages=SAID, extra_body=more)

    assert ours(ask("u1"))["route"] == "device"
    with pytest.raises(openai.BadRequestError, match="this learner") as refused:
        ask("u2")
    assert refused.value.param == "mentorplane.session"
    assert ours(ask("u1"))["route"] == "device"


def test_requests_at_once_are_all_answered(server: Served) -> None:
    """Eight runs at the same time, each with an answer of its own."""

    async def ask_all() -> list[str | None]:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key=server.token, max_retries=0) as client:
            answers = await asyncio.gather(
                *(
                    client.chat.completions.create(
                        model="typed", messages=[], extra_body={"inputs": {"topic": f"t{n}", "minutes": 10}}
                    )
                    for n in range(8)
                )
            )
        return [answer.choices[0].message.content for answer in answers]

    assert asyncio.run(ask_all()) == [f"t{n} in 10" for n in range(8)]


def test_attack_a_wrong_token_reads_nothing(server: Served) -> None:
    """Another token, none, and the right one of another scheme: refused before anything is read."""
    before = fingerprint(server.home)
    for token in ("wrong-token-of-some-length", server.token[:-1], server.token + "x"):
        with openai.OpenAI(base_url=server.base_url, api_key=token, max_retries=0) as client:
            for ask in (client.models.list, lambda: client.chat.completions.create(model="opener", messages=SAID)):
                with pytest.raises(openai.AuthenticationError) as refused:
                    ask()
                assert refused.value.code == "invalid_api_key"
    for headers in ({}, {"Authorization": f"Basic {server.token}"}, {"Authorization": server.token}):
        assert asked(server, headers=headers)[0] == 401
    assert fingerprint(server.home) == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "coach.evil.example"}, 421),
        ({"Host": "coach.evil.example:{port}"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:{port}"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "localhost:{port}"}, 200),
        ({"Origin": "app://coach"}, 200),
    ],
)
def test_attack_dns_rebinding_reads_nothing(server: Served, headers: dict[str, str], status: int) -> None:
    """A page whose name was pointed at this machine is refused by its `Host` or `Origin`, though it had the token."""
    before = fingerprint(server.home)
    filled = {name: value.replace("{port}", str(server.port)) for name, value in headers.items()}

    got, answered, body = asked(server, headers={"Authorization": f"Bearer {server.token}", **filled})

    assert got == status
    assert (b"opener" in body) == (status == 200)
    assert answered.get("access-control-allow-origin") == (headers.get("Origin") if status == 200 else None)
    assert fingerprint(server.home) == before


def test_a_page_that_was_named_may_ask_before_it_asks(server: Served) -> None:
    """A browser's preflight is answered for the named origin alone, without the token, which it cannot send."""
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    for origin, status in (("app://coach", 204), ("https://evil.example", 403)):
        got, answered, _ = asked(server, method="OPTIONS", headers={"Origin": origin, **wanted})
        assert got == status
        assert ("access-control-allow-headers" in answered) == (status == 204)


def test_attack_an_oversized_body_is_refused(server: Served) -> None:
    """By what it says of its length, and by what it sends without saying; the client sees why, and nothing ran."""
    before = receipts(server)
    huge = b'{"model": "opener", "messages": [{"role": "user", "content": "' + b"x" * 3_000_000 + b'"}]}'
    bearer = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    said = asked(server, method="POST", path="/v1/chat/completions", headers=bearer, body=huge)
    unsaid = asked(server, method="POST", path="/v1/chat/completions", headers=bearer, body=iter([huge]))
    for status, _, body in (said, unsaid):
        assert (status, json.loads(body)["error"]["code"]) == (413, "request_too_large")
    assert receipts(server) == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"model": "\\ud800"}'])
def test_a_body_that_is_no_object_is_refused(server: Served, body: bytes) -> None:
    """Broken JSON, a list, broken UTF-8, half a character, no end of brackets: one clear error."""
    bearer = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    status, _, answered = asked(server, method="POST", path="/v1/chat/completions", headers=bearer, body=body)
    assert (status, json.loads(answered)["error"]["code"]) == (400, "invalid_json")


def test_other_paths_methods_and_types_are_refused_in_the_same_shape(server: Served) -> None:
    """What is not served says so as JSON, and only to whoever has the token."""
    bearer = {"Authorization": f"Bearer {server.token}"}
    for method, path, headers, status in (
        ("GET", "/", bearer, 404),
        ("GET", "/v1/chat/completions", bearer, 405),
        ("POST", "/v1/embeddings", bearer, 404),
        ("POST", "/v1/chat/completions", {**bearer, "Content-Type": "text/plain"}, 415),
        ("GET", "/", {}, 401),
    ):
        got, _, body = asked(server, method=method, path=path, headers=headers, body=b"{}" if method == "POST" else b"")
        assert (got, set(json.loads(body)["error"])) == (status, {"message", "type", "param", "code"})


def test_the_token_is_its_owner_s_and_the_server_writes_no_log(server: Served) -> None:
    """After all these requests standard error is empty, and no text of them lies in the home or anything elsewhere."""
    assert stat.S_IMODE((server.home / "serve-token").stat().st_mode) == 0o600
    assert server.end() == ""
    kept = b"".join(path.read_bytes() for path in Path(server.home).rglob("*") if path.is_file())
    assert [word for word in (b"mara@", b"Priya", b"killing", b"delegating") if word in kept] == []
    assert list(elsewhere(server.home.parent).rglob("*")) == []
