"""A network of its own for a process, where the system allows it: no way out, and every address leads back to it.

Promises: what tries to reach another machine, by whatever code, becomes packets on the loopback interface of the
chamber and nothing else; they are captured. Nothing here is imported but the standard library: the watched process
enters before anything of ours is loaded. Linux only; elsewhere `enter` says so.
Source: unshare(2), rtnetlink(7), packet(7).
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from pathlib import Path

__all__ = ["enter", "listen", "wire"]

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
_NEW_ROUTE, _REQUEST_CREATE_ACK = 24, 0x1 | 0x4 | 0x400
_TABLE_LOCAL, _STATIC, _HOST, _LOCAL = 255, 4, 254, 2
_OUT_BY = 4
_ALL_PROTOCOLS, _ROOM, _FORCE_ROOM = 3, 2**26, 33


def enter() -> str:
    """Move this process, which has one thread, into a network of its own; return why not, or "" if it did."""
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has no network namespaces"
    try:
        _unshare()
        _bring_up()
        for family in (socket.AF_INET, socket.AF_INET6):
            _route_everything_here(family)
    except (OSError, AttributeError) as error:
        return (isinstance(error, OSError) and error.strerror) or type(error).__name__
    return ""


def listen() -> socket.socket:
    """Return a socket that listens on the loopback address."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen(64)
    return made


def wire() -> socket.socket | None:
    """Return a socket that gets every packet of the chamber, none if that is not allowed."""
    try:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        made.bind(("lo", 0))
    except (OSError, AttributeError):
        return None
    for option in (socket.SO_RCVBUF, _FORCE_ROOM):
        try:
            made.setsockopt(socket.SOL_SOCKET, option, _ROOM)
        except OSError:
            continue
    return made


def _unshare() -> None:
    user, group = os.getuid(), os.getgid()
    if _called(_NEW_NETWORK):
        return
    if not _called(_NEW_USER | _NEW_NETWORK):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    Path("/proc/self/setgroups").write_text("deny", "ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")


def _called(flags: int) -> bool:
    return int(ctypes.CDLL(None, use_errno=True).unshare(flags)) == 0


def _bring_up() -> None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        asked = fcntl.ioctl(control, _GET_FLAGS, struct.pack("16sh22x", b"lo", 0))
        flags = struct.unpack_from("16sh", asked)[1]
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh22x", b"lo", flags | _UP))


def _route_everything_here(family: int) -> None:
    """Make every address of a family one of this chamber, so that a packet to anybody arrives at its own interface."""
    message = struct.pack("=BBBBBBBBI", family, 0, 0, 0, _TABLE_LOCAL, _STATIC, _HOST, _LOCAL, 0)
    message += struct.pack("=HHI", 8, _OUT_BY, socket.if_nametoindex("lo"))
    header = struct.pack("=IHHII", 16 + len(message), _NEW_ROUTE, _REQUEST_CREATE_ACK, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as control:
        control.send(header + message)
        code = struct.unpack_from("=i", control.recv(4096), 16)[0]
    if code and family == socket.AF_INET:  # a system without IPv6 has no way out by it either
        raise OSError(-code, os.strerror(-code))
