"""Accounts: who people are, what they may do now, and how they come in.

Modules: `people` (ids, logins, eligible roles), `passphrases` (sealed keys), `tokens`, `rights` (what an act asks for,
and the entry that an attempt without it leaves).
"""
