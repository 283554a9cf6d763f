"""The named checks of a proposal, each with evidence that approvers read.

A check is a function from `Candidate` to `Found` with a name and a version. Other packages add checks of their own in
the entry-point group `mentorplane.checks` (docs/checks.md lists ours, and says how). Every check that is installed is
required.

    built_in                  the list of ours, with their versions
    documents, contracts      contents as documents; what breaks callers and readers
    examples                  golden cases and recorded outputs
    policies                  loosenings, refutation probes (V9), placement against data class
    practice, practice_words  prohibited practice
    people                    what speaks, what may leave, how to reach somebody
    language, legal, told     readability and translations; legal tags; what a language model is told
    plugins, child, wire      checks of other packages, each in a process of its own
    records, running          what a check is given and answers; running all of them

Promises: all failures are listed, not the first; the functions are those of the shared core; no text of a person.
"""

from control_plane.policy.checks.records import WHOLE_RELEASE, Candidate, Found

__all__ = ["WHOLE_RELEASE", "Candidate", "Found"]
