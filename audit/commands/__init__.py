"""The subcommands of `python -m audit`: one module each, and what they share in `common`."""
