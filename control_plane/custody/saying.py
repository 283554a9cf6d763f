"""Saying where one's own key is what holds of a live release: withdraw, open a stage, halt, review.

The server sends what it would have signed; this machine holds it to the release that it verified itself, and to what
the person asked for. Promises: nothing is signed about another release, content, channel or stage than the one that was
asked for and is verified here; a review is derived from what the verified release descends from, digest by digest.
Does not: fetch, or know what else was withdrawn before: which statement a withdrawal follows is the server's to say,
and a false one only makes devices refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.frozen import replace
from audit.record import commit
from control_plane.custody.deciding import Derived, Verified, derive
from control_plane.errors import Conflict, Refused
from control_plane.reviewing.material import Material
from control_plane.signing import SALT_BYTES, Words
from edge_runtime.core import canonical, dsse
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.entries import Entry
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Manifest, manifest_digest, parse_manifest
from edge_runtime.core.rollout import OPENING_ROLE
from edge_runtime.core.statements import PAYLOAD_TYPE, Statement, open_statement, sign_statement
from edge_runtime.core.withdrawals import WITHDRAWING_ROLES

__all__ = ["Wish", "derive_review", "derive_words", "describe", "sign_words"]

_ROLES = {"withdraw": WITHDRAWING_ROLES, "halt": WITHDRAWING_ROLES, "open": frozenset({OPENING_ROLE})}
Live = Callable[[str], Verified]
"""Returns what is live on a channel, as this machine verified it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants said: `act` is withdraw, open or halt.

    `target` is the name or digest of a prompt to withdraw, "" for all of the channel; `replacement` likewise of what
    runs instead; `channel` is "" for the one that the server means, `role` for the only one that fits.
    """

    act: str
    person: str
    channel: str = ""
    target: str = ""
    replacement: str = ""
    release: int = 0
    stage: int = 0
    role: str = ""


def derive_words(words: Words, wish: Wish, live: Live) -> tuple[Statement, ...]:
    """Return the statements that a wish comes to, once each is just that and about what is live by this machine.

    Raises:
        InvalidDocument: a statement does not read.
        Refused: one says something else than what was asked for, or about another release.
        Conflict: another stage is next.
    """
    said = tuple(_opened(one) for one in words.statements)
    found = {one.channel: _manifest(live(one.channel)) for one in said}
    if not said or len(found) != len(said) or not (wish.target or len(said) == 1):
        raise Refused("expected one statement for each channel, got others")
    for one in said:
        _require_about(one, found[one.channel], wish)
    if wish.target:
        named = {wish.channel: _manifest(live(wish.channel))} if wish.channel else found
        _require_content(said, named, wish)
    elif wish.channel and wish.channel not in found:
        raise Refused(f"expected a statement about {wish.channel}, got one about another channel")
    if wish.act == "open":
        _require_stage(said[0], words.before, wish.stage)
    return said


def derive_review(material: Material, wished: str, live: Live) -> Derived:
    """Return a release as derived for its review, from what it replaced, which it names by digest.

    Args:
        material: what the server sent.
        wished: digest of the release that is to be reviewed; it must be the one that is derived.
        live: what is live now: the very release, or a later one.

    Raises:
        InvalidDocument, Refused, Conflict: as for `derive`.
    """
    proposed, before = parse_manifest(material.manifest.encode()), material.before.encode()
    now = _manifest(live(material.channel))
    if proposed.number > now.number or (proposed.number == now.number and proposed.digest != now.digest):
        raise Refused("expected a release that is live by this machine, or was, got another")
    if before and manifest_digest(before) != proposed.base:
        raise Refused("expected the release that the reviewed one replaced, got another")
    contents = {digest: text.encode() for digest, text in material.closures.items()}  # `derive` verifies each
    return derive(material, Verified(parse_manifest(before) if before else None, contents), manifest=wished)


def describe(said: Sequence[Statement], wish: Wish, live: Live) -> str:
    """Return in a line for each statement what is about to be signed, of what `derive_words` returned for a wish."""
    return "\n".join(line for one in said for line in _lines(one, wish, _manifest(live(one.channel))))


def sign_words(
    said: Sequence[Statement], key: Ed25519PrivateKey, *, reason: str, salts: Sequence[bytes], at: datetime
) -> list[JsonObject]:
    """Return what goes to the server: each statement signed, with the salt of its commitment to the reason.

    Raises:
        InvalidDocument: not a salt of 16 bytes for each.
    """
    if len(salts) != len(said) or any(len(salt) != SALT_BYTES for salt in salts):
        raise InvalidDocument(f"expected a salt of {SALT_BYTES} bytes for each statement")
    made = []
    for one, salt in zip(said, salts, strict=True):
        settled = replace(one, reason=commit(reason, salt) if reason else "", at=f"{at:%Y-%m-%dT%H:%M:%SZ}")
        made.append({"envelope": sign_statement(settled, key).as_json(), "salt": dsse.encode_base64(salt)})
    return made


def _opened(document: JsonObject) -> Statement:
    return open_statement(dsse.Envelope(PAYLOAD_TYPE, canonical.encode(document), ()))


def _manifest(verified: Verified) -> Manifest:
    if verified.manifest is None:
        raise Conflict("expected a channel with a release that this machine verified, got one without")
    return verified.manifest


def _require_about(said: Statement, manifest: Manifest, wish: Wish) -> None:
    about = (said.act, said.person, said.organisation, said.channel)
    fits = {wish.role} if wish.role else _ROLES[wish.act]
    if about != (wish.act, wish.person, manifest.organisation, manifest.channel) or said.role not in fits:
        raise Refused("expected a statement of the person, act, role and channel that were asked for, got another")
    if said.manifest != manifest.digest:
        raise Conflict(
            "expected a statement about the release that this machine verified, got one about another",
            hint="the source may lag behind: publish, then try again",
        )
    if wish.release and manifest.number != wish.release:
        raise Conflict(f"expected release {manifest.number}, which is live, got {wish.release}")
    if not wish.target and (said.entries or said.replacement):
        raise Refused("expected a statement about all of the channel, got one about a part of it")


def _require_content(said: Sequence[Statement], named: Mapping[str, Manifest], wish: Wish) -> None:
    """Refuse statements about another content than the one that was asked for, or with another in its place."""
    wanted = _digests(wish.target, named)
    instead = _digests(wish.replacement, named) if wish.replacement else {""}
    for one in said:
        [entry] = one.entries if len(one.entries) == 1 else [None]
        if entry is None or entry.kind != "prompt" or entry.digest not in wanted or one.replacement not in instead:
            raise Refused("expected a statement about the prompt that was asked for, got one about something else")
    if len({(one.entries, one.replacement) for one in said}) != 1:
        raise Refused("expected the same statement for each channel, got different ones")


def _digests(target: str, named: Mapping[str, Manifest]) -> set[str]:
    """Return what a name or digest stands for, on the channels where names are looked up."""
    if target.startswith("sha256:"):
        return {target}
    return {entry.digest for one in named.values() if (entry := one.find("prompt", target)) is not None}


def _require_stage(said: Statement, before: Sequence[JsonObject], stage: int) -> None:
    """Refuse the opening of another stage than the one that was asked for, counted by what was said before."""
    last = ""
    for envelope in map(dsse.parse_envelope, before):
        word = open_statement(envelope)
        if (word.act, word.channel, word.manifest, word.previous) != ("open", said.channel, said.manifest, last):
            raise Refused("expected the openings of this release, each after the one before, got something else")
        last = canonical.digest(envelope.payload)
    if said.previous != last:
        raise Refused("expected a statement that follows the last one, got another")
    if stage != len(before) + 2:
        raise Conflict(f"expected stage {len(before) + 2}, which is next, got {stage}")


def _lines(said: Statement, wish: Wish, manifest: Manifest) -> Sequence[str]:
    where = f"release {manifest.number} on {said.channel}, manifest {said.manifest}, verified here"
    if said.act != "withdraw":
        stages = ", ".join(f"{percent} %" for percent in manifest.stages)
        act = f"open stage {wish.stage}" if said.act == "open" else said.act
        return [f"{act} as {said.role}: {where}", f"        stages {stages}"]
    if not said.entries:
        return [f"withdraw as {said.role}: all of {where}"]
    [entry] = said.entries
    known = {one.digest: one.name for one in manifest.entries}
    instead = known.get(said.replacement, said.replacement)
    return [
        f"withdraw as {said.role}: prompt {entry.name}, {_standing(entry, manifest)} {where}",
        f"        {entry.digest}",
        f"        instead {f'{instead} {said.replacement}' if instead else 'its fallback text'}",
    ]


def _standing(entry: Entry, manifest: Manifest) -> str:
    return "of" if entry in manifest.entries else "not in"
