"""The way to a cloud model: `litellm`, imported here and nowhere else, handed a `Disclosure` only.

Promises: callbacks, telemetry, caching and logging are off, and so is the look-up at import; the bytes that go out are
scanned for raw values as the last thing before the socket, and a hit refuses the send.
Does not: decide (see `core.policy`) or redact (see `core.redaction`). OpenAI-compatible servers only.
Needs the extra `[cloud]`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from audit.frozen import frozen, member
from edge_runtime.core.disclosure import Disclosure
from edge_runtime.core.errors import Unavailable

__all__ = ["CloudModel", "Wire", "complete", "require_installed"]

Scan = Callable[[bytes], tuple[str, ...]]


@frozen
class CloudModel:
    """An OpenAI-compatible model: `name` as its server knows it, `base_url` up to and with `/v1`."""

    name: str
    base_url: str
    api_key: str = member(default="none", repr=False)
    timeout_s: int = 30


def require_installed() -> None:
    """Refuse to go on without the extra `[cloud]`, without importing it.

    Raises:
        Unavailable: it is missing.
    """
    from importlib.util import find_spec

    if find_spec("litellm") is None:
        raise Unavailable(
            "expected the cloud extra for a cloud model, got none", hint="pip install 'mentorplane[cloud]'"
        )


def _litellm() -> Any:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else the import asks the network for prices
    os.environ["LITELLM_LOG"] = "CRITICAL"
    os.environ["DO_NOT_TRACK"] = "1"
    try:
        import litellm
    except ImportError as error:
        raise Unavailable(
            "expected the cloud extra to be installed", hint="pip install 'mentorplane[cloud]'"
        ) from error
    for hooks in ("callbacks", "success_callback", "failure_callback", "input_callback", "service_callback"):
        setattr(litellm, hooks, [])
    for hooks in ("_async_success_callback", "_async_failure_callback", "_async_input_callback"):
        setattr(litellm, hooks, [])
    litellm.cache = None
    litellm.suppress_debug_info = True
    litellm.turn_off_message_logging = True
    litellm.drop_params = True
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai"):
        # At DEBUG they write requests down. Their loggers are silenced for good: a level put back too early would leak.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        logging.getLogger(name).propagate = False
    return litellm


class Wire:
    """What passed to the cloud in one run: scans each request, counts what left, remembers why it refused.

    It outlives a failed request, so that a run can say what left although no answer came.
    """

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self.sent_bytes = 0
        self.disclosure: Disclosure | None = None
        self.refused: tuple[str, ...] = ()

    def client(self, model: CloudModel) -> Any:
        """Return an OpenAI client whose every request passes `check` and is counted."""
        import httpx
        import openai

        wire = self

        class Transport(httpx.HTTPTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                wire.check(request)
                try:
                    response = super().handle_request(request)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    raise  # nothing was sent
                except httpx.HTTPError:
                    wire.sent_bytes += len(request.content)
                    raise
                wire.sent_bytes += len(request.content)
                return response

        http = httpx.Client(transport=Transport(), timeout=model.timeout_s, trust_env=False)
        return openai.OpenAI(api_key=model.api_key, base_url=model.base_url, http_client=http, max_retries=0)

    def check(self, request: Any) -> None:
        """Scan the URL and body of a request, and take out the headers that describe the device.

        Raises:
            PermissionError: a raw value was found; nothing is sent.
        """
        self.refused = self._scan(str(request.url).encode() + b"\n" + request.content)
        if self.refused:
            raise PermissionError("a raw value was found in the outgoing bytes")
        for name in [n for n in request.headers if n.startswith("x-stainless-") and n != "x-stainless-raw-response"]:
            del request.headers[name]  # they tell the device's system and versions
        request.headers["User-Agent"] = "mentorplane"


def complete(disclosure: Disclosure, model: CloudModel, *, wire: Wire, max_tokens: int) -> str:
    """Send `disclosure` to `model` over `wire` and return the text of its answer.

    Raises:
        Unavailable: refused by the scan, not installed, or no usable answer in time; the message has no text in it.
    """
    if type(disclosure) is not Disclosure:
        raise TypeError("expected a Disclosure")
    litellm = _litellm()
    import openai

    wire.disclosure = disclosure
    try:
        response = litellm.completion(
            model=f"openai/{model.name}",
            messages=[{"role": "user", "content": disclosure.text}],
            client=wire.client(model),
            api_base=model.base_url,
            api_key=model.api_key,
            timeout=model.timeout_s,
            max_tokens=max_tokens,
            num_retries=0,
        )
        text = response.choices[0].message.content
    except (openai.OpenAIError, OSError, ValueError, LookupError, AttributeError) as error:
        # `from None`: the texts of these errors may quote the prompt.
        if wire.refused:
            raise Unavailable(f"refused to send: {', '.join(wire.refused)} in the outgoing bytes") from None
        raise Unavailable(f"expected an answer from the cloud model, got {type(error).__name__}") from None
    if not isinstance(text, str) or not text:
        raise Unavailable("expected text from the cloud model, got none")
    return text
