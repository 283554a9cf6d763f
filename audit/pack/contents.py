"""The contents behind the commitments of a pack's entries: names of those who acted, and their reasons.

What is checked, by number (those of `audit.pack.check`):
12. each commitment of an entry of the scope is opened by `openings.jsonl`, or its entry names a key that an entry of
    the log erased. An erasure after the newer checkpoint is proven by files of its own: `erased/<index>.leaf`, the
    entry, and `erased/<index>.tlog-proof`, its proof under a checkpoint of the same log.

A pack may leave all texts out: then `openings.jsonl` is empty, and the contents are withheld, not missing.
It does not judge what a text says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.acts import Act
from audit.errors import AuditError, InvalidFormat
from audit.frozen import frozen
from audit.note import Verifier
from audit.openings import Opening, OpeningState, check_openings, parse_openings
from audit.pack.container import Container
from audit.pack.make import ERASED, ERASED_LEAF, ERASED_PROOF, OPENINGS
from audit.pack.visit import without_texts
from audit.proof import parse_proof, verify_entry_by_keys
from audit.record import LeafRecord, parse_leaf
from audit.verify import Finding, State

__all__ = ["Contents", "check_contents"]


@frozen
class Contents:
    """The commitments of the entries: how many are verified or withheld, which erased by which entry, and so on.

    Each pair of `erased` is an entry and the entry that says that the key to its texts was destroyed; each of `kept`
    the same, of a text that is in the pack all the same.
    """

    verified: int = 0
    withheld: int = 0
    erased: tuple[tuple[int, int], ...] = ()
    missing: tuple[int, ...] = ()
    altered: tuple[int, ...] = ()
    kept: tuple[tuple[int, int], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no content is missing or altered."""
        return not self.missing and not self.altered


def check_contents(
    pack: Container, committed: Sequence[LeafRecord], keys: Sequence[Verifier], *, origin: str, size: int
) -> tuple[Contents, list[Finding]]:
    """Check the texts of a pack against the commitments of its entries.

    Args:
        pack: the pack.
        committed: the entries that commit to texts, and those that erase, in order.
        keys: the keys with which later erasures are verified; none, and they count for nothing.
        origin: the log's name.
        size: the size of the newer checkpoint.
    """
    findings: list[Finding] = []
    later = list(_later(pack, keys, findings, origin=origin, size=size))
    openings = _openings(pack, findings)
    report = check_openings([*committed, *later], openings or ())
    missing = report.of(OpeningState.MISSING)
    erased = {(one.seq, one.event) for one in report.of(OpeningState.ERASED) if one.event is not None}
    verified = report.of(OpeningState.VERIFIED)
    contents = Contents(
        verified=len(verified),
        withheld=0 if openings else len(missing),
        erased=tuple(sorted(erased)),
        missing=tuple(sorted({one.seq for one in missing})) if openings else (),
        altered=tuple(sorted({one.seq for one in report.of(OpeningState.ALTERED)})),
        kept=tuple(sorted({(one.seq, one.event) for one in verified if one.event is not None})),
    )
    return contents, findings


def _openings(pack: Container, findings: list[Finding]) -> tuple[Opening, ...] | None:
    """Return the openings of a pack; None if it has none on purpose."""
    try:
        data = pack.read(OPENINGS)
        return parse_openings(data) if data else None
    except FileNotFoundError:
        findings.append(Finding(State.UNPROVEN, OPENINGS, "no such file"))
    except InvalidFormat as error:
        findings.append(Finding(State.ALTERED, OPENINGS, str(error)))
    return ()


def _later(
    pack: Container, keys: Sequence[Verifier], findings: list[Finding], *, origin: str, size: int
) -> Iterator[LeafRecord]:
    """Yield the entries after the newer checkpoint that erased keys, in order, as far as they are proven."""
    found = {}
    for path in pack.paths:
        if not path.startswith(ERASED):
            continue
        try:
            proof = parse_proof(pack.read(path.removesuffix(ERASED_LEAF).removesuffix(ERASED_PROOF) + ERASED_PROOF))
            entry = pack.read(f"{ERASED}{proof.index}{ERASED_LEAF}")
            if path not in {f"{ERASED}{proof.index}{ERASED_LEAF}", f"{ERASED}{proof.index}{ERASED_PROOF}"}:
                raise InvalidFormat("expected a file named by the index of its entry, got another")
            leaf = parse_leaf(entry)
            if leaf.seq != proof.index or leaf.seq < size or leaf.act is not Act.ERASED:
                raise InvalidFormat("expected an erasing entry after the newer checkpoint, got another")
            verify_entry_by_keys(proof, entry, keys, origin=origin)
            found[leaf.seq] = without_texts(leaf)
        except (FileNotFoundError, AuditError) as error:
            message = "its other half is not there" if isinstance(error, FileNotFoundError) else str(error)
            findings.append(Finding(State.UNPROVEN, path, message))
    yield from (found[index] for index in sorted(found))
