"""`mentorplane audit restore`."""

from __future__ import annotations

from control_plane.cli.common import DEFAULT_HOME, Home, Json, answer, opened

__all__ = ["restore"]


def restore(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Bring back the log's entries that a restored database lacks, from the published files.

    Runs on the server's machine.
    """
    with opened(home, as_json=as_json) as plane:
        from control_plane.verifying.restore import restore as bring_back

        done = bring_back(plane)
        lines = [
            f"brought back: entries {done.first} to {done.last}, said by entry {done.leaf}",
            f"erased again: {done.erased} keys",
            f"lost with the database: {len(done.lost) or 'nothing that the log knows of'}",
            *done.lost,
        ]
        answer(done, as_json=as_json, text="\n".join(lines))
