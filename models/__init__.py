"""The training recipe of the reader: `make models` runs it, in an environment of its own, and nothing else imports it.

What it makes lies in `edge_runtime/models/`; `README.md` beside this file says how.
"""

__all__: list[str] = []
