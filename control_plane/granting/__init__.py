"""Who may do what now: grants of roles, delegations while absent, and people who leave.

Modules: `grants`, `delegations`, `terms` (what is signed about either), `leaving`.
"""

from __future__ import annotations

__all__: list[str] = []
