"""The way in for MCP clients: approved prompts and a few tools, over standard input and output or on loopback.

Needs the extra `[mcp]`. What a client may get is decided in `prompts` and `tools`; `server` speaks the protocol.
"""
