"""The bucket: a copy of the published folder in an S3-compatible store, from which a fleet of any size may read.

The folder stays the source of truth: it is written first, by whoever acts, and waits for no store. `copying` knows what
is copied in which order, `keeping` sees that the bucket lags and tries again, `s3` speaks to the store.
"""

from __future__ import annotations

from control_plane.bucket.copying import Shown, Store, copy, lag, shown
from control_plane.bucket.keeping import Keeper, keeper_of, keeping

__all__ = ["Keeper", "Shown", "Store", "copy", "keeper_of", "keeping", "lag", "shown"]
