"""`mentorplane edge prove-no-egress`: run texts with canaries through every route, watched, and look where they went.

    canaries, corpus   what is planted, made anew for each proof       search     finds it again, however it is written
    child, chamber     a process that is watched from its first line   runs       what it does there
    recorder, capture  the cloud that it may reach, and the wire       proof      starts it all and gathers
                                                                       judging    what may have left, and what did

Promises: no canary is the same in two proofs; what was not watched is said. Does not: judge how well names are found.
"""

from __future__ import annotations
