"""The server: a registry of prompts and policies, the approval workflow, and what devices fetch.

It carries people, not devices: everything a device reads is a static file. The package is installed by the extra
`[server]`; nothing of the edge runtime imports it.
"""

__all__: list[str] = []
