"""What is asked: the body of a chat completion, read strictly.

Promises: an approved prompt is the only instruction, so messages for the system or the developer are refused, and so is
whatever asks for an answer of another form than the prompt's. How to sample is the prompt's matter as well:
members about it are taken and change nothing (`CHANGES_NOTHING`). A member that is not known is refused.
Does not: know a prompt (see `filling`). Source: OpenAI's reference of `/v1/chat/completions`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from audit.frozen import frozen, member
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.running.messages import INSTRUCTING, refuse_instructions
from edge_runtime.serving.errors import Refusal

__all__ = ["Person", "Question", "Turn", "parse_question", "read_body", "texts_of"]

CHANGES_NOTHING = frozenset(
    {
        *("frequency_penalty", "max_completion_tokens", "max_tokens", "metadata", "parallel_tool_calls"),
        *("presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
        *("reasoning_effort", "safety_identifier", "seed", "service_tier", "store", "temperature", "top_p", "user"),
        "verbosity",
    }
)
"""What other servers take from a client, and what here the approved prompt says, or nobody needs."""
ONLY: Mapping[str, tuple[object, ...]] = {
    "logprobs": (None, False),
    "modalities": (None, ["text"]),
    "n": (None, 1),
    "response_format": (None, {"type": "text"}, {"type": "json_object"}),
    "stop": (None, []),
    "top_logprobs": (None, 0),
}
"""Members that are taken with these values alone."""
OURS = frozenset({"inputs", "mentorplane", "messages", "model", "stream", "stream_options", "tool_choice", "tools"})
MAX_MESSAGES = 2_000
MAX_TOOLS = 128


@frozen
class Turn:
    """One message, as text."""

    role: str
    text: str = member(repr=False)


@frozen
class Person:
    """Who asks, as `EdgeRuntime.session` takes it, but for what can be known beforehand."""

    learner: str = member(default="local", repr=False)
    role: str = "learner"
    names: tuple[str, ...] = member(default=(), repr=False)
    terms: tuple[str, ...] = member(default=(), repr=False)
    consents: frozenset[str] = frozenset()
    agreement: int = 0
    at_most: str = "cloud"
    locale: str = "en"


@frozen
class Question:
    """One request: `session` is "" where the client names none, `inputs` None where the messages are all there is.

    `early`: a stream shows each sentence once it was read, before what holds for the whole answer is known.
    """

    model: str
    turns: tuple[Turn, ...]
    inputs: JsonObject | None = member(repr=False)
    tools: tuple[JsonObject, ...]
    person: Person
    session: str
    go_on: bool
    early: bool


def read_body(data: bytes) -> JsonObject:
    """Return the object that a body holds.

    Raises:
        Refusal: it is no JSON object in UTF-8, or holds half characters.
    """
    try:
        body = json.loads(data.decode())
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Refusal("expected a JSON object in UTF-8", code="invalid_json")
    return body


def texts_of(body: JsonObject) -> tuple[str, ...]:
    """Return every text that a person may have written, whatever else is wrong with the request."""
    messages = body.get("messages")
    said = [one for one in messages if not _is_instruction(one)] if isinstance(messages, list) else []
    texts, left = [], [said, body.get("inputs")]
    while left:  # however deep: whoever nests a text too deep for a prompt is heard all the same
        value = left.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, dict | list):
            left.extend(value.values() if isinstance(value, dict) else value)
    return tuple(texts)


def _is_instruction(message: object) -> bool:
    return isinstance(message, dict) and message.get("role") in INSTRUCTING


def parse_question(body: JsonObject) -> Question:
    """Return what a body asks.

    Raises:
        Refusal: a member is missing, unknown, mistyped, or asks for what an approved prompt does not give.
    """
    for name, value in body.items():
        if name in ONLY and value not in ONLY[name]:
            allowed = " or ".join(json.dumps(value) for value in ONLY[name][1:])
            raise Refusal(f"expected {name} to be {allowed}, or none", code="unsupported_value", param=name)
        if name not in ONLY and name not in CHANGES_NOTHING and name not in OURS:
            raise Refusal("expected no such member", code="unknown_parameter", param=name[:80])
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Refusal("expected the name of an approved prompt", code="model_not_found", param="model")
    inputs = body.get("inputs")
    if inputs is not None and not isinstance(inputs, dict):
        raise Refusal("expected an object of inputs by name", code="invalid_inputs", param="inputs")
    _check_stream(body)
    person, session, go_on, early = _read_person(body.get("mentorplane"))
    return Question(
        model=model,
        turns=_read_turns(body.get("messages")),
        inputs=inputs,
        tools=_read_tools(body),
        person=person,
        session=session,
        go_on=go_on,
        early=early and body.get("stream") is True,
    )


def _check_stream(body: JsonObject) -> None:
    options = body.get("stream_options")
    for name, value, kinds in (
        ("stream", body.get("stream"), bool),
        ("stream_options", options, dict),
        ("stream_options.include_usage", options.get("include_usage") if isinstance(options, dict) else None, bool),
    ):
        if value is not None and not isinstance(value, kinds):
            raise Refusal(f"expected {kinds.__name__}, got {type(value).__name__}", code="invalid_type", param=name)
    if options is not None and not body.get("stream"):
        raise Refusal("expected no such member without stream", code="invalid_value", param="stream_options")


def _read_turns(messages: object) -> tuple[Turn, ...]:
    if not isinstance(messages, list) or len(messages) > MAX_MESSAGES:
        raise Refusal(f"expected a list of at most {MAX_MESSAGES} messages", code="invalid_type", param="messages")
    turns = [_read_turn(message, f"messages[{number}]") for number, message in enumerate(messages)]
    return tuple(turn for turn in turns if turn.text.strip())


def _read_turn(message: object, place: str) -> Turn:
    if not isinstance(message, dict):
        raise Refusal("expected an object", code="invalid_type", param=place)
    role = str(message.get("role"))
    try:
        refuse_instructions([role])
    except InvalidDocument as error:
        code = "instruction_refused" if role in INSTRUCTING else "invalid_value"
        raise Refusal(str(error), code=code, param=f"{place}.role") from error
    text = _read_content(message.get("content"), f"{place}.content", empty=role == "assistant")
    calls = _read_calls(message.get("tool_calls"), f"{place}.tool_calls") if role == "assistant" else ()
    return Turn(role, "\n".join(part for part in (text, *calls) if part))


def _read_content(content: object, place: str, *, empty: bool) -> str:
    if content is None and empty:
        return ""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [None]
    texts = [part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "text"]
    if len(texts) != len(parts) or not all(isinstance(text, str) for text in texts):
        raise Refusal("expected text: a string, or parts of type text", code="unsupported_content", param=place)
    return "\n".join(map(str, texts))


def _read_calls(calls: object, place: str) -> tuple[str, ...]:
    """Return what an earlier answer called, as text."""
    if calls is None:
        return ()
    told = []
    for call in calls if isinstance(calls, list) else [None]:
        function = call.get("function") if isinstance(call, dict) else None
        name, given = (function.get("name"), function.get("arguments")) if isinstance(function, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(given, str):
            raise Refusal("expected calls of functions", code="invalid_type", param=place)
        told.append(f"calls {name} with {given}")
    return tuple(told)


def _read_tools(body: JsonObject) -> tuple[JsonObject, ...]:
    """Return the functions that may be called; whether the prompt declares them is not known here."""
    tools = body.get("tools") or []
    if not isinstance(tools, list) or len(tools) > MAX_TOOLS:
        raise Refusal(f"expected a list of at most {MAX_TOOLS} tools", code="invalid_type", param="tools")
    functions = []
    for number, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise Refusal("expected a function with a name", code="invalid_type", param=f"tools[{number}]")
        functions.append(function)
    if body.get("tool_choice") not in (None, "auto", "none"):
        raise Refusal("expected auto or none", code="unsupported_value", param="tool_choice")
    return () if body.get("tool_choice") == "none" else tuple(functions)


def _read_person(ours: object) -> tuple[Person, str, bool, bool]:
    """Return who asks, in which session, and whether the person goes on, and reads before every check was passed."""
    given = ours if isinstance(ours, dict) else {} if ours is None else None
    try:
        fields = Fields(given, "mentorplane", tagged=False)
        person = Person(**{name: read(fields, name) for name, read in _PERSON.items() if fields.holds(name)})
        session = fields.text("session", at_most=200) if fields.holds("session") else ""
        go_on, early = (fields.boolean(name) if fields.holds(name) else False for name in ("go_on", "early"))
        fields.close()
    except InvalidDocument as error:
        raise Refusal(str(error), code="invalid_value", param="mentorplane") from error
    if go_on and not session:
        raise Refusal(
            "expected a session with go_on: the one in which the person was shown the hand-off text",
            code="invalid_value",
            param="mentorplane.session",
        )
    return person, session, go_on, early


_PERSON: Mapping[str, Any] = {
    "learner": lambda fields, name: fields.text(name, at_most=200),
    "role": lambda fields, name: fields.choice(name, ("learner", "mentor")),
    "names": lambda fields, name: fields.texts(name),
    "terms": lambda fields, name: fields.texts(name),
    "consents": lambda fields, name: frozenset(fields.texts(name)),
    "agreement": lambda fields, name: fields.integer(name),
    "at_most": lambda fields, name: fields.choice(name, ("device", "redacted", "cloud")),
    "locale": lambda fields, name: fields.text(name, at_most=40),
}
