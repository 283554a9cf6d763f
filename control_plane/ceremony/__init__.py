"""Ceremonies: what the keys that custodians keep are used for, and how they are made and replaced.

Root and top-level targets are signed by thresholds of keys that never lie on the server. What is to be signed is a
file, an order (`orders`); each custodian reads it and signs where their key is (`custodians`); the server carries it
out (`carrying_out`). `preparing` makes orders: to begin, to move away from a self-contained installation, to renew, to
replace keys. `pool` enrols the people whom a ceremony begins with. `watching` says what is due.
Does not: run by itself, or see a custodian's secret. Source: DESIGN section 6, Keys; TUF 1.0.34; docs/ceremony.md.
"""
