"""Pages of the server: the guided tour. Mounted for a demo start only."""

from control_plane.web.tour import mount

__all__ = ["mount"]
