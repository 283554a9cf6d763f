"""The device's own page: the only place where a person types free text.

A small server on the loopback address, from the standard library alone, so that the base install brings it.
"""

from edge_runtime.desk.server import DeskServer, DeskSettings, serve

__all__ = ["DeskServer", "DeskSettings", "serve"]
