"""An agreement's closure: what the organisation and the learner agreed before any session.

Who the parties are and what each promises, what it is for and what not, what is stored where and for how long, what is
measured about people and who sees it, which consents are asked for, each with a plain sentence and with what works
without it. A policy tests its `version` by the permission `agreement`: a learner who accepted an older one counts
as below.

Promises: strict parse; nobody sees anything who is not a party; each consent is a word of the policy's vocabulary
(checked where both are known: when a release is drafted). Does not: record who accepted (that stays on the device).
Format: docs/formats.md, `mentorplane-agreement/1`.
"""

from __future__ import annotations

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.filing import Filing, Translation, read_filing, read_locale, read_translation
from edge_runtime.core.measures import MAX_DAYS, Measure, read_measures, read_names

__all__ = ["FORMAT", "Agreement", "Consent", "Party", "Stored", "parse_agreement"]

FORMAT = "mentorplane-agreement/1"
MAX_BYTES = 100_000
MAX_VERSION = 999
PLACES = ("cloud", "device", "server")
_TIERS = ("R3", "R4")


@frozen
class Party:
    """Somebody who agrees, and what they promise, in sentences."""

    id: str
    title: str
    promises: tuple[str, ...]


@frozen
class Stored:
    """One kind of thing that is kept: where, for how many days (0: until its owner deletes it), and who sees it."""

    id: str
    what: str
    where: str
    keep_days: int
    seen_by: tuple[str, ...]


@frozen
class Consent:
    """One permission that is asked for: the sentence a person says yes to, and what still works if they say no."""

    id: str
    sentence: str
    without: str


@frozen
class Agreement:
    """One agreement in one language."""

    name: str
    title: str
    purpose: str
    tier: str
    locale: str
    filing: Filing
    translation_of: Translation | None
    version: int
    parties: tuple[Party, ...]
    scope: tuple[str, ...]
    outside: tuple[str, ...]
    stored: tuple[Stored, ...]
    measures: tuple[Measure, ...]
    consents: tuple[Consent, ...]
    ending: str


def parse_agreement(data: bytes) -> Agreement:
    """Return the agreement that the canonical bytes of a closure hold.

    Raises:
        InvalidDocument: malformed, an id given twice, or something seen by somebody who is not a party.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    name, locale = fields.name("name"), read_locale(fields)
    agreement = Agreement(
        name=name,
        title=fields.text("title", at_most=120),
        purpose=fields.text("purpose", at_most=500),
        tier=fields.choice("tier", _TIERS),
        locale=locale,
        filing=read_filing(fields, optional=False),
        translation_of=read_translation(fields, name=name, locale=locale),
        version=fields.integer("version", at_least=1, at_most=MAX_VERSION),
        parties=fields.items("parties", _read_party, at_most=10),
        scope=fields.texts("scope", at_most=20),
        outside=fields.texts("outside", at_most=20),
        stored=fields.items("stored", _read_stored, at_most=50),
        measures=read_measures(fields),
        consents=fields.items("consents", _read_consent, at_most=20),
        ending=fields.text("ending", at_most=1000),
    )
    fields.close()
    _verify(agreement)
    return agreement


def _read_party(document: object) -> Party:
    fields = Fields(document, "party", tagged=False)
    party = Party(fields.name("id"), fields.text("title", at_most=120), fields.texts("promises", at_most=20))
    fields.close()
    return party


def _read_stored(document: object) -> Stored:
    fields = Fields(document, "stored", tagged=False)
    stored = Stored(
        id=fields.name("id"),
        what=fields.text("what", at_most=300),
        where=fields.choice("where", PLACES),
        keep_days=fields.integer("keep_days", at_most=MAX_DAYS),
        seen_by=read_names(fields, "seen_by"),
    )
    fields.close()
    return stored


def _read_consent(document: object) -> Consent:
    fields = Fields(document, "consent", tagged=False)
    consent = Consent(
        fields.name("id"), sentence=fields.text("sentence", at_most=500), without=fields.text("without", at_most=500)
    )
    fields.close()
    return consent


def _verify(agreement: Agreement) -> None:
    for member in ("parties", "stored", "consents"):
        ids = [one.id for one in getattr(agreement, member)]
        if len(set(ids)) != len(ids):
            raise InvalidDocument(f"{FORMAT}: expected each id once in member {member!r}")
    parties = {party.id for party in agreement.parties}
    if len(parties) < 2:
        raise InvalidDocument(f"{FORMAT}: expected at least two parties")
    seen = {(one.id, one.seen_by) for one in agreement.stored} | {(one.id, one.seen_by) for one in agreement.measures}
    for what, by in sorted(seen):
        if more := sorted(set(by) - parties):
            raise InvalidDocument(f"{FORMAT}: expected {what!r} to be seen by parties only, got {more[0]!r}")
