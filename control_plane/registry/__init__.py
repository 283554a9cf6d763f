"""The registry: what is stored and what is live, the manifest that a change makes of it, and what that still lacks.

Rows stay in here and in what builds on it; callers get frozen records. Each act is a function in `reviewing` or
`lifecycle`, which takes the control plane and the actor, changes state and appends an audit leaf in one transaction,
or raises and changes nothing.
"""

__all__: list[str] = []
