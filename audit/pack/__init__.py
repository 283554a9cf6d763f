"""Evidence packs: a stretch of the log as files that an outsider checks offline, made and verified here.

Modules: `container` (folder or ZIP), `make`, `check` with `walk`, `visit`, `contents` and `release`, `table` (CSV),
`ocsf` (events for a SIEM), `sample` (a draw that anybody can repeat).
"""
