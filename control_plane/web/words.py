"""What the tour says on screen: records of the use cases as plain words.

Promises: no word of the formats reaches the page; digests appear as short fingerprints, whole under technical details.
Does not: decide or store anything. Source: docs/glossary.md, column *on screen*.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from control_plane.ledger import LedgerLeaf
from control_plane.registry.records import ProposalDetail
from control_plane.verifying import LedgerReport
from control_plane.web.demo_people import DemoPeople

if TYPE_CHECKING:
    from control_plane.publish import ForgedMirror

__all__ = ["refusal_words", "shown_forgery", "shown_ledger", "shown_proposal"]

_SENTENCE_END = re.compile(r"[.!?:](?=\s|$)|\n")
NEAR = 160
"""Characters of unchanged text shown on each side of a change."""

_ACTS = {
    "seeded": "set up {}",
    "proposed": "opened {}",
    "edited": "edited {}",
    "abandoned": "gave up {}",
    "expired": "let {} end without a decision",
    "opened": "looked at {}",
    "commented": "asked about {}",
    "thread-resolved": "settled a question about {}",
    "thread-reopened": "asked again about {}",
    "objected": "objected to {}",
    "objection-taken-back": "took back an objection to {}",
    "review-requested": "asked somebody to look at {}",
    "review-request-ended": "no longer asks somebody to look at {}",
    "checked": "ran the checks of {}",
    "approved": "approved {}",
    "rejected": "rejected {}",
    "released": "published {}",
    "stage-changed": "opened or halted a stage of {}",
    "withdrawn": "said: stop using {}",
    "withdrawal-lifted": "allowed {} again",
    "trust-changed": "changed who may sign",
    "root-signed": "had the keys that count signed by their custodians",
    "targets-signed": "had the list of who may sign approved by its custodians",
    "person-enrolled": "enrolled {}",
    "person-retired": "retired {}",
    "role-granted": "gave a role to {}",
}

_CHECKS = {
    "schema": "Its form is right",
    "template": "Every blank in the text can be filled",
    "contract": "Who uses it today can go on using it",
    "cases": "It gives the answers it promises",
    "recorded-outputs": "What models answered still fits",
    "policy-loosening": "No rule becomes looser",
    "refutation-probes": "What must be refused is refused",
    "placement-vs-data-class": "Sensitive words go no further than they may",
    "prohibited-practice": "It asks for nothing that is forbidden",
    "ai-disclosure": "People are told that an assistant speaks",
    "disclosure-present": "People are told what they are reading",
    "readability": "It is easy to read",
    "token-budget": "A model can read all of it",
    "untrusted-delimited": "What people write is never taken for an order",
    "legal-tags": "It says why it may be used",
    "translation-stale": "Translations say what the original says",
    "hand-off-present": "A person can always be reached",
    "hand-off-contacts": "Every number to call is filled in",
    "tier": "Its level of risk is not played down",
}

_PARTS = {
    "fill": "what it says",
    "instruction": "what a model is told to do",
    "reply": "what the person reads",
    "fallback": "what it says when all else fails",
    "disclosure": "what the person is told about it",
    "target_behaviour": "what it is for",
}

_REFUSALS = {
    "expected an approver who is not an author of the proposal, got one of its authors": (
        "{} wrote this change, so she cannot approve it."
    ),
}

SYSTEM_NAME = "Mentorplane"
SELF_CONTAINED_MEANS = (
    "All keys of this installation are on one machine, so an outsider has only its word that there is no second log. "
    "A witness elsewhere would change that."
)


def fingerprint(digest: str) -> str:
    """Return a digest as a short fingerprint for people."""
    return digest.rpartition(":")[2][:12]


def _part(field: str) -> str:
    """Return how people call the part of a script at a path such as `fill.opener`."""
    top = field.partition(".")[0].partition("[")[0]
    return _PARTS.get(top, top.replace("_", " "))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] if text else ""


def _near(spans: Sequence[Any]) -> list[dict[str, str]]:
    """Return the words of a change, with long unchanged stretches cut to what stands near it."""
    shown = []
    for index, span in enumerate(spans):
        text = span.text
        if span.op == "same" and len(text) > 2 * NEAR:
            head = "" if index == 0 else text[:NEAR]
            tail = "" if index == len(spans) - 1 else text[-NEAR:]
            text = f"{head} … {tail}"
        shown.append({"op": span.op, "text": text})
    return shown


def refusal_words(technical: str, name: str) -> str:
    """Return what the use case refused as people say it, or the technical sentence if it has no words of its own."""
    return _REFUSALS.get(technical, technical).format(name)


def shown_proposal(
    detail: ProposalDetail, people: DemoPeople, *, released: bool, titles: Mapping[str, str]
) -> dict[str, Any]:
    """Return a proposal as the page shows it: its first changed script, checks, approvals, what is missing.

    One signature covers all that a proposal changes, so the most that any part lacks is what is missing in all.
    A script is called by its title, which `titles` says for each name. `live` is the wording now in use, `again` the
    other one: what the next proposal may begin with.
    """
    change = next((c for c in detail.changes if c.diff), detail.changes[0])
    wording = max(change.diff, key=lambda diff: sum(len(s.text) for s in diff.spans if s.op == "same"))
    old = "".join(span.text for span in wording.spans if span.op != "added")
    new = "".join(span.text for span in wording.spans if span.op != "removed")
    return {
        "number": detail.proposal.number,
        "title": detail.proposal.title,
        "author": people.name_of(detail.proposal.author),
        "state": detail.proposal.state,
        "name": change.name,
        "script": titles.get(change.name, change.name),
        "tier": change.tier,
        "field": wording.field,
        "live": new if released else old,
        "again": old if released else new,
        "diff": [{"field": diff.field, "part": _part(diff.field), "words": _near(diff.spans)} for diff in change.diff],
        "manifest": detail.proposal.manifest,
        "digest": change.digest,
        "checks": [
            {
                "name": _CHECKS.get(c.name, _sentence(c.name.replace("-", " "))),
                "status": c.status,
                "evidence": list(c.evidence),
            }
            for c in detail.checks
        ],
        "signed": [
            {"id": s.person, "name": people.name_of(s.person), "role": s.role.replace("-", " ")}
            for s in detail.signatures
            if s.act == "approve" and not s.void
        ],
        "missing": max((m.people for m in detail.missing), default=0),
        "may_sign": sorted({role.replace("-", " ") for m in detail.missing for role in m.roles}),
        "ready": detail.ready,
    }


def _what(leaf: LedgerLeaf, people: DemoPeople, titles: Mapping[str, str]) -> str:
    """Return what somebody did, such as "approved proposal 2"."""
    name = people.name_of(leaf.name)
    if leaf.kind == "release":
        name = f"version {leaf.version}"
    name = name.replace("-", " ")
    name = titles.get(leaf.name, name)
    return _ACTS.get(leaf.act, leaf.act.replace("-", " ") + " {}").format(name).strip()


def shown_forgery(forged: ForgedMirror, document: Mapping[str, Any]) -> dict[str, str]:
    """Return a forged version as the page shows it: which sentence of the genuine `document` was changed, and how."""
    text = str(document.get("fallback", ""))
    start, _, end = text.partition(forged.before_word)
    return {
        "script": str(document.get("title", forged.name)),
        "start": _SENTENCE_END.split(start)[-1],
        "end": end[: found.end()] if (found := _SENTENCE_END.search(end)) else end,
        "before": forged.before_word,
        "after": forged.after_word,
        "manifest": forged.manifest,
    }


def shown_ledger(
    report: LedgerReport, last: Iterable[LedgerLeaf], people: DemoPeople, *, titles: Mapping[str, str]
) -> dict[str, Any]:
    """Return a verified log as the page shows it: size, fingerprint, statement, the last acts."""
    return {
        "ok": report.ok,
        "size": report.size,
        "root": report.root,
        "print": fingerprint(report.root),
        "statement": "self-contained: no outside witness signed"
        if report.self_contained
        else "seen by outside witnesses",
        "meaning": SELF_CONTAINED_MEANS if report.self_contained else "",
        "problems": list(report.problems),
        "acts": [
            {
                "number": leaf.index,
                "who": SYSTEM_NAME if leaf.actor == "system" else people.name_of(leaf.actor),
                "what": _what(leaf, people, titles),
                "at": leaf.at.isoformat(timespec="seconds"),
            }
            for leaf in last
        ],
    }
