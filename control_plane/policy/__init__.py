"""The checks that stand between a proposal and its approvers, run with the functions that devices use."""

__all__: list[str] = []
