"""An organisation in memory: people with real keys, a real log, real signatures; tests edit it and deliver.

The counterpart of `edge_runtime.core.trust`: what it delivers is what a server publishes, byte for byte in form.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import Checkpoint, cosign, sign_checkpoint
from audit.merkle import consistency_proof, inclusion_proof, leaf_hash, root_of
from audit.note import Algorithm, Signer, add_signatures
from audit.policy import Group, Log, PolicyWitness
from audit.policy import Policy as WitnessPolicy
from audit.record import Act, Auth, LeafActor, LeafObject, LeafRecord, LeafSignature, Outcome, encode_leaf
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import ApprovalRule, ApprovalRules, OtherKey, Person, When
from edge_runtime.core.mandates import Granted
from edge_runtime.core.manifest import TIERS, Entry, Manifest
from edge_runtime.core.policy import DEFAULT_VOCABULARY, Layer, Policy, Route, encode_policy
from edge_runtime.core.quorum import AtLeast, Tree
from edge_runtime.core.release import LogProof, divide_release, encode_release, encode_withdrawals
from edge_runtime.core.statements import Statement, sign_statement
from edge_runtime.core.trust import Delivery
from edge_runtime.core.trustfile import Term, TrustFile, encode_trust
from tests.mandates import log_approvals, mandates_for

ORGANISATION = "acme"
CHANNEL = "production"
AT = "2026-03-02T09:30:00Z"
COSIGNED_S = 1_772_443_860
"""A minute later: when witnesses cosign."""
PEOPLE = {
    "p-maya": ("learning-designer", "author"),
    "p-tom": ("facilitator", "learning-designer"),
    "p-ines": ("community-host", "compliance"),
    "p-sam": ("safety-owner", "compliance"),
    "p-remy": ("release-manager",),
}


def unsafe_key(name: str) -> Ed25519PrivateKey:
    """Return a key that anybody can derive: for tests only."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"UNSAFE {name}".encode()).digest())


def unsafe_witness(number: int) -> Signer:
    """Return the signer of a witness, which anybody can derive."""
    seed = hashlib.sha256(b"UNSAFE witness %d" % number).digest()
    return Signer(f"witness-{number}.example", seed, Algorithm.COSIGNATURE)


def prompt_document(name: str = "opener", **changes: object) -> dict[str, object]:
    """Return a small valid prompt."""
    document: dict[str, object] = {
        "format": "mentorplane-prompt/2",
        "name": name,
        "title": "Opener",
        "purpose": "open a session",
        "target_behaviour": "the learner names one piece of work",
        "tier": "R2",
        "placement": "redacted",
        "locale": "en",
        "folder": "",
        "owner": "learning-designer",
        "review_by": "2027-01-31",
        "tags": [],
        "audience": ["learner"],
        "competencies": ["presence"],
        "session_types": ["micro-session"],
        "disclosure": "you are reading an automatic text",
        "inputs": {
            "type": "object",
            "additionalProperties": False,
            "required": ["notes"],
            "properties": {"notes": {"type": "string", "maxLength": 20000, "x-data-class": "R2"}},
        },
        "output": {
            "type": "object",
            "additionalProperties": False,
            "required": ["summary"],
            "properties": {"summary": {"type": "array", "maxItems": 2, "items": {"type": "string"}}},
        },
        "instruction": "Summarise as JSON:\n{{ notes }}",
        "fill": {"summary": {"extract": "summary", "from": "notes", "at_most": 2}},
        "reply": "{% for line in summary %}{{ line }}\n{% endfor %}",
        "fallback": "What do you want to keep from this?",
        "max_tokens": 200,
        "rules": [],
        "includes": [],
    }
    return {**document, **changes}


def rules(**at_least: int) -> ApprovalRules:
    """Return approval rules of two people for every tier, unless another number is given."""
    roles = ("learning-designer", "facilitator", "community-host", "compliance", "safety-owner")
    return tier_rules({tier: AtLeast(at_least.get(tier, 2), roles) for tier in TIERS})


def tier_rules(needs: Mapping[str, Tree], *more: ApprovalRule, emergency: Tree = "safety-owner") -> ApprovalRules:
    """Return approval rules with a quorum for each tier, and more rules."""
    by_tier = (
        ApprovalRule(tier.lower(), f"tier {tier} is read by several people", When(tiers=(tier,)), need)
        for tier, need in needs.items()
    )
    return ApprovalRules((*by_tier, *more), emergency)


@dataclass
class Organisation:
    """One organisation: change its fields, `build` a release, `deliver` it.

    `second_keys` says who has another key, "<person>, second", and in which roles it signs. `witnesses` are those of
    the trust file, all but one of whom it takes; `cosigning` are those who cosign checkpoints. With `terms` the trust
    file names everybody's, and approvals are logged and proved: by `mandated`, where that is not the first term, and
    under the checkpoint of that size and time in `cosigned`, where that is not the release's (see `tests.mandates`).
    """

    people: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(PEOPLE))
    second_keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    floor: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TIERS, 1))
    own_keys: bool = False
    witnesses: tuple[int, ...] = ()
    cosigning: tuple[int, ...] = ()
    second_source: str = ""
    leaves: list[bytes] = field(default_factory=list)
    closures: dict[str, bytes] = field(default_factory=dict)
    statements: list[dsse.Envelope] = field(default_factory=list)
    withdrawals: list[dsse.Envelope] = field(default_factory=list)
    words: list[dsse.Envelope] = field(default_factory=list)
    manifest: Manifest | None = None
    terms: dict[str, Term] | None = None
    witnessed_from: int = 0
    logged: dict[str, int] = field(default_factory=dict)
    mandated: dict[str, tuple[Granted, ...]] = field(default_factory=dict)
    cosigned: dict[str, tuple[int, int]] = field(default_factory=dict)
    cosigned_s: int = COSIGNED_S
    origin: str = "acme.example/log"

    @property
    def log_key(self) -> Signer:
        """The log's signer."""
        return Signer(self.origin, hashlib.sha256(b"UNSAFE log").digest())

    def trust(self) -> TrustFile:
        """Return the trust file as it stands."""
        others = {
            p: (OtherKey(dsse.public_bytes(unsafe_key(f"{p}, second")), "own", roles),)
            for p, roles in self.second_keys.items()
        }
        people = {
            p: Person(p, dsse.public_bytes(unsafe_key(p)), "server", roles, others.get(p, ()))
            for p, roles in self.people.items()
        }
        return TrustFile(
            ORGANISATION,
            people,
            log_vkey=self.log_key.verifier.vkey,
            floor=dict(self.floor),
            own_keys=self.own_keys,
            self_contained=not self.witnesses,
            witness_policy=self._witness_policy() if self.witnesses else "",
            second_source=self.second_source,
            terms=self.terms,
            witnessed_from=self.witnessed_from,
        )

    def _witness_policy(self) -> str:
        named = tuple(PolicyWitness(f"witness-{n}", unsafe_witness(n).verifier) for n in self.witnesses)
        group = Group("most", max(len(named) - 1, 1), tuple(one.name for one in named))
        return WitnessPolicy((Log(self.log_key.verifier),), named, (group,), "most").encode().decode()

    def base_documents(self) -> dict[tuple[str, str], bytes]:
        """Return policy, approval rules and one prompt."""
        policy = Policy(DEFAULT_VOCABULARY, Layer("organisation", Route.CLOUD))
        return {
            ("policy", "organisation"): encode_policy(policy),
            ("approval-rules", "approval-rules"): canonical.encode(rules().as_json()),
            ("prompt", "opener"): canonical.encode(prompt_document()),
        }

    def build(
        self, documents: Mapping[tuple[str, str], bytes], *, author: str = "p-maya", **changes: object
    ) -> Manifest:
        """Return the next manifest: the documents replace or join what the last one held."""
        before = {entry.key: entry for entry in self.manifest.entries} if self.manifest else {}
        entries = dict(before)
        for (kind, name), data in documents.items():
            digest = canonical.digest(data)
            self.closures[digest] = data
            tier = str(canonical.parse(data, max_bytes=10**6).get("tier", "R4"))
            old = before.get((kind, name))
            entries[kind, name] = Entry(kind, name, old.epoch + 1 if old else 1, digest, tier, author)
        manifest = Manifest(
            organisation=ORGANISATION,
            channel=CHANNEL,
            number=self.manifest.number + 1 if self.manifest else 1,
            base=self.manifest.digest if self.manifest else "",
            entries=tuple(entries[key] for key in sorted(entries)),
            locales=("en",),
            stages=(100,),
            models=(),
            fresh_for_s=86_400,
            valid_for_s=1_209_600,
            rollback_to=0,
        )
        return dataclasses.replace(manifest, **changes)  # type: ignore[arg-type]

    def state(
        self, act: str, manifest: Manifest, *, person: str, role: str = "", refs: Iterable[Entry] | None = None,
        key: str = "", previous: str = "", channel: str = CHANNEL, organisation: str = ORGANISATION,
        replacement: str = "", at: str = AT,
    ) -> dsse.Envelope:  # fmt: skip
        """Return a signed statement of `person` about what the manifest changes."""
        before = set(self.manifest.entries) if self.manifest else set()
        changed = [entry for entry in manifest.entries if entry not in before]
        statement = Statement(
            act=act,
            organisation=organisation,
            channel=channel,
            manifest=manifest.digest,
            entries=tuple(sorted(changed if refs is None else refs)),
            person=person,
            role=role or self.people.get(person, ("facilitator",))[0],
            reason="",
            at=at,
            previous=previous,
            replacement=replacement,
        )
        return sign_statement(statement, unsafe_key(key or person))

    def release(
        self,
        documents: Mapping[tuple[str, str], bytes],
        *,
        author: str = "p-maya",
        approvers: Iterable[str] = ("p-tom", "p-ines"),
    ) -> Manifest:
        """Build, sign, approve and log the next release."""
        manifest = self.build(documents, author=author)
        self.statements.append(
            self.state("author", manifest, person=author, role="author" if author == "p-maya" else "")
        )
        self.statements += [self.state("approve", manifest, person=person) for person in approvers]
        self.log_release(manifest)
        self.manifest = manifest
        return manifest

    def vouch(
        self, manifest: Manifest, approvers: Iterable[tuple[str, str]], *, refs: Iterable[Entry] | None = None
    ) -> None:
        """Have Maya sign as author and these people, each in a role, approve; log the release."""
        self.statements.append(self.state("author", manifest, person="p-maya", role="author", refs=refs))
        self.statements += [self.state("approve", manifest, person=p, role=r, refs=refs) for p, r in approvers]
        self.log_release(manifest)

    def sign(self, documents: Mapping[tuple[str, str], bytes], approvers: Iterable[tuple[str, str]]) -> Manifest:
        """Build and release, approved by these people in these roles."""
        manifest = self.build(documents)
        self.vouch(manifest, approvers)
        self.manifest = manifest
        return manifest

    def log_release(self, manifest: Manifest) -> None:
        """Append the leaf of a release, after those of its approvals where they are proved."""
        if self.terms is not None:
            log_approvals(self, manifest)
        self.log(Act.RELEASED, LeafObject("release", f"{CHANNEL}-{manifest.number}"), manifest=manifest.digest)

    def log(self, act: Act, target: LeafObject, *, manifest: str = "", statement: str = "", at: str = AT) -> int:
        """Append a leaf and return its index."""
        record = LeafRecord(
            act=act,
            outcome=Outcome.DONE,
            actor=LeafActor("p-sam", "release-manager", Auth.TOKEN, "api"),
            id=f"0199e8f0-0000-7000-8000-{len(self.leaves):012x}",
            organisation=ORGANISATION,
            channel=CHANNEL,
            object=target,
            at=dt.datetime.fromisoformat(at),
            seq=len(self.leaves),
            manifest=manifest,
            signature=LeafSignature("approval", "sha256:" + "0" * 64, statement) if statement else LeafSignature(),
        )
        self.leaves.append(encode_leaf(record))
        return len(self.leaves) - 1

    def withdraw(self, kind: str, name: str, *, person: str = "p-tom", **changes: str) -> None:
        """Withdraw what is live under that name; nothing of the name "": the whole channel."""
        assert self.manifest is not None
        entry = self.manifest.find(kind, name)
        previous = canonical.digest(self.withdrawals[-1].payload) if self.withdrawals else ""
        self.withdrawals.append(
            self.state(
                "withdraw",
                self.manifest,
                person=person,
                refs=[entry] if entry else [],
                **{"previous": previous, **changes},
            )
        )

    def say(self, act: str, **changes: str) -> None:
        """Have the release manager open the next stage of the release, or halt it."""
        assert self.manifest is not None
        previous = canonical.digest(self.words[-1].payload) if self.words else ""
        given = {"person": "p-remy", "previous": previous, **changes}
        self.words.append(self.state(act, self.manifest, refs=(), **given))  # type: ignore[arg-type]

    def proof(self, index: int) -> LogProof:
        """Return the proof of one leaf under a fresh checkpoint."""
        hashes = [leaf_hash(leaf) for leaf in self.leaves]
        return LogProof(self.checkpoint(), index, self.leaves[index], inclusion_proof(hashes, index))

    def checkpoint(self, size: int = 0, *, at_s: int = 0) -> bytes:
        """Return the signed checkpoint of the first entries, or of all, cosigned at a time."""
        hashes = [leaf_hash(leaf) for leaf in self.leaves[: size or None]]
        note = sign_checkpoint(Checkpoint(self.origin, len(hashes), root_of(hashes)), [self.log_key])
        for witness in self.cosigning:
            note = add_signatures(note, cosign(note, unsafe_witness(witness), time_s=at_s or self.cosigned_s))
        return note

    def deliver(self, manifest: Manifest | None = None, *, seen_size: int = 0, index: int = -1) -> Delivery:
        """Return what a device on this channel fetches now."""
        manifest = manifest or self.manifest
        assert manifest is not None
        log = self.proof(index % len(self.leaves))
        hashes = [leaf_hash(leaf) for leaf in self.leaves]
        growth = consistency_proof(hashes, seen_size) if 0 < seen_size <= len(hashes) else ()
        mandates = mandates_for(self, manifest)
        release, parts = divide_release(manifest.encode(), self.statements, log, mandates=mandates)
        return Delivery(
            channel=CHANNEL,
            trust=encode_trust(self.trust()),
            release=encode_release(release),
            parts=parts,
            withdrawals=encode_withdrawals(CHANNEL, tuple(self.withdrawals)),
            closures=dict(self.closures),
            growth=tuple(growth),
        )
