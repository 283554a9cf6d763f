"""Scripts from and to the files of others: Prompty (`.prompty`) and Dotprompt (`.prompt`), each with a loss report.

What the other format cannot hold is carried in its metadata, where nothing enforces it, and the loss report says so. An
import makes files, and approves nothing. Nothing in a file is run, and no file or address that it names is read.
"""

from __future__ import annotations

__all__: list[str] = []
