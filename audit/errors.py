"""The errors of the audit package, split by what is wrong with the bytes that were received.

    AuditError
    ├── InvalidFormat   the bytes are malformed: they do not follow their format
    └── NotProven       the bytes are well formed, but what they claim does not verify

Both mean the same for a caller who must decide: do not trust this. Misuse by the calling code (a key of the
wrong length, an entry too long to log) is a `ValueError`, never one of these. Messages are one line and hold
nothing of an entry.
"""


class AuditError(Exception):
    """Base of everything this package raises about bytes it was given."""


class InvalidFormat(AuditError):
    """The bytes do not follow their format."""


class NotProven(AuditError):
    """A hash, a proof or a signature does not verify, or a part that is needed is missing."""
