"""Pages of the server: the first page, and the guided tour, which is there for a demo start only."""

from control_plane.web.tour import mount

__all__ = ["mount"]
