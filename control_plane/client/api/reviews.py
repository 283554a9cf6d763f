"""`/v1/reviews`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, later, now
from control_plane.client.records.reviews import PendingReview

__all__ = ["AsyncReviewsApi", "ReviewsApi"]


def _list() -> Call[tuple[PendingReview, ...]]:
    """Return the break-glass releases that are still to be reviewed."""
    return Call("GET", "/v1/reviews", tuple[PendingReview, ...])


class ReviewsApi(Group):
    """`/v1/reviews`, one call after the other."""

    list = now(_list)


class AsyncReviewsApi(AsyncGroup):
    """The same for `await`."""

    list = later(_list)
