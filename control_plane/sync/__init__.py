"""A folder of YAML kept in step with a registry, so that authors can work in Git.

`pulling` writes what is live on a channel just as it was authored; `pushing` makes one proposal of what changed in the
folder; `comparing` compares three ways; `checking` needs no server. The registry is a home on this machine (`home`) or
a server (`server`). Nothing here approves or releases anything.
"""

from __future__ import annotations

__all__: list[str] = []
