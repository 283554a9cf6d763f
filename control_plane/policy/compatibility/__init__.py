"""Compatibility of contracts: whether what worked with one version of a script works with another.

    inputs    which calls one version accepts and another refuses: exact, for all that an input schema can say
    outputs   which outputs one version may give that a parser written for another does not expect
    modes     none, backward, forward, full, and their transitive forms: which versions are held against which

Callers give inputs, so a new required input breaks them. Parsers read outputs, so an output member that is gone breaks
them; a member that they do not know does not, because a parser is taken to pass over it.
Does not: know rows or proposals (see `policy.checks.contracts`).
"""

from control_plane.policy.compatibility.modes import DEFAULT_MODE, MODES, Break, Version, find_breaks

__all__ = ["DEFAULT_MODE", "MODES", "Break", "Version", "find_breaks"]
