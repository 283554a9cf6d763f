"""The golden evidence pack: the example log of two entries, as a folder and as the one ZIP file that stands for it.

It has no reports: those are to be read, and no format. Does not: make the log (see `generate`).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from audit.merkle import Frontier
from audit.note import Signer
from audit.pack.container import write_zip
from audit.pack.make import NOTE, Material, Scope, pack_files, sign_pack, tiles_between

NONCE = "UNSAFE: dice 4 2 6"


def files(
    log: Mapping[str, bytes], entries: Sequence[bytes], checkpoint: bytes, *, openings: bytes, signer: Signer
) -> dict[str, bytes]:
    """Return the files of the pack below `pack/`, and `example.pack`."""
    size = len(entries)
    scope = Scope(signer.name, "period", 0, size - 1, since="2026-01-15T00:00:00Z", until="2026-01-16T00:00:00Z")
    plain = pack_files(
        Material(
            scope,
            checkpoint,
            Frontier(),
            entries,
            {tile: log[tile.path] for tile in tiles_between(0, size)},
            openings=openings,
            policy=f"log {signer.verifier.vkey}\nquorum none\n".encode(),
            nonce=NONCE,
        )
    )
    whole = {**plain, NOTE: sign_pack(plain, signer)}
    stream = io.BytesIO()
    write_zip(stream, whole)
    return {**{f"pack/{path}": data for path, data in whole.items()}, "example.pack": stream.getvalue()}
