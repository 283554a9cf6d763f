"""What every request of `/v1` meets before and after its route, each thing in a module of its own.

From the outside in: a request id (`identity`), the limits of an address (`limits`), the largest body (`app`), one
answer for one idempotency key (`idempotency`), entity tags (`etags`). A route meets the limits of its person (`limits`)
and cuts lists into pages (`paging`). Problems have one form (`problems`), and the OpenAPI document says all of it
(`document`). docs/api.md is the page about them.
Does not: know use cases, or who may do what.
"""

from __future__ import annotations

__all__: list[str] = []
