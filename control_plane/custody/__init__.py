"""Keys that people keep themselves, on their own machine: the file of a key, and deciding with it.

Does not: run on the server, or believe it. What the server does with such keys is in `reviewing.own_keys`.
"""
