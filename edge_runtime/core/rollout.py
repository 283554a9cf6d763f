"""Rollout by stages: whether a device may adopt a release now, or stays for a while on the one that it has.

The manifest, which people signed, states percentages. The first holds from the release on; each signed word of a
release manager opens the next, and the word of anybody who may stop things halts the rollout for good: only another
release, with the quorum of one, goes on. A device draws its place in a release, 0 to 99, by a hash with a random key
of its own.

Promises: a place never changes, so who is in at 10 % is in at 50 %; without the key, which never leaves the device,
nobody can tell it; no word opens more than people signed, words are about one manifest and each names the one before,
so a list that was seen can only grow. An emergency has no stages: it goes to everybody.
Does not: stop what runs (see `withdrawals`), ask the clock. Source: docs/adr/0026. Format: docs/formats.md,
`mentorplane-stages/1`.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence

from audit.frozen import frozen
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import Person, read_signed
from edge_runtime.core.entries import parse_listing
from edge_runtime.core.errors import InvalidDocument, NotTrusted
from edge_runtime.core.fields import Fields
from edge_runtime.core.manifest import parse_stage
from edge_runtime.core.statements import Statement
from edge_runtime.core.withdrawals import WITHDRAWING_ROLES

__all__ = [
    "KEY_BYTES",
    "OPENING_ROLE",
    "Rollout",
    "encode_words",
    "loosens_stages",
    "parse_words",
    "read_rollout",
    "stages_path",
    "verify_plan",
]

FORMAT = "mentorplane-stages/1"
MAX_BYTES = 200_000
MAX_HEAD_BYTES = 8_000_000
KEY_BYTES = 32
OPENING_ROLE = "release-manager"
_SEPARATION = b"mentorplane rollout\n"


@frozen
class Rollout:
    """How far a release is rolled out: `stage` of `of` is open, which is `percent` of all devices, or it is halted.

    `words` are the digests of what was said about it, oldest first.
    """

    manifest: str
    release: int
    stage: int
    of: int
    percent: int
    halted: bool
    words: tuple[str, ...]

    def admits(self, key: bytes) -> bool:
        """Return whether the device with this key may adopt the release now."""
        drawn = hmac.digest(key, _SEPARATION + self.manifest.encode(), "sha256")
        return not self.halted and int.from_bytes(drawn[:8]) % 100 < self.percent


def stages_path(channel: str) -> str:
    """Return the path of what was said about the stages of a channel's release, among the published targets."""
    return f"channels/{channel}-stages.json"


def encode_words(channel: str, words: Sequence[dsse.Envelope]) -> bytes:
    """Return the canonical bytes of what was said about the stages of the release on a channel, oldest first."""
    return canonical.encode({"format": FORMAT, "channel": channel, "statements": [one.as_json() for one in words]})


def parse_words(data: bytes, channel: str) -> tuple[dsse.Envelope, ...]:
    """Return what was said about the stages of the release on `channel`, oldest first.

    Raises:
        InvalidDocument: malformed, or about another channel.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    fields.choice("channel", (channel,))
    words = fields.items("statements", dsse.parse_envelope, at_most=21)  # as many as stages, and a halt
    fields.close()
    return words


def read_rollout(
    head: bytes, words: Sequence[dsse.Envelope], *, keyring: Mapping[str, Person], seen: Rollout | None = None
) -> Rollout:
    """Return how far the release with this head of a manifest is rolled out.

    Args:
        head: the first line of the manifest written out, which was adopted or verified as it is to be adopted.
        words: what is published about its stages.
        keyring: whose word counts.
        seen: what this device knew about the rollout of its newest release.

    Raises:
        NotTrusted: V6, a word is by somebody who may not say it, about something else, out of its order, beyond what
            people signed, or one is missing that was seen before.
        InvalidDocument: the head or a word is malformed.
    """
    document, manifest = parse_listing(head, max_bytes=MAX_HEAD_BYTES), canonical.digest(head)
    about = (str(document.get("organisation")), str(document.get("channel")), manifest)
    stages, release = _plan(document)
    digests = tuple(canonical.digest(word.payload) for word in words)
    if seen is not None and seen.manifest == manifest and digests[: len(seen.words)] != seen.words:
        raise NotTrusted("expected every word on the stages that was seen before, got not all", check="V6")
    said = read_signed(words, keyring)
    for previous, statement in zip(("", *digests), said, strict=False):
        _verify_word(statement, previous, about)
    acts = [statement.act for statement in said]
    halted = acts[-1:] == ["halt"]
    opened = acts[:-1] if halted else acts
    if "halt" in opened or len(opened) >= len(stages):
        raise NotTrusted("expected no word after a halt, and no stage beyond those approved, got one", check="V6")
    return Rollout(
        manifest,
        release,
        len(opened) + 1,
        of=len(stages),
        percent=max(stages[: len(opened) + 1]),
        halted=halted,
        words=digests,
    )


def _plan(document: canonical.JsonObject) -> tuple[tuple[int, ...], int]:
    """Return the stages and the number of a release."""
    version = str(document.get("format"))
    wanted = ("emergency", "format", "number", "stages")
    fields = Fields({name: document.get(name) for name in wanted}, version)
    stages = fields.items("stages", parse_stage, at_most=20)
    number = fields.integer("number", at_least=1)
    if fields.boolean("emergency") or not stages:
        return (100,), number
    return stages, number


def _verify_word(statement: Statement, previous: str, about: tuple[str, str, str]) -> None:
    if (statement.organisation, statement.channel, statement.manifest) != about or statement.entries:
        raise NotTrusted("expected words on the stages of this very release, got one on something else", check="V6")
    if statement.previous != previous:
        raise NotTrusted("expected each word on the stages to name the one before, got a broken link", check="V6")
    may = {"open": frozenset({OPENING_ROLE}), "halt": WITHDRAWING_ROLES}.get(statement.act, frozenset())
    if statement.role not in may:
        raise NotTrusted("expected a role that may open or halt stages, got another", check="V6")


def loosens_stages(before: Sequence[int], after: Sequence[int]) -> bool:
    """Return whether as many words would let more devices in than before.

    >>> loosens_stages((100,), (1, 10, 100)), loosens_stages((1, 10, 100), (1, 50, 100))
    (False, True)
    """
    return any(more > less for more, less in zip(after or (100,), before or (100,), strict=False))


def verify_plan(stages: Sequence[int]) -> None:
    """Refuse stages that a release should not be proposed with.

    Raises:
        InvalidDocument: they do not rise to 100.
    """
    if not stages or list(stages) != sorted(set(stages)) or stages[0] < 1 or stages[-1] != 100 or len(stages) > 20:
        raise InvalidDocument("expected stages that rise to 100, such as 1,10,50,100")
