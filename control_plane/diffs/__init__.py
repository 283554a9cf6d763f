"""Diffs: what changed, word by word and by meaning.

words      two closures, member by member and word by word
meaning    what a change means: policies, contracts, approval rules, what is measured; `approvals` compares rules
effects    what changes for the person being coached, case by case

Does not: decide whether a change is good, or who must agree to it.
"""

__all__: list[str] = []
