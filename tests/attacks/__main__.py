"""Write the table of attacks into docs/threat-model.md, or print it."""

from __future__ import annotations

import sys

from tests.attacks.table import PAGE, table, with_table

if "--write" in sys.argv:
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
else:
    sys.stdout.write(table())
