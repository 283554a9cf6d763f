"""The search index of the audit log: sets of bits for each term and block of entries, kept with every entry.

Whatever it says can be worked out anew from the entries and the unerased texts; `problems` compares the two, and
nothing that a search returns is believed because of it. It holds no word in clear. Source: docs/adr/0017.

Modules: `keeping` (add, purge, rebuild, compare), `terms` (what an entry is found by), `postings` and `spans` (the
sets), `lookup` (intersecting them), `concerned` and `reasons` (what else an entry concerns, its words), `tables`.
"""
