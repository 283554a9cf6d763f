"""The shared core: what a device decides, as pure functions that the server runs too.

Bytes in, records out. Nothing here opens a file or a socket, asks the clock, draws a random number or
writes a log line; time, keys and ids come in as arguments. Of our own packages it imports `audit`'s
verifier only. Import contracts hold both rules.
"""
