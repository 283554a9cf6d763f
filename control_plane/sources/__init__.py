"""What authors write: reading YAML strictly, and freezing it into the closures that people sign.

Modules: `strict_yaml`, `schema_problems` (what a schema refuses, as a sentence), `parsing` (a file as what it holds),
`closures` (with every include resolved). Does not: know the database.
"""

from __future__ import annotations

__all__: list[str] = []
