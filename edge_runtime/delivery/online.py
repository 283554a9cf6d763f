"""Bring a staged generation up to what a source publishes: V1 to V3 with the network.

Promises: everything fetched has a size cap and a slowest pace; a source that hangs, lies or is gone gives `Unavailable`
or `NotTrusted`, nothing else. Does not: speak HTTP (see `web`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3.exceptions
from tuf.api import exceptions as tuf_errors
from tuf.ngclient import Updater, UpdaterConfig

from edge_runtime.core.errors import NotTrusted, Unavailable
from edge_runtime.core.rollout import stages_path
from edge_runtime.delivery import RELEASES_ROLE, TRUST_PATH, target_paths
from edge_runtime.delivery.access import Access, Pace, is_web, require_plain
from edge_runtime.delivery.delegating import require_narrow
from edge_runtime.delivery.web import CHUNK_BYTES, MemoryFetcher, WebFetcher

__all__ = ["Source", "fetch_target", "is_unreleased", "refresh_metadata", "update"]

MAX_TARGET_BYTES = 16_000_000


class _FolderFetcher(MemoryFetcher):
    """Reads what a folder publishes, as if it were a web server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(url).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            raise tuf_errors.DownloadHTTPError("not found", 404)
        return self._chunks(path)

    @staticmethod
    def _chunks(path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


class Source:
    """Where a channel is published: an http(s) address or a folder."""

    def __init__(self, address: str, access: Access | None = None, pace: Pace | None = None) -> None:
        """Name a source; no request is made. `pace` is how slow it may be.

        Raises:
            InvalidDocument: the address carries a name, a password, a query or a fragment.
        """
        self.base = address.rstrip("/")
        self._web: WebFetcher | None = None
        if is_web(address):
            require_plain(address)
            self._web = WebFetcher(self.base, access, pace)
        self.fetcher: MemoryFetcher = self._web or _FolderFetcher(Path(address))

    def hold(self, path: str, data: bytes) -> None:
        """Have `path` sent only if it differs from `data`, which this device has."""
        if self._web:
            self._web.held[f"{self.base}/{path}"] = data

    def fetch(self, path: str, *, max_bytes: int) -> bytes:
        """Return the bytes published at `path`.

        Raises:
            Unavailable: not reachable, or too slow.
            NotTrusted: V3, it is longer than `max_bytes`.
            FileNotFoundError: the source says that there is no such file.
        """
        try:
            return self.fetcher.download_bytes(f"{self.base}/{path}", max_bytes)
        except tuf_errors.DownloadHTTPError as error:
            if error.status_code in (403, 404):
                raise FileNotFoundError(path) from error
            raise Unavailable(f"expected the source to answer, got HTTP status {error.status_code}") from error
        except tuf_errors.DownloadLengthMismatchError as error:
            raise NotTrusted(f"expected a file of at most {max_bytes} bytes, got a longer one", check="V3") from error
        except (tuf_errors.DownloadError, urllib3.exceptions.HTTPError, OSError) as error:
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    if isinstance(error, tuf_errors.SlowRetrievalError):
        return Unavailable(str(error))
    return Unavailable(f"expected the source to answer, got {type(error).__name__}")


@contextmanager
def _wrapped(check: str) -> Iterator[None]:
    """Turn what `tuf` raises into our errors; `check` is the number of the check at work."""
    try:
        yield
    except tuf_errors.RepositoryError as error:
        at = "V1" if "root" in str(error).split()[:2] else check
        raise NotTrusted(f"expected metadata that verifies, got {type(error).__name__}: {error}", check=at) from error
    except tuf_errors.DownloadLengthMismatchError as error:
        raise NotTrusted("expected a file of the length its metadata states, got a longer one", check="V3") from error
    except (tuf_errors.DownloadError, urllib3.exceptions.HTTPError, OSError) as error:
        raise _unavailable(error) from error
    except ValueError as error:
        raise NotTrusted("expected metadata in the TUF format, got something else", check=check) from error


def update(staging: Path, root: bytes, source: Source, *, channel: str) -> dict[str, bytes]:
    """Bring the staged TUF metadata and targets up to the source; return the target files by path.

    Raises:
        NotTrusted: V1, V2 or V3 failed. The staged folder is then of no further use.
        Unavailable: the source did not answer.
    """
    updater = refresh_metadata(staging, root, source)
    files = {path: fetch_target(updater, path) for path in target_paths(channel)}
    words = stages_path(channel)
    with _wrapped("V2"):
        is_said = updater.get_targetinfo(words) is not None
    if is_said:
        files[words] = fetch_target(updater, words)
    _require_narrow(staging / "metadata")
    return files


def is_unreleased(staging: Path, root: bytes, source: Source, *, channel: str) -> bool:
    """Return whether a source publishes nothing of a channel, as its own signed metadata says.

    Whoever has the online keys can leave a release out: it is good for whoever never saw one on this channel.

    Raises: as for `update`.
    """
    updater = refresh_metadata(staging, root, source)
    with _wrapped("V2"):
        found = [path for path in target_paths(channel) if path != TRUST_PATH and updater.get_targetinfo(path)]
    _require_narrow(staging / "metadata")
    return not found


def refresh_metadata(staging: Path, root: bytes, source: Source) -> Updater:
    """Bring the staged metadata of the top-level roles up to the source; return what fetches targets by it.

    Raises: as for `update`.
    """
    metadata, targets = staging / "metadata", staging / "targets"
    metadata.mkdir(exist_ok=True)
    targets.mkdir(exist_ok=True)
    with _wrapped("V1"):
        updater = Updater(
            str(metadata),
            f"{source.base}/metadata",
            str(targets),
            f"{source.base}/targets",
            fetcher=source.fetcher,
            config=UpdaterConfig(),
            bootstrap=root,
        )
    with _wrapped("V2"):
        updater.refresh()
    return updater


def fetch_target(updater: Updater, path: str) -> bytes:
    """Return a target file, from the staged folder if it is there just so, else from the source.

    Raises: as for `update`.
    """
    with _wrapped("V2"):
        info = updater.get_targetinfo(path)
    if info is None:
        raise NotTrusted(f"expected target {path!r} at the source, got none", check="V2")
    if info.length > MAX_TARGET_BYTES:
        raise NotTrusted(f"expected target {path!r} of at most {MAX_TARGET_BYTES} bytes, got more", check="V3")
    with _wrapped("V3"):
        return Path(updater.find_cached_target(info) or updater.download_target(info)).read_bytes()


def _require_narrow(metadata: Path) -> None:
    """Refuse targets that delegate more than they may.

    Raises:
        NotTrusted: V2, they do.
    """
    try:
        top, releases = (
            json.loads((metadata / f"{role}.json").read_bytes())["signed"] for role in ("targets", RELEASES_ROLE)
        )
        require_narrow(top, releases)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise NotTrusted(f"expected targets that delegate no more than they may: {what}", check="V2") from error
