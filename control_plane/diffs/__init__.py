"""Diffs: what changed, word by word and by meaning.

words      two closures, member by member and word by word

Does not: decide whether a change is good, or who must agree to it.
"""

__all__: list[str] = []
