"""Where the routes of `/v1` are kept: each is made once, with its path, its limit and its id as they are served.

FastAPI's own way of including one router in another makes every route a second time: a third of what starting takes.
What a route takes and answers is worked out when somebody first asks for it, or for the document of all routes: doing
it for all of them was a quarter of the start.
Does not: know a route.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from threading import RLock
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.routing import compile_path

from control_plane.api.shared import limit_person
from control_plane.requests.document import operation_id

__all__ = ["routes"]

_MAKING = RLock()
# FastAPI names each body's form by an alias and hides what pydantic says to that, but the forms of `shared.Body` are
# made with the first request that has one, when FastAPI hides nothing any more.
warnings.filterwarnings("ignore", "The 'alias' attribute with value 'body'", UnsupportedFieldAttributeWarning)


class _LaterRoute(APIRoute):
    """A route that knows what it answers to; its forms are made with the first attribute that is not there yet."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.path, self.endpoint = path, endpoint
        self.name = options["name"] or endpoint.__name__
        self.methods = set(options["methods"])
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._make = partial(super().__init__, path, endpoint, **options)

    def __getattr__(self, name: str) -> Any:
        with _MAKING:
            make = self.__dict__.pop("_make", None)
            if make is not None:
                make()
        return self.__getattribute__(name)


def routes(prefix: str = "", *, of_people: bool = True) -> APIRouter:
    """Return a router for routes below `/v1` and `prefix`, each within the limit of the person who asks.

    Those that are not `of_people` look for nobody behind a request.
    """
    return APIRouter(
        prefix=f"/v1{prefix}",
        dependencies=[Depends(limit_person)] if of_people else [],
        generate_unique_id_function=operation_id,
        route_class=_LaterRoute,
    )
