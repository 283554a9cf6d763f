"""Replies in the shapes of OpenAI's chat completions, whole or in chunks, with what is ours beside them.

Promises: the member `mentorplane` says where a run went, why, and which very text left, also where the answer was made
on the device after all; it holds no other text that a person or a model wrote.
Does not: run anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from audit.frozen import frozen
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.entries import Entry
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.trust import TrustState
from edge_runtime.reply import Reply, ToolCall

__all__ = ["DONE", "Answer", "event", "model_card", "model_details"]

DONE = b"data: [DONE]\n\n"
TOLD = (
    *("route", "outcome", "findings", "reasons", "obligations", "notice", "disclosure", "sent_bytes", "receipt"),
    *("problems", "instead_of", "lineage"),
)
"""What a reply says beside its text. `disclosure` is the text that left, null where none did; no other holds one."""


@frozen
class Answer:
    """What all parts of one answer share.

    `usage`: a stream ends with it, and its chunks say that it comes. `as_object`: the content is a JSON object of the
    text that a person reads and the output, or null; it is one also where a prompt did not run, for a hand-off too.
    """

    id: str
    created: int
    model: str
    usage: bool = False
    as_object: bool = False

    @classmethod
    def to(cls, body: JsonObject, *, number: str, now: int) -> Answer:
        """Return the answer to a body, whatever is wrong with it."""
        model, options = body.get("model"), body.get("stream_options")
        usage = isinstance(options, dict) and options.get("include_usage") is True
        as_object = body.get("response_format") == {"type": "json_object"}
        return cls(f"chatcmpl-{number}", now, model if isinstance(model, str) else "", usage, as_object)

    def whole(self, reply: Reply) -> JsonObject:
        """Return a reply as a chat completion."""
        message: JsonObject = {"role": "assistant", "content": self._content(reply) or None, "refusal": None}
        if reply.calls:
            message["tool_calls"] = [_call(call) for call in reply.calls]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _end(reply)}
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": _usage(reply),
            "mentorplane": _told(reply),
        }

    def opening(self) -> JsonObject:
        """Return the chunk that comes before the first text."""
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, text: str) -> JsonObject:
        """Return a piece of the text as a chunk."""
        return self._chunk({"content": text})

    def closing(self, reply: Reply, *, shown: str) -> Iterator[JsonObject]:
        """Yield the chunks after the text: calls, where it came from, and what a client asks for by `include_usage`.

        Where another text was shown than counts in the end, that one stands beside it. An object comes here, whole.
        """
        if self.as_object and reply.text:
            yield self.piece(self._content(reply))
            shown = reply.text
        for number, call in enumerate(reply.calls):
            yield self._chunk({"tool_calls": [{"index": number, **_call(call)}]})
        instead = {} if reply.text == shown else {"text": reply.text}
        yield {**self._chunk({}, finish=_end(reply)), "mentorplane": {**_told(reply), **instead}}
        if self.usage:
            yield {**self._head("chat.completion.chunk"), "choices": [], "usage": _usage(reply)}

    def _content(self, reply: Reply) -> str:
        if not self.as_object or not reply.text:
            return reply.text
        return json.dumps({"text": reply.text, "output": reply.output}, ensure_ascii=False)

    def _head(self, kind: str) -> JsonObject:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _chunk(self, delta: JsonObject, *, finish: str | None = None) -> JsonObject:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self._head("chat.completion.chunk"), "choices": [choice], **({"usage": None} if self.usage else {})}


def _end(reply: Reply) -> str:
    return "tool_calls" if reply.calls else "stop"


def _call(call: ToolCall) -> JsonObject:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _usage(reply: Reply) -> JsonObject:
    given, got = reply.usage.input_tokens, reply.usage.output_tokens
    return {"prompt_tokens": given, "completion_tokens": got, "total_tokens": given + got}


def _told(reply: Reply) -> JsonObject:
    said = reply.as_json()
    return {name: said[name] for name in TOLD}


def event(document: JsonObject) -> bytes:
    """Return an object as a server-sent event."""
    return b"data: " + json.dumps(document, separators=(",", ":")).encode() + b"\n\n"


def model_card(name: str, entry: Entry, state: TrustState) -> JsonObject:
    """Return an approved prompt as a model of the list: which exact content runs under its name."""
    return {
        "id": name,
        "object": "model",
        "created": 0,  # a release holds no time
        "owned_by": state.manifest.organisation,
        "mentorplane": {
            "prompt": entry.name,
            "version": entry.epoch,
            "digest": entry.digest,
            "tier": entry.tier,
            "release": state.manifest.number,
            "manifest": state.manifest_digest,
            "channel": state.manifest.channel,
        },
    }


def model_details(prompt: Prompt) -> JsonObject:
    """Return what a client needs in order to ask a prompt, beside its card."""
    return {
        "title": prompt.title,
        "purpose": prompt.purpose,
        "notice": prompt.disclosure,
        "locale": prompt.locale,
        "placement": prompt.placement,
        "inputs": prompt.inputs.schema,
        "output": prompt.output,
        "tools": [tool.as_json() for tool in prompt.tools],
    }
