"""Witnesses: somebody outside the log operator's reach who cosigns only what extends all they saw before.

Modules: `decide` (pure), `store` (a witness's home), `server` (HTTP), `client` (a log that asks).
"""
