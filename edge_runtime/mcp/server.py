"""The Model Context Protocol, by its official package, which is imported here and nowhere else.

Promises: one question at a time, none on the event loop; an error says what was expected and quotes nothing; the
process that serves logs nothing, warns of nothing and keeps no spans: the package would write down what a client calls
things, and what did not fit. Over HTTP, `serving.gate` stands before everything, and each client has a session of its
own: that of the protocol, which ends with it; since the revision that has none, the one that the client names, or the
one of the program that says who it is. Whoever says nothing is somebody new at each question.
Does not: decide what a client gets (see `prompts`, `tools`).
Source: modelcontextprotocol.io/specification, revisions up to 2026-07-28, as the package `mcp` speaks them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import MentorplaneError, Unavailable
from edge_runtime.installed import package_version
from edge_runtime.mcp.clients import MAX_CLIENTS, Clients
from edge_runtime.mcp.front import fronted
from edge_runtime.mcp.prompts import Offered
from edge_runtime.mcp.tools import Tool
from edge_runtime.serving.gate import MAX_BODY_BYTES
from edge_runtime.serving.server import ServeSettings, serve_app

__all__ = ["PATH", "serve_http", "serve_stdio"]

PATH = "/mcp"
META = "mentorplane"
"""The member of `_meta` that is ours, in what is listed and in what is answered."""
GO_ON = "mentorplane/go-on"
"""The member of a request's `_meta` by which a host says that the person chose to go on."""
SESSION = "mentorplane/session"
"""The member by which a host names the conversation that it asks for, where the protocol has no sessions."""
MAX_NAME_LENGTH = 200
INSTRUCTIONS = (
    "The prompts of this server are approved coaching scripts. What somebody types into one is read on this device; "
    "what may leave it comes with placeholders such as [PERSON_1], which stay as they are. Where a result has a text "
    "in `handoff`, show that to the person first, and whole."
)

_T = TypeVar("_T")
_Context = ServerRequestContext[Any, Any]


class _Handlers:
    """What is done for each kind of question."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._turn = asyncio.Lock()

    async def list_prompts(self, _: Any, asked: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        after = (asked and asked.cursor) or ""
        offered, last = await self._ask(lambda: self._clients.prompts().offered(after))
        listed = {"prompts": [_prompt(prompt) for prompt in offered], "nextCursor": last or None}
        return types.ListPromptsResult.model_validate(listed)

    async def get_prompt(self, by: _Context, asked: types.GetPromptRequestParams) -> types.GetPromptResult:
        go_on, client = dict(asked.meta or {}).get(GO_ON) is True, _client_of(by, asked.meta)
        handed = await self._ask(
            lambda: self._clients.prompts(client).get(asked.name, asked.arguments or {}, go_on=go_on)
        )
        message = {"role": handed.role, "content": _text(handed.text, to_person=handed.role == "assistant")}
        return types.GetPromptResult.model_validate(
            {"description": handed.description, "messages": [message], "_meta": {META: handed.meta}}
        )

    async def complete(self, _: Any, asked: types.CompleteRequestParams) -> types.CompleteResult:
        prompt = asked.ref.name if isinstance(asked.ref, types.PromptReference) else ""
        argument = asked.argument
        values = await self._ask(lambda: self._clients.prompts().choices(prompt, argument.name, argument.value))
        return types.CompleteResult.model_validate({"completion": {"values": values[:100]}})

    async def list_tools(self, _: Any, _page: Any) -> types.ListToolsResult:
        return types.ListToolsResult.model_validate(
            {"tools": [_tool(tool) for tool in self._clients.tools().offered()]}
        )

    async def call_tool(self, by: _Context, asked: types.CallToolRequestParams) -> types.CallToolResult:
        client = _client_of(by, asked.meta)
        try:
            found = await self._ask(lambda: self._clients.tools(client).call(asked.name, asked.arguments or {}))
        except MCPError as error:
            return types.CallToolResult.model_validate({"content": [_text(error.message)], "isError": True})
        first = [_text(found["handoff"], to_person=True)] if found.get("handoff") else []
        content = [*first, _text(json.dumps(found, ensure_ascii=False))]
        return types.CallToolResult.model_validate({"content": content, "structuredContent": found})

    async def _ask(self, ask: Callable[[], _T]) -> _T:
        """Return what the device answers.

        Raises:
            MCPError: it does not; the message quotes nothing.
        """
        async with self._turn:
            try:
                return await asyncio.to_thread(ask)
            except MentorplaneError as error:
                code = types.INTERNAL_ERROR if isinstance(error, Unavailable) else types.INVALID_PARAMS
                raise MCPError(code, str(error)) from None
            except Exception:  # noqa: BLE001 - the boundary of the protocol: whatever failed, no text of it leaves
                raise MCPError(types.INTERNAL_ERROR, "the device could not answer") from None


def _client_of(by: _Context, meta: Mapping[str, Any] | None) -> str:
    """Return the name under which a client's session is held, "" for somebody new."""
    headers = by.request.headers if by.request is not None else None
    if headers is None:
        return "the one client of standard input"
    if by.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS:
        return _of_protocol(headers.get(MCP_SESSION_ID_HEADER, ""))
    named = dict(meta or {}).get(SESSION)
    if isinstance(named, str) and 0 < len(named) <= MAX_NAME_LENGTH:
        return f"named {named}"
    told = by.session.client_params
    return f"program {told.client_info.name[:MAX_NAME_LENGTH]}" if told is not None else ""


def _of_protocol(session: str) -> str:
    return f"session {session}" if session else ""


def _text(text: str, *, to_person: bool = False) -> JsonObject:
    return {"type": "text", "text": text, **({"annotations": {"audience": ["user"]}} if to_person else {})}


def _prompt(offered: Offered) -> JsonObject:
    arguments = [
        {"name": a.name, "title": a.title, "description": a.description, "required": a.required}
        for a in offered.arguments
    ]
    return {
        "name": offered.name,
        "title": offered.title,
        "description": offered.description,
        "arguments": arguments,
        "_meta": {META: offered.meta},
    }


def _tool(tool: Tool) -> JsonObject:
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.takes,
        "outputSchema": tool.gives,
        "annotations": {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": False},
    }


def _server(clients: Clients) -> Server[Any]:
    handlers = _Handlers(clients)
    server: Server[Any] = Server(
        "mentorplane",
        version=package_version(),
        title="Mentorplane",
        instructions=INSTRUCTIONS,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
        on_completion=handlers.complete,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
    )
    server.middleware.clear()  # the package's own spans: they have what a client calls things, and texts of errors
    return server


def _keep_quiet() -> None:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


def serve_stdio(clients: Clients) -> None:
    """Serve one client over standard input and output until it closes them."""
    _keep_quiet()

    async def serve() -> None:
        server = _server(clients)
        async with stdio_server() as (reads, writes):
            await server.run(reads, writes, server.create_initialization_options())

    asyncio.run(serve())


def serve_http(clients: Clients, settings: ServeSettings, *, ready: Callable[[str], None]) -> None:
    """Serve clients over streamable HTTP until the process is interrupted; `ready` is called with the address.

    Raises:
        InvalidDocument: the host is not a loopback address, or the token has another form.
        OSError: the port is taken.
    """
    _keep_quiet()
    app = _server(clients).streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=MAX_BODY_BYTES,
        max_sessions=MAX_CLIENTS,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # the gate does it
    )
    front = fronted(app, session_header=MCP_SESSION_ID_HEADER, forget=lambda name: clients.forget(_of_protocol(name)))
    serve_app(front, settings, path=PATH, ready=ready, lifespan="on")
