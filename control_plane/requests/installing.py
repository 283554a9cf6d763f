"""Putting the middleware around the application, in the one order that works.

Does not: start threads.
"""

from __future__ import annotations

from fastapi import FastAPI

from control_plane.plane import ControlPlane
from control_plane.requests import document
from control_plane.requests.claims import forget
from control_plane.requests.etags import EntityTags
from control_plane.requests.idempotency import Idempotency
from control_plane.requests.identity import RequestIds, name_log_lines
from control_plane.requests.limits import AddressLimits, Buckets
from control_plane.requests.sizes import BodyCap

__all__ = ["install"]


def install(app: FastAPI, plane: ControlPlane) -> None:
    """Put everything around the application; what is added last meets a request first."""
    settings = plane.settings
    app.state.people_limits = Buckets(settings.requests_per_minute_of_person, clock=plane.clock)
    app.state.census_limits = Buckets(settings.census_per_minute_of_address, clock=plane.clock)
    app.add_middleware(EntityTags)
    app.add_middleware(Idempotency, plane=plane)
    app.add_middleware(BodyCap, max_bytes=settings.max_body_bytes)
    app.add_middleware(AddressLimits, buckets=Buckets(settings.requests_per_minute_of_address, clock=plane.clock))
    app.add_middleware(RequestIds)
    name_log_lines()
    forget(plane)
    document.install(app)
