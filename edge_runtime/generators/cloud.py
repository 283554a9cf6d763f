"""A model in the cloud: `litellm`, imported here and nowhere else, handed a `Disclosure` only.

Promises: 1. nothing but a disclosure made by the policy goes out, over one transport that checks it (see `transport`):
litellm itself knows neither the address nor the key, so that no setting of its own can send anything elsewhere.
2. Its callbacks, telemetry, caching, logging, rules and fallbacks are off for the whole process, and so are the
look-ups that it makes when it is imported and the file of settings that it reads. 3. Whatever goes wrong is
`Unavailable`, in words that hold no text of anybody.
Does not: decide (see `core.policy`), redact (see `core.redaction`), or choose between models (see `routing`).
OpenAI-compatible servers only. Needs the extra `[cloud]`.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

from audit.frozen import frozen, member
from edge_runtime.core.disclosure import Disclosure
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.core.policy import Route
from edge_runtime.delivery.access import is_private, is_web, require_plain
from edge_runtime.generators.chat import question
from edge_runtime.generators.protocol import Ask, CallPart, NotAsked, Piece, Wire
from edge_runtime.installed import require_extra

__all__ = ["CloudGenerator", "CloudModel"]

NOWHERE = "nowhere:/v1"
"""The address that litellm is told: none that can be connected to. The way to the model is the client it is given."""
_ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER": "False",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "CRITICAL",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_RUST": "False",
    "LITELLM_TOKEN_EXCHANGE_CACHE_DIR": "",
    "USE_LITELLM_PROXY": "False",
}
"""Then it asks the network for no prices, headers and news, reads no `.env`, keeps nothing in the folder for temporary
files, and takes no way but the client's."""
_EMPTY = (
    *("callbacks", "success_callback", "failure_callback", "input_callback", "service_callback"),
    *("_async_success_callback", "_async_failure_callback", "_async_input_callback"),
    *("pre_call_rules", "post_call_rules"),
)
_NONE = (
    *(
        "cache",
        "headers",
        "secret_manager_client",
        "cold_storage_custom_logger",
        "model_fallbacks",
        "default_fallbacks",
    ),
    *("fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "num_retries"),
)
_FALSE = (
    *("telemetry", "set_verbose", "log_raw_request_response", "log_client_error_tracebacks", "modify_params"),
    *("route_all_chat_openai_to_responses", "use_litellm_proxy", "enable_preview_features"),
    "add_user_information_to_llm_headers",
)
_TRUE = (
    *("suppress_debug_info", "turn_off_message_logging", "redact_messages_in_exceptions", "drop_params"),
    *("disable_streaming_logging", "disable_hf_tokenizer_download", "disable_token_counter"),
)
_LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai", "httpx", "httpcore")


@frozen
class CloudModel:
    """An OpenAI-compatible model: `name` as its server knows it, `base_url` up to and with `/v1`.

    `timeout_s` is the longest silence, `within_s` the longest that a whole answer may take. With `at_most="redacted"`
    it is given redacted text only, also where the policy would let the text go as it is. `keeps_schema`: its server
    keeps an answer to a JSON Schema; `tells_usage`: it is to be asked for a count of tokens, and knows how.
    `cost_micros` is what a thousand tokens cost, in millionths of your currency, and `answer_ms` how long an answer
    usually takes: of several models, these decide who is asked first.

    Raises:
        InvalidDocument: the address is not one of the web, or holds a name, a secret or a query; or another `at_most`.
        Unavailable: the address is neither encrypted nor on this machine.
    """

    name: str
    base_url: str
    api_key: str = member(default="none", repr=False)
    timeout_s: float = 30
    within_s: float = 120
    at_most: str = "cloud"
    keeps_schema: bool = False
    tells_usage: bool = False
    cost_micros: int = 0
    answer_ms: int = 0

    def __post_init__(self) -> None:
        if not is_web(self.base_url):
            raise InvalidDocument("expected an http(s) address for a cloud model")
        require_plain(self.base_url)
        if self.at_most not in {"redacted", "cloud"}:
            raise InvalidDocument("expected redacted or cloud for what a cloud model is given at most")
        if not is_private(self.base_url):
            raise Unavailable("expected https for a cloud model, got an address that is not encrypted")


class CloudGenerator:
    """Asks one cloud model."""

    def __init__(self, model: CloudModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def place(self) -> Route:
        """What it is given at most."""
        return Route[self._model.at_most.upper()]

    def answer(self, ask: Ask, wire: Wire) -> Iterator[Piece]:
        """Send the disclosure over `wire` and yield the answer as it comes.

        Raises:
            Unavailable: refused by the scan, not installed, or no whole answer in time.
        """
        if type(ask.instruction) is not Disclosure:
            raise TypeError("expected a Disclosure")
        if self.place is Route.REDACTED and ask.instruction.route != "redacted":
            raise TypeError("expected a redacted Disclosure")
        return self._answer(ask, wire, ask.instruction)

    def _answer(self, ask: Ask, wire: Wire, disclosure: Disclosure) -> Iterator[Piece]:
        litellm = _litellm()
        import httpx

        from edge_runtime.generators.transport import OneRequest

        model, problem, empty = self._model, "", True
        url = str(httpx.URL(f"{model.base_url.rstrip('/')}/chat/completions"))
        transport = OneRequest(url, ask=ask, wire=wire, timeout_s=model.timeout_s, within_s=model.within_s)
        wire.begin(disclosure)
        with httpx.Client(transport=transport, trust_env=False, timeout=model.timeout_s) as http:
            try:
                for chunk in litellm.completion(client=_client(model, http), **_request(ask, model)):
                    for piece in _pieces(chunk):
                        empty = False
                        yield piece
            except Exception as error:  # noqa: BLE001 - of three libraries; their texts may quote the prompt
                problem = transport.problem or type(error).__name__
        if transport.usage is not None:
            yield Piece(usage=transport.usage)
        # Not raised where it was caught: nobody who prints what came before it may find a text.
        if wire.refused:
            raise NotAsked(f"refused to send: {', '.join(wire.refused)} in the outgoing bytes")
        if problem:
            raise Unavailable(f"expected an answer from the cloud model, got {problem}")
        if empty:
            raise Unavailable("expected text from the cloud model, got none")


def _client(model: CloudModel, http: Any) -> Any:
    """Return a client that does not ask this device for its system: a program would be started to learn it."""
    import openai

    class Client(openai.OpenAI):
        def platform_headers(self) -> dict[str, str]:
            return {}

    return Client(api_key=model.api_key, base_url=model.base_url, http_client=http, max_retries=0)


def _request(ask: Ask, model: CloudModel) -> dict[str, Any]:
    """Return what litellm is asked to do."""
    request: dict[str, Any] = {
        "model": f"openai/{model.name}",
        **question(ask, keeps_schema=model.keeps_schema, tells_usage=model.tells_usage),
        "api_base": NOWHERE,
        "api_key": "none",
        "timeout": float(model.timeout_s),
        "num_retries": 0,
        "max_retries": 0,
    }
    if ask.tools:
        request["_skip_mcp_handler"] = True  # or else it loads a gateway of its own: a tool might be meant for that
    return request


def _pieces(chunk: Any) -> Iterator[Piece]:
    delta = chunk.choices[0].delta if chunk.choices else None
    if delta is None:
        return
    if delta.content:
        yield Piece(delta.content)
    for call in delta.tool_calls or ():
        made = call.function
        yield Piece(call=CallPart(call.index, call.id or "", made.name or "", arguments=made.arguments or ""))


def _litellm() -> Any:
    os.environ.update(_ENVIRONMENT)
    require_extra("cloud")
    try:
        import litellm
    except ImportError as error:
        raise Unavailable("expected the extra [cloud] to be whole, got a part of it") from error
    for names, value in ((_NONE, None), (_FALSE, False), (_TRUE, True)):
        for name in names:
            setattr(litellm, name, value)
    for name in _EMPTY:
        setattr(litellm, name, [])
    for name in _LOGGERS:
        # At DEBUG they write requests down. Their loggers are silenced for good: a level put back too early would leak.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        logging.getLogger(name).propagate = False
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings")  # they quote answers
    return litellm
