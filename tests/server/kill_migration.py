"""A process that opens a database with a folder of migrations, one of which kills it."""

from __future__ import annotations

import sys
from pathlib import Path

from control_plane import db
from control_plane.migrations.opening import bring_up
from control_plane.settings import Settings

if __name__ == "__main__":
    home, url, folder = sys.argv[1:]
    bring_up(db.connect(Settings(home=Path(home), database_url=url)), db.make_tables, folder=Path(folder))
