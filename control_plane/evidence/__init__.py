"""What compliance asks of the log: searching it, what was live at a moment, evidence to take away.

Promises: every answer says which entries of the log evidence it; the index that answers quickly can be thrown away and
built anew from the entries and the texts that are not erased; reading the log is itself an entry of it.
Does not: vouch for the log (see `verifying.verify` and `python -m audit`), or change anything but the index.
"""
