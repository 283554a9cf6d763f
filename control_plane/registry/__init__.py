"""The registry: proposals, their review, releases and withdrawals, and what can be asked about them.

Every act is one function that takes the control plane and the actor, changes state and appends an audit leaf in one
transaction, or raises and changes nothing. Rows stay in here and in the ledger; callers get frozen records.
"""

__all__: list[str] = []
