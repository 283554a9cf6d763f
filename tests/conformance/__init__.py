"""How a device speaks TUF, from outside: an adapter for the public conformance suite, and attacks."""
