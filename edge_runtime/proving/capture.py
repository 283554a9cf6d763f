"""Every packet of the chamber: who was spoken to, and how many bytes the recorder was sent by the kernel's account.

Promises: code that goes round Python is seen here; a packet that the kernel had no room for is counted, so that the
account can be said to be whole or not. Does not: put streams together; the recorder keeps the bytes.
Source: packet(7), RFC 791, RFC 1035, RFC 8200, RFC 9293.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter
from collections.abc import Collection
from contextlib import suppress

from audit.frozen import frozen

__all__ = ["Capture", "Flow", "Wire"]

_OUTGOING, _LINK_HEAD, _MOST = 4, 14, 262_144
_STATISTICS, _LEVEL = 6, 263
_PATIENCE_S = 0.2
_TCP, _UDP, _SYN, _ACK = 6, 17, 0x02, 0x10
_ICMP = {1, 58}
_UDP_HEAD, _DNS_HEAD, _DNS = 8, 12, 53
_PROTOCOLS = {_TCP: "TCP", _UDP: "UDP"}


@frozen
class Flow:
    """Who was spoken to, by which protocol; of a look-up, the name that was asked for."""

    protocol: str
    host: str
    port: int
    name: str = ""

    def __str__(self) -> str:
        asked = f", which asks for {self.name}" if self.name else ""
        return f"{self.protocol} to {self.host} port {self.port}{asked}"


@frozen
class Wire:
    """What the kernel saw: packets, those it lost, bytes sent to the recorder; who else was spoken to, how often."""

    packets: int
    lost: int
    to_recorder_bytes: int
    flows: tuple[tuple[Flow, int], ...]


class Capture:
    """Reads the wire until it is closed."""

    def __init__(self, wire: socket.socket, ports: Collection[int]) -> None:
        self._wire = wire
        self._ports = ports
        self._packets = 0
        self._sent: dict[int, int] = {}
        self._to_recorder = 0
        self._flows: Counter[Flow] = Counter()
        self._closing = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> Wire:
        """Return what was seen."""
        self._closing = True  # what is still in the kernel is read first
        self._thread.join()
        lost = struct.unpack("II", self._wire.getsockopt(_LEVEL, _STATISTICS, 8))[1]
        self._wire.close()
        return Wire(self._packets, lost, self._to_recorder, tuple(sorted(self._flows.items(), key=str)))

    def _read(self) -> None:
        self._wire.settimeout(_PATIENCE_S)
        while True:
            try:
                data, (_, _, kind, *_) = self._wire.recvfrom(_MOST)
            except TimeoutError:
                if self._closing:
                    return
                continue
            if kind == _OUTGOING:  # on the loopback interface each packet goes by twice
                self._packets += 1
                with suppress(struct.error, IndexError):
                    self._count(data[_LINK_HEAD:])

    def _count(self, packet: bytes) -> None:
        if packet[0] >> 4 == 4:
            start, protocol = (packet[0] & 15) * 4, packet[9]
            host, end = socket.inet_ntop(socket.AF_INET, packet[16:20]), struct.unpack(">H", packet[2:4])[0]
        else:
            start, protocol = 40, packet[6]
            host, end = socket.inet_ntop(socket.AF_INET6, packet[24:40]), 40 + struct.unpack(">H", packet[4:6])[0]
        if protocol in _ICMP:
            return  # the kernel's own answer to what reached nobody
        source, port = struct.unpack(">HH", packet[start : start + 4])
        if protocol == _TCP:
            self._count_tcp(Flow("TCP", host, port), source, packet[start:end])
        else:
            said = _asked(packet[start + _UDP_HEAD : end]) if (protocol, port) == (_UDP, _DNS) else ""
            self._flows[Flow(_PROTOCOLS.get(protocol, f"protocol {protocol}"), host, port, said)] += 1

    def _count_tcp(self, flow: Flow, source: int, segment: bytes) -> None:
        sequence, flags = struct.unpack(">I", segment[4:8])[0], segment[13]
        if flags & (_SYN | _ACK) == _SYN:
            if flow.port not in self._ports:
                self._flows[flow] += 1
            self._sent[source] = sequence + 1
        elif flow.port in self._ports and source in self._sent:
            length = len(segment) - (segment[12] >> 4) * 4
            fresh = (sequence + length - self._sent[source]) & 0xFFFFFFFF
            if length and fresh < 0x80000000:  # otherwise it was sent before
                self._to_recorder += fresh
                self._sent[source] = (sequence + length) & 0xFFFFFFFF


def _asked(message: bytes) -> str:
    """Return the name that a DNS message asks for."""
    labels: list[str] = []
    at = _DNS_HEAD
    while at < len(message) and 0 < message[at] < 64:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("latin-1"))
        at += 1 + message[at]
    return ".".join(labels)
