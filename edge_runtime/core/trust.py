"""From delivered bytes to a decision to trust them: the numbered checks V4 to V9, pure.

The shell has done V1 (root chain), V2 (targets, snapshot, timestamp) and V3 (length and digest) with `tuf`. Then:

V4  strict parse: known format versions, canonical bytes, one organisation and channel throughout
V5  each part's and closure's digest is re-derived from its bytes (prompts: on first use, by `open_prompt`)
V6  approvals: the manifest and each entry covered by distinct eligible people, authors absent, under the floor and
    the approval rules in force, for kinds of change worked out here; they held their roles when the log took their
    approvals (see `mandates`); numbers and epochs never fall; withdrawals grow
V7  the release stands in the audit log: leaf, proof, checkpoint under the witness policy, consistent with the last seen
V8  the model that this device reads with is one of those that the manifest names, if it names any
V9  refutation probes: the policy blocks an impossible request, the approval rules refuse an empty set

Promises: bytes in, a new immutable `TrustState` out, so that a refusal cannot have changed anything.
Does not: say how fresh a release is (see `freshness`). Source: DESIGN section 6; docs/threat-model.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from audit.errors import AuditError
from audit.frozen import frozen
from audit.merkle import leaf_hash, verify_inclusion
from audit.released import verify_released
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import ApprovalRules, Changed, parse_rules, read_signed, refuses_empty
from edge_runtime.core.checkpoints import Seen, read_witnessed, verify_growth
from edge_runtime.core.coverage import Before, covers, verify_coverage
from edge_runtime.core.errors import InvalidDocument, NotTrusted
from edge_runtime.core.mandates import verify_mandates
from edge_runtime.core.manifest import Entry, Manifest
from edge_runtime.core.policy import Policy, check_blocks_the_impossible, parse_policy
from edge_runtime.core.prompt import Prompt, parse_prompt
from edge_runtime.core.release import LogProof, ReleaseFile, open_release, parse_release, parse_withdrawals
from edge_runtime.core.statements import Statement
from edge_runtime.core.trustfile import TrustFile, parse_trust
from edge_runtime.core.withdrawals import Withdrawals, extend_withdrawals, instead

__all__ = [
    "Adoption",
    "Basis",
    "Delivery",
    "Step",
    "TrustState",
    "adopt",
    "changed_closures",
    "find_prompt",
    "open_prompt",
    "running",
]

EntryKey = tuple[str, str]
EAGER_KINDS = ("approval-rules", "handoff", "policy")  # verified at adoption; prompts are on first use


@frozen
class Delivery:
    """What the shell fetched and `tuf` vouched for; `growth` proves the log's consistency with the last one seen.

    `parts` are those of the release file. `closures` also hold what `changed_closures` names, or `changes` what was
    worked out from it at adoption. `gathered` is a list of what a second source withdrew, None without one. `reader` is
    the digest of the model that this device reads with and has tested, "" without one; None where that is no question.
    """

    channel: str
    trust: bytes
    release: bytes
    withdrawals: bytes
    parts: Mapping[str, bytes]
    closures: Mapping[str, bytes]
    growth: tuple[bytes, ...] = ()
    changes: tuple[Changed, ...] | None = None
    gathered: bytes | None = None
    reader: str | None = ""


@frozen
class Basis:
    """What a device already knows and the next adoption must not fall behind.

    `rules` are the approval rules of the release in use, which the next one must meet; `rules_before` are those that
    the release in use had to meet itself.
    """

    number: int
    manifest: str
    epochs: Mapping[EntryKey, int]
    before: Before
    rules: bytes
    rules_before: bytes
    checkpoint: Seen
    withdrawals: Withdrawals


@frozen
class TrustState:
    """A verified release: everything a device needs to decide and to run.

    `stopped` are the withdrawn closures with what runs instead, `is_whole` says that the whole channel is withdrawn,
    `live` are the prompts by the digest of their closure.
    """

    trust: TrustFile
    manifest: Manifest
    manifest_digest: str
    entries: Mapping[EntryKey, Entry]
    epochs: Mapping[EntryKey, int]
    policy: Policy
    rules: bytes
    rules_before: bytes
    handoffs: Mapping[str, Prompt]
    checkpoint: Seen
    withdrawals: Withdrawals
    stopped: Mapping[str, str]
    is_whole: bool
    live: Mapping[str, Entry]

    def basis(self) -> Basis:
        """Return what the next adoption starts from."""
        return Basis(
            number=self.manifest.number,
            manifest=self.manifest_digest,
            epochs=self.epochs,
            before=Before.of(self.manifest),
            rules=self.rules,
            rules_before=self.rules_before,
            checkpoint=self.checkpoint,
            withdrawals=self.withdrawals,
        )


@frozen
class Step:
    """One check that passed, and what was verified, in one sentence."""

    check: str
    said: str


@frozen
class Adoption:
    """The new state, what was verified on the way, and the kinds of change (None: not known)."""

    state: TrustState
    steps: tuple[Step, ...]
    changes: tuple[Changed, ...] | None


def adopt(basis: Basis | None, delivery: Delivery) -> Adoption:
    """Return the trust state of a delivery that passes V4 to V9.

    Args:
        basis: what the device knows from the release it runs now; None for the first.
        delivery: the bytes that `tuf` accepted.

    Raises:
        NotTrusted: a check failed; `check` names it.
        InvalidDocument: V4, the bytes are malformed.
    """
    trust, release, manifest, envelopes = _v4(delivery)
    digest = canonical.digest(release.manifest)
    closures, policy, rules = _v5(manifest, delivery.closures)
    in_force = _rules_in_force(basis, digest, rules)
    changes = _changes(basis, manifest, delivery)
    statements = read_signed(envelopes, trust.people)
    _v6(basis, manifest, digest=digest, trust=trust, statements=statements, rules=(in_force, rules), changes=changes)
    withdrawals = _withdrawals(basis, delivery, manifest, trust=trust)
    approvers = len({s.person for s in statements if s.act == "approve" and s.manifest == digest})
    seen = _v7(basis, delivery, trust=trust, log=release.log, digest=digest)
    stated = zip(statements, envelopes, strict=True)  # V6, by the log that V7 verified:
    verify_mandates(release, delivery.parts, stated, trust=trust, seen=seen)
    _v8(manifest, delivery.reader)
    _v9(policy, parse_rules(rules))
    texts = [_open_entry(e, closures[e.digest]) for e in manifest.entries if e.kind == "handoff"]
    epochs = dict(basis.epochs) if basis else {}
    epochs |= {entry[:2]: entry.epoch for entry in manifest.entries}
    state = TrustState(
        trust=trust,
        manifest=manifest,
        manifest_digest=digest,
        entries={entry[:2]: entry for entry in manifest.entries},
        epochs=epochs,
        policy=policy,
        rules=rules,
        rules_before=in_force,
        handoffs={text.locale: text for text in texts},
        checkpoint=seen,
        withdrawals=withdrawals,
        stopped=withdrawals.stopped(manifest.lifts),
        is_whole=withdrawals.is_whole(manifest.lifts),
        live={entry.digest: entry for entry in manifest.entries if entry.kind == "prompt"},
    )
    return Adoption(state, _steps(state, release.log, eager=len(closures), approvers=approvers), changes)


def _v4(delivery: Delivery) -> tuple[TrustFile, ReleaseFile, Manifest, tuple[dsse.Envelope, ...]]:
    trust, release = parse_trust(delivery.trust), parse_release(delivery.release)
    manifest, envelopes = open_release(release, delivery.parts)
    if manifest.organisation != trust.organisation or manifest.channel != delivery.channel:
        raise NotTrusted("expected a release for this organisation and channel, got one for another", check="V4")
    return trust, release, manifest, envelopes


def _v5(manifest: Manifest, closures: Mapping[str, bytes]) -> tuple[dict[str, bytes], Policy, bytes]:
    held: dict[str, bytes] = {}
    for entry in manifest.entries:
        if entry.kind in EAGER_KINDS:
            data = closures.get(entry.digest)
            if data is None or canonical.digest(data) != entry.digest:
                raise NotTrusted(f"expected {entry.kind} {entry.name!r} with the digest that was approved", check="V5")
            held[entry.digest] = data
    policies = [held[e.digest] for e in manifest.entries if e.kind == "policy"]
    rules = [held[e.digest] for e in manifest.entries if e.kind == "approval-rules"]
    if len(policies) != 1 or len(rules) != 1:
        raise NotTrusted("expected one policy and one set of approval rules in a release", check="V5")
    return held, parse_policy(policies[0]), rules[0]


def _rules_in_force(basis: Basis | None, digest: str, own: bytes) -> bytes:
    """Return the approval rules a manifest must meet: those of the release before it; its own for the first seen."""
    return own if basis is None else basis.rules_before if basis.manifest == digest else basis.rules


def changed_closures(basis: Basis | None, manifest: Manifest) -> frozenset[str]:
    """Return the digests of the contents that tell how a release changes the one in use; none where nobody can know."""
    if basis is None or manifest.number != basis.before.number + 1:
        return frozenset()
    from edge_runtime.core.change import changed_digests  # not needed to open a home

    return changed_digests(basis.before.entries, {entry.key: entry for entry in manifest.entries})


def _changes(basis: Basis | None, manifest: Manifest, delivery: Delivery) -> tuple[Changed, ...] | None:
    """Return what the release changes and of which kinds, worked out here; None where it cannot be known.

    Raises:
        NotTrusted: V6, it could be known, but for a content that is not there.
    """
    if basis is None or manifest.number != basis.before.number + 1:
        return None
    if delivery.changes is not None:
        return delivery.changes
    from edge_runtime.core.change import find_changes

    wanted = changed_closures(basis, manifest)
    if any(canonical.digest(delivery.closures.get(one, b"")) != one for one in wanted):
        raise NotTrusted("expected the contents before and after of what the release changes, got not all", check="V6")
    return find_changes(basis.before.entries, {entry.key: entry for entry in manifest.entries}, delivery.closures)


def _v6(
    basis: Basis | None,
    manifest: Manifest,
    *,
    digest: str,
    trust: TrustFile,
    statements: tuple[Statement, ...],
    rules: tuple[bytes, bytes],
    changes: tuple[Changed, ...] | None,
) -> None:
    if basis:
        _verify_no_step_back(basis, manifest, digest)
    verify_coverage(
        manifest,
        digest,
        statements=statements,
        rules=_alternatives(basis, manifest, statements, rules=rules),
        before=basis.before if basis and basis.manifest != digest else None,
        changes=None if changes is None else {changed.key: changed for changed in changes},
        floor=trust.floor,
        keyring=trust.people,
        own_keys=trust.own_keys,
    )


def _withdrawals(basis: Basis | None, delivery: Delivery, manifest: Manifest, *, trust: TrustFile) -> Withdrawals:
    return extend_withdrawals(
        basis.withdrawals if basis else Withdrawals(),
        parse_withdrawals(delivery.withdrawals, manifest.channel),
        keyring=trust.people,
        organisation=manifest.organisation,
        channel=manifest.channel,
        gathered=() if delivery.gathered is None else parse_withdrawals(delivery.gathered, manifest.channel),
    )


def _alternatives(
    basis: Basis | None, manifest: Manifest, statements: tuple[Statement, ...], *, rules: tuple[bytes, bytes]
) -> list[ApprovalRules]:
    """Return the approval rules of which one must be met.

    They are those in force. A device that missed releases also takes the ones that this release carries, if the people
    whom the old ones ask approved them: what came in between was approved under those.
    """
    in_force, own = map(parse_rules, rules)
    if basis is None or manifest.number <= basis.number + 1 or in_force == own:
        return [in_force]
    entry = manifest.find("approval-rules", "approval-rules")
    return [in_force, own] if entry and covers(entry, manifest, statements=statements, rules=in_force) else [in_force]


def _verify_no_step_back(basis: Basis, manifest: Manifest, digest: str) -> None:
    if manifest.number < basis.number:
        raise NotTrusted(f"expected release {basis.number} or later, got release {manifest.number}", check="V6")
    if manifest.number == basis.number and digest != basis.manifest:
        raise NotTrusted(f"expected the release {basis.number} seen before, got another of that number", check="V6")
    if manifest.number == basis.number + 1 and manifest.base != basis.manifest:
        raise NotTrusted("expected a release that builds on the one before, got one with another base", check="V6")
    for entry in manifest.entries:
        if entry.epoch < basis.epochs.get(entry.key, 0):
            raise NotTrusted(f"expected no older epoch of {entry.kind} {entry.name!r}, got one", check="V6")


def _v7(basis: Basis | None, delivery: Delivery, *, trust: TrustFile, log: LogProof, digest: str) -> Seen:
    seen = read_witnessed(log.checkpoint, trust)
    try:
        verify_released(log.leaf, digest)
        leaf = leaf_hash(log.leaf)
        verify_inclusion(leaf=leaf, index=log.index, size=seen.size, proof=log.proof, root=seen.root)
        if basis and basis.checkpoint != seen:
            verify_growth(basis.checkpoint, seen, delivery.growth)
    except AuditError as error:
        raise NotTrusted(f"expected the release to stand in the audit log: {error}", check="V7") from error
    return seen


def _v8(manifest: Manifest, reader: str | None) -> None:
    if reader is not None and not manifest.admits(reader):
        raise NotTrusted(f"expected a model that this device holds, got {manifest.models[0].name!r}", check="V8")


def _v9(policy: Policy, rules: ApprovalRules) -> None:
    if not check_blocks_the_impossible(policy):
        raise NotTrusted("expected the policy to block an impossible request, and it does not", check="V9")
    if not refuses_empty(rules):
        raise NotTrusted("expected the approval rules to refuse an empty set, and they do not", check="V9")


def _steps(state: TrustState, log: LogProof, *, eager: int, approvers: int) -> tuple[Step, ...]:
    manifest, entries, size = state.manifest, len(state.manifest.entries), state.checkpoint.size
    said = "the model here is one that is named" if manifest.models else "no model is named, so none is missing"
    return (
        Step("V4", f"release {manifest.number} on {manifest.channel} reads strictly, byte for byte"),
        Step("V5", f"{eager} of {entries} contents match their fingerprints; prompts are checked when used"),
        Step("V6", f"{approvers} people other than the author signed this release; every entry has its approvals"),
        Step("V7", f"the release is entry {log.index} of the audit log, whose {size} entries only grew"),
        Step("V8", said),
        Step("V9", "the policy blocks an impossible request; no approvals at all are refused"),
    )


def open_prompt(state: TrustState, name: str, data: bytes) -> Prompt:
    """Return the approved prompt `name` from the bytes of its closure, verifying V5 on this use.

    A withdrawn one opens too: its fallback text is what is left of it (see `running`).

    Raises:
        NotTrusted: V5, the release has no such prompt, or the bytes are not those approved.
        InvalidDocument: the approved bytes are of a format this device does not know.
    """
    entry = find_prompt(state, name)
    if canonical.digest(data) != entry.digest:
        raise NotTrusted(f"expected prompt {name!r} with the digest that was approved, got other bytes", check="V5")
    return _open_entry(entry, data)


def _open_entry(entry: Entry, data: bytes) -> Prompt:
    prompt = parse_prompt(data)
    if prompt.name != entry.name or prompt.tier != entry.tier:
        raise InvalidDocument(f"expected {entry.kind} {entry.name!r} of tier {entry.tier}, got another one inside")
    return prompt


def find_prompt(state: TrustState, name: str) -> Entry:
    """Return the entry of prompt `name`, withdrawn or not.

    Raises:
        NotTrusted: V5 if the release has no such prompt.
    """
    entry = state.entries.get(("prompt", name)) or state.entries.get(("handoff", name))
    if entry is None:
        raise NotTrusted(
            f"expected an approved prompt, got {name!r}, which release {state.manifest.number} lacks", check="V5"
        )
    return entry


def running(state: TrustState, name: str) -> Entry | None:
    """Return the entry that runs under prompt `name`: itself, or what replaces it; None for its fallback text.

    Raises:
        NotTrusted: V5 if the release has no such prompt.
    """
    entry = find_prompt(state, name)
    if entry.kind != "prompt":
        return entry  # P6: a hand-off text cannot be withdrawn
    return None if state.is_whole else instead(entry, state.stopped, state.live)
