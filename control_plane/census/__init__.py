"""The census: what devices tell of themselves, counted at once and shown in groups of five or more.

`counting` takes reports, `figures` says what may be shown of counts, `showing` shows it to those whose role it is.
Promises: nothing of who sent a report is kept, nor when on its day, nor which answers came together. Does not: know
whether a report is true: anybody can send one (see docs/threat-model.md).
"""
