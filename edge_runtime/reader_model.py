"""Which model a device reads with: the packaged one or the host's, verified, and named by the release if it names any.

Promises: loaded when first used; V8: a release that names models is adopted only with one of them, and no other one is
read with afterwards, whatever an update of the app brings; a reading ends in time. Does not: run one (see `encoder`).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from audit.frozen import replace
from edge_runtime.bounded import Lane
from edge_runtime.core.errors import InvalidDocument, MentorplaneError, NotTrusted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_runtime.core.manifest import Manifest
    from edge_runtime.core.reader import Encoder, Reading
    from edge_runtime.encoder import Installed, OnnxEncoder

__all__ = ["DeviceReader"]

_UNNAMED = "expected one of the models that the release in use names, got another"


READ_WITHIN_S, READ_CHARACTERS_A_S = 20.0, 2_000
"""How long a reading may take, the loading of the model included, and how much longer a long text may."""


class DeviceReader:
    """The reader's model on this device: `wanted` is the host's folder, `"none"`, or "" for the packaged one.

    `problem` says why the packaged model is not used, if that was refused.
    """

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self.problem = ""
        self.given: Encoder | None = None
        """A model in memory, read with instead of one in a folder."""
        self.within_s = READ_WITHIN_S
        self.lane = Lane(4)

    def within(self, read: Callable[[], Reading], length: int) -> Reading:
        """Return a reading of a text of that length.

        Raises:
            Unavailable: it took too long, or too many have not ended.
        """
        within_s = self.within_s + length / READ_CHARACTERS_A_S
        try:
            return self.lane.call(read, within_s)
        except TimeoutError as error:
            raise Unavailable(f"expected a reading within {within_s:.0f} s, got none") from error

    @cached_property
    def _found(self) -> OnnxEncoder | None:
        from edge_runtime.encoder import find_encoder

        try:
            return find_encoder(self._wanted)
        except MentorplaneError as error:
            if self._wanted:
                raise
            self.problem = str(error)
            return None

    def digest(self) -> str:
        """Return the digest of the model, which was verified and has passed its self-test; "" if there is none.

        Raises:
            NotTrusted: V8, it cannot be used.
        """
        try:
            found = self._found
        except (Unavailable, InvalidDocument) as error:
            raise NotTrusted(f"expected a model that can be used: {error}", check="V8") from error
        return found.digest if found else ""

    def encoder(self, manifest: Manifest | None) -> Encoder | None:
        """Return the model; none if there is none, or if the release in use names others.

        Raises:
            Unavailable, InvalidDocument, NotTrusted: the model that the host named cannot be used.
        """
        if self.given is not None:
            return self.given
        found = self._found
        if found and manifest and not manifest.admits(found.digest):
            return None
        return found

    def installed(self, manifest: Manifest | None) -> Installed:
        """Return which model that is, and why it is not used if it is not; nothing is run."""
        from edge_runtime.encoder import find_installed

        found = find_installed(self._wanted, self.problem)
        if found.name and not found.problem and manifest and not manifest.admits(found.digest):
            return replace(found, problem=_UNNAMED)
        return found
