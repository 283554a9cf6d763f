"""`mentorplane dev`: a developer's own root and `draft` channel, published anew whenever a watched folder is saved.

    checking     the folder as a release would hold it, or everything that is wrong with it
    publishing   keys, log and TUF repository of the developer's own: a release for every change
    watching     when something in the folder was saved
    serving      the published files on the loopback address, and nothing else
    command      all of it together

Promises: what is wrong with a save leaves the last good release live; the root, the organisation and the channel are
named `draft`, and no other (`edge_runtime.core.manifest`), so no device of an organisation accepts any of it, and no
registry takes it for approved. Does not: need a database, people or approvals.
"""

__all__: list[str] = []
