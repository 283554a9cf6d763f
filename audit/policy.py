"""Which logs are known, and which witnesses outside them must have cosigned a checkpoint: tlog-policy files.

Promises:
1. A quorum that no signature at all would satisfy is refused, unless the caller asks for a policy without witnesses;
   the verdict of such a policy says that no outside witness signed.
2. `evaluate` never raises: whatever bytes it is given, it accepts only a checkpoint that a listed log signed and a
   quorum of distinct witness keys cosigned. One key counts once; a log's key counts as no witness.
3. `probe` asks a policy about checkpoints that nobody may accept, and refuses a policy that does. Whoever is about to
   trust a policy runs it first.
4. A name is defined before it is used, is a member of at most one group, and so a witness counts in one way only.

It does not fetch anything, judge how fresh a cosignature is, or say whether witnesses are independent of each other.

Source: C2SP tlog-policy. Stricter than it: a key listed both as log and as witness is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from audit.checkpoint import Checkpoint, Cosignature, open_checkpoint, parse_checkpoint
from audit.errors import AuditError, InvalidFormat, NotProven
from audit.frozen import frozen, member
from audit.merkle import HASH_BYTES
from audit.note import Algorithm, Signer, Verifier, parse_note, parse_vkey

MAX_POLICY_BYTES = 200_000
MAX_LINES = 1_000  # of each kind; the format asks for 32 at least
NO_WITNESS = "no outside witness signed"
_NONE = "none"
_FORBIDDEN = re.compile(b"[\x00-\x08\x0b-\x1f\x7f]")
_BLANKS = re.compile("[ \t]+")
_THRESHOLD = re.compile("[1-9][0-9]{0,3}")
_PROBE_ORIGIN = "impossible.invalid/no log has blanks + plus signs in its name"
_UNSAFE_PROBE_SEED = b"UNSAFE: a key that nobody trusts"


@frozen
class Log:
    """A log by its key; the key's name is the log's origin."""

    verifier: Verifier
    url: str = ""


@frozen
class PolicyWitness:
    """A witness under the name by which groups and the quorum refer to it."""

    name: str
    verifier: Verifier
    url: str = ""


@frozen
class Group:
    """A group of which `threshold` members must have cosigned; members are witnesses and earlier groups."""

    name: str
    threshold: int
    members: tuple[str, ...]


@frozen
class Policy:
    """Known logs, known witnesses, and the quorum; an empty quorum asks for no witness."""

    logs: tuple[Log, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @property
    def unwitnessed(self) -> bool:
        """Whether the policy asks for no witness at all."""
        return not self.quorum

    def is_met_by(self, cosigners: Iterable[str]) -> bool:
        """Say whether the cosignatures of these witnesses, by their names in the policy, are a quorum."""
        met = {witness.name for witness in self.witnesses} & set(cosigners)
        for group in self.groups:
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        return self.unwitnessed or self.quorum in met

    def encode(self) -> bytes:
        """Return the policy file: logs, witnesses, groups, quorum, in their order and without comments.

        Raises:
            ValueError: the fields are not those of a policy.
        """
        lines = [_line("log", log.verifier.vkey, log.url) for log in self.logs]
        lines += [_line("witness", one.name, one.verifier.vkey, one.url) for one in self.witnesses]
        lines += [_line("group", one.name, _threshold(one), *one.members) for one in self.groups]
        lines.append(_line("quorum", self.quorum or _NONE))
        data = "".join(lines).encode("utf-8", "surrogateescape")
        try:
            parsed = parse_policy(data, allow_unwitnessed=True)
        except InvalidFormat as error:
            raise ValueError(str(error)) from error
        if parsed != self:
            raise ValueError("expected policy fields without blanks and newlines")
        return data


def _line(*words: str) -> str:
    return " ".join(word for word in words if word) + "\n"


def _threshold(group: Group) -> str:
    if group.threshold == len(group.members):
        return "all"
    return "any" if group.threshold == 1 else str(group.threshold)


@frozen
class Verdict:
    """What a policy says about a checkpoint: whether it accepts it, why not, and which witnesses counted."""

    ok: bool
    because: str
    checkpoint: Checkpoint | None = None
    witnesses: tuple[Cosignature, ...] = ()
    names: tuple[str, ...] = member(default=())

    @property
    def witnessed(self) -> bool:
        """Whether the checkpoint is accepted and at least one outside witness cosigned it."""
        return self.ok and bool(self.witnesses)


def parse_policy(data: bytes, *, allow_unwitnessed: bool = False) -> Policy:
    """Parse a policy file; `allow_unwitnessed` also takes `quorum none`.

    Raises:
        InvalidFormat: it is malformed, too long, defines a name or a key twice, uses a name before it is defined or in
            two groups, has no quorum or more than one, or one that no signature would satisfy.
    """
    reader = _Reader()
    for words in _lines(data):
        reader.read(words)
    policy = reader.policy()
    if policy.unwitnessed and not allow_unwitnessed:
        raise InvalidFormat("expected a quorum of at least one witness, got quorum none")
    return policy


def _lines(data: bytes) -> Iterable[list[str]]:
    """Yield the words of every line that has any; names are octets, so what is not UTF-8 is carried along."""
    if len(data) > MAX_POLICY_BYTES:
        raise InvalidFormat(f"expected a policy of at most {MAX_POLICY_BYTES} bytes, got {len(data)}")
    if _FORBIDDEN.search(data):
        raise InvalidFormat("expected no control characters but tab and newline in a policy, got one")
    *lines, rest = data.split(b"\n")
    if rest:
        raise InvalidFormat("expected every line of a policy to end in a newline, got one that does not")
    for line in lines:
        text = line.decode("utf-8", "surrogateescape").strip(" \t")
        if text and not text.startswith("#"):
            yield _BLANKS.split(text)


class _Reader:
    """What the lines read so far define."""

    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.witnesses: list[PolicyWitness] = []
        self.groups: list[Group] = []
        self.quorum: str | None = None
        self.free: dict[str, bool] = {}  # each defined name, and whether it is a member of no group yet

    def read(self, words: Sequence[str]) -> None:
        """Read the words of one line."""
        readers: Mapping[str, Callable[[Sequence[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        if words[0] not in readers:
            raise InvalidFormat("expected a line that begins with log, witness, group or quorum, got another")
        readers[words[0]](words[1:])

    def policy(self) -> Policy:
        """Return the policy that the lines make up."""
        if self.quorum is None:
            raise InvalidFormat("expected one quorum line, got none")
        if max(len(self.logs), len(self.witnesses), len(self.groups)) > MAX_LINES:
            raise InvalidFormat(f"expected at most {MAX_LINES} logs, witnesses and groups each, got more")
        logs = [log.verifier.public_key for log in self.logs]
        keys = [witness.verifier.public_key for witness in self.witnesses]
        if len({*logs, *keys}) != len(logs) + len(keys):
            raise InvalidFormat("expected every key once, be it a log's or a witness's, got one twice")
        return Policy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), self.quorum)

    def _log(self, words: Sequence[str]) -> None:
        if not 1 <= len(words) <= 2:
            raise InvalidFormat("expected log <vkey> [<url>], got something else")
        self.logs.append(Log(_key(words[0], Algorithm.ED25519), "".join(words[1:])))

    def _witness(self, words: Sequence[str]) -> None:
        if not 2 <= len(words) <= 3:
            raise InvalidFormat("expected witness <name> <vkey> [<url>], got something else")
        self._define(words[0])
        self.witnesses.append(PolicyWitness(words[0], _key(words[1], Algorithm.COSIGNATURE), "".join(words[2:])))

    def _group(self, words: Sequence[str]) -> None:
        if len(words) < 3:
            raise InvalidFormat("expected group <name> all|any|<k> <members>, got something else")
        name, threshold, *members = words
        for one in members:
            if not self.free.get(one, False):
                raise InvalidFormat("expected members that are defined above and in no other group, got another")
            self.free[one] = False
        self._define(name)
        self.groups.append(Group(name, _parse_threshold(threshold, len(members)), tuple(members)))

    def _quorum(self, words: Sequence[str]) -> None:
        if len(words) != 1 or self.quorum is not None:
            raise InvalidFormat("expected one quorum line of one name, got another")
        if words[0] != _NONE and words[0] not in self.free:
            raise InvalidFormat("expected a quorum that is defined above, got another")
        self.quorum = "" if words[0] == _NONE else words[0]

    def _define(self, name: str) -> None:
        if name == _NONE or name in self.free:
            raise InvalidFormat("expected every name once, and none of them to be none, got another")
        self.free[name] = True


def _key(vkey: str, algorithm: Algorithm) -> Verifier:
    try:
        vkey.encode()
    except UnicodeEncodeError as error:
        raise InvalidFormat("expected a key in UTF-8, got other bytes") from error
    verifier = parse_vkey(vkey)
    if verifier.algorithm is not algorithm:
        raise InvalidFormat(f"expected a key of type {algorithm:02x} on this line, got {verifier.algorithm:02x}")
    return verifier


def _parse_threshold(text: str, members: int) -> int:
    if text in {"all", "any"}:
        return members if text == "all" else 1
    if not _THRESHOLD.fullmatch(text) or int(text) > members:
        raise InvalidFormat(f"expected all, any or a threshold from 1 to the {members} members, got another")
    return int(text)


def verify_checkpoint(policy: Policy, data: bytes) -> Verdict:
    """Verify that a policy accepts a signed checkpoint, and return its verdict.

    Raises:
        InvalidFormat: the checkpoint is malformed.
        NotProven: the policy does not know its origin, its log did not sign it, a known key's signature fails, or the
            witnesses that cosigned it are no quorum.
    """
    origin = parse_checkpoint(parse_note(data).text).origin
    logs = [log.verifier for log in policy.logs if log.verifier.name == origin]
    if not logs:
        raise NotProven("expected a checkpoint of a log of the policy, got one of another origin")
    opened = open_checkpoint(data, [*logs, *(one.verifier for one in policy.witnesses)], origin)
    by_key = _names_by_key(policy)
    names = tuple(by_key[one.name, one.key_id] for one in opened.witnesses)
    if not policy.is_met_by(names):
        raise NotProven(f"expected a quorum of witnesses, got {len(names)} that are none" if names else NO_WITNESS)
    because = f"cosigned by {len(names)} outside" if names else NO_WITNESS
    return Verdict(
        ok=True, because=because, checkpoint=opened.checkpoint, witnesses=opened.witnesses, names=tuple(sorted(names))
    )


def cosigned_at(policy: Policy, cosignatures: Iterable[Cosignature]) -> int:
    """Return when a quorum had cosigned, in POSIX seconds: the least time by which these verified cosignatures are one.

    Raises:
        NotProven: they are no quorum, or the policy asks for no witness.
    """
    by_key, names = _names_by_key(policy), set[str]()
    for one in sorted(cosignatures, key=lambda one: one.time_s):
        if name := by_key.get((one.name, one.key_id)):
            names.add(name)
            if policy.is_met_by(names):
                return one.time_s
    raise NotProven("expected a quorum of witnesses, which say when they cosigned, got none")


def _names_by_key(policy: Policy) -> dict[tuple[str, bytes], str]:
    """Return what a policy calls each of its witnesses, by the name and the id of its key."""
    return {(one.verifier.name, one.verifier.key_id): one.name for one in policy.witnesses}


def evaluate(policy: Policy, data: bytes) -> Verdict:
    """Return what a policy says about a signed checkpoint; any error is a refusal."""
    try:
        return verify_checkpoint(policy, data)
    except AuditError as error:
        return Verdict(ok=False, because=str(error))


def probe(policy: Policy) -> None:
    """Ask a policy about checkpoints that nobody may accept: of an impossible origin, and without signatures.

    Raises:
        NotProven: it accepts one, or nobody's cosignatures would satisfy a quorum that it claims to have.
    """
    if not policy.unwitnessed and policy.is_met_by(()):
        raise NotProven("expected a quorum that needs a witness, got one that nobody satisfies")
    for origin in (_PROBE_ORIGIN, *(log.verifier.name for log in policy.logs)):
        text = Checkpoint(origin, 1, bytes(HASH_BYTES)).encode()
        stranger = Signer("nobody", _UNSAFE_PROBE_SEED).sign(text).encode()
        unsigned = text.encode() + b"\n"
        if any(evaluate(policy, unsigned + lines).ok for lines in (b"", stranger)):
            raise NotProven("expected a policy that refuses what no log signed, got one that accepts it")
    # An origin that cannot be a key name cannot be in the policy, even if its log had signed.
    if any(log.verifier.name == _PROBE_ORIGIN for log in policy.logs):
        raise NotProven("expected no log of an impossible origin in the policy, got one")
