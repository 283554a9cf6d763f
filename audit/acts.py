"""The closed lists of words in a leaf: acts, outcomes, ways to authenticate, doors, retention classes.

Promises: every word is lower-case letters and "-", and stands for one thing; approved is not rejected, and done is not
refused. Does not: judge whether an act was right.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Act", "Auth", "Client", "Outcome", "Retention"]


class Act(StrEnum):
    """What was done. The set is closed: an act that a reader does not know is refused."""

    # prompts and policies
    SEEDED = "seeded"  # installed with the product, before anybody could approve
    PROPOSED = "proposed"
    EDITED = "edited"
    ABANDONED = "abandoned"  # a proposal was given up, or a release did not finish
    EXPIRED = "expired"  # a proposal met its end without a decision
    OPENED = "opened"  # somebody was shown what a proposal changes
    COMMENTED = "commented"
    THREAD_RESOLVED = "thread-resolved"
    THREAD_REOPENED = "thread-reopened"
    OBJECTED = "objected"  # nothing is released until it is taken back or the content changes
    OBJECTION_TAKEN_BACK = "objection-taken-back"  # also a rejection
    REVIEW_REQUESTED = "review-requested"
    REVIEW_REQUEST_ENDED = "review-request-ended"
    CHECKED = "checked"
    APPROVED = "approved"
    REJECTED = "rejected"
    RELEASED = "released"
    SCHEDULED = "scheduled"  # an approved proposal is to be released at a time
    UNSCHEDULED = "unscheduled"
    SUSPENDED = "suspended"  # at its time it was not released, because the world had moved underneath
    WINDOW_STATED = "window-stated"  # a trial on a channel has an end, and this is what happens then
    WINDOW_ENDED = "window-ended"
    BREAK_GLASS = "break-glass"  # a release by the quorum of emergencies, to be reviewed
    REVIEWED = "reviewed"  # such a release was looked at again
    STAGE_CHANGED = "stage-changed"
    WITHDRAWN = "withdrawn"
    WITHDRAWAL_LIFTED = "withdrawal-lifted"
    TRUST_CHANGED = "trust-changed"  # keyring, log key, witness policy or approval floor
    ROOT_SIGNED = "root-signed"  # custodians signed which keys count, and how many
    TARGETS_SIGNED = "targets-signed"  # custodians signed the trust file, and who signs releases
    # people, roles and keys
    PERSON_ENROLLED = "person-enrolled"
    PERSON_LEAVING = "person-leaving"  # the first of the two signatures by which somebody leaves
    PERSON_RETIRED = "person-retired"
    ROLE_PROPOSED = "role-proposed"  # the first of the two signatures under a grant
    ROLE_GRANTED = "role-granted"
    ROLE_DELEGATED = "role-delegated"
    ROLE_ENDED = "role-ended"
    HANDED_OVER = "handed-over"  # a successor took note of what is open, and holds the role from then on
    INVITED = "invited"  # somebody was handed a code to come in with
    IDENTITY_LINKED = "identity-linked"  # a subject of the identity provider is this person
    ADDRESS_SET = "address-set"  # where somebody gets mail; the log has the digest of what is encrypted
    ADDRESS_REMOVED = "address-removed"
    KEY_SEALED = "key-sealed"
    KEY_ENROLLED = "key-enrolled"
    KEY_REVOKED = "key-revoked"
    TOKEN_ISSUED = "token-issued"  # noqa: S105 - an act, not a secret
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - an act, not a secret
    SIGNED_IN = "signed-in"
    SIGNED_IN_FAILED = "signed-in-failed"
    SIGNED_OUT = "signed-out"
    REFUSED = "refused"  # an act was attempted without the right to it
    # the record itself
    HOLD_PLACED = "hold-placed"
    HOLD_LIFTED = "hold-lifted"
    ERASED = "erased"  # the key of somebody's content was destroyed
    REVEALED = "revealed"  # names or reasons behind commitments were shown
    AUDIT_READ = "audit-read"  # somebody searched the log or read entries of it
    EXPORTED = "exported"
    GATHERED = "gathered"  # of a day that is over: one root for the roll-ups of receipts that devices told
    EVIDENCE_FILED = "evidence-filed"  # the digest of a document that the organisation keeps elsewhere
    SETTINGS_CHANGED = "settings-changed"
    RECOVERED = "recovered"  # a start after a crash finished or undid what was under way


class Auth(StrEnum):
    """How the actor had authenticated."""

    PASSPHRASE = "passphrase"  # noqa: S105 - a method, not a secret
    TOKEN = "token"  # noqa: S105 - a method, not a secret
    KEY = "key"  # a signature with a key of the person's own
    SINGLE_SIGN_ON = "single-sign-on"  # the organisation's identity provider vouched for them
    SYSTEM = "system"  # the installation itself
    NONE = "none"  # nobody had authenticated, as before a failed sign-in


class Outcome(StrEnum):
    """What became of the act."""

    DONE = "done"
    REFUSED = "refused"  # nothing changed, because the actor had no right to it
    FAILED = "failed"  # nothing changed, because it did not work out


class Client(StrEnum):
    """The door that the act came through."""

    CONSOLE = "console"
    API = "api"
    CLI = "cli"
    SYSTEM = "system"  # the installation itself


class Retention(StrEnum):
    """How long the texts behind a leaf are kept; the leaf itself stays."""

    GOVERNANCE = "governance"  # what was decided about prompts, policies, people's roles
    ACCESS = "access"  # who signed in, read or exported
    SECURITY = "security"  # what was refused, keys, recovery
