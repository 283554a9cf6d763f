"""Which names of hosts stand for this machine itself.

Does not: look a name up: but for `localhost`, a name may lead anywhere.
"""

from __future__ import annotations

import ipaddress

__all__ = ["is_this_machine"]


def is_this_machine(host: str) -> bool:
    """Return whether a host, as it stands in an address, is this machine.

    >>> is_this_machine("localhost"), is_this_machine("127.0.0.2"), is_this_machine("::1")
    (True, True, True)
    >>> is_this_machine("127.evil.example"), is_this_machine("")
    (False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
