"""What is measured about people: part of agreements and session types, compared when either changes.

Promises: a measure says in words what and why, who sees it, from how many people on, and how long it is kept.
Does not: measure anything. Format: docs/formats.md, Agreement.
"""

from __future__ import annotations

from audit.frozen import frozen
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.fields import Fields, is_name

__all__ = ["MAX_DAYS", "Measure", "exceeds", "read_measures", "read_names"]

MAX_DAYS = 36_500


@frozen
class Measure:
    """One number about people: `from_people` is the smallest group it is shown for; 1 means each person's own."""

    id: str
    what: str
    why: str
    seen_by: tuple[str, ...]
    from_people: int
    keep_days: int

    def as_json(self) -> JsonObject:
        """Return the measure as a JSON object."""
        return {
            "id": self.id,
            "what": self.what,
            "why": self.why,
            "seen_by": list(self.seen_by),
            "from_people": self.from_people,
            "keep_days": self.keep_days,
        }


def read_measures(fields: Fields) -> tuple[Measure, ...]:
    """Return the member `measures`, each id once.

    Raises:
        InvalidDocument: it is malformed.
    """
    measures = fields.items("measures", _read_measure, at_most=50)
    if len({measure.id for measure in measures}) != len(measures):
        raise fields.refuse("measures", "each id once")
    return measures


def _read_measure(document: object) -> Measure:
    fields = Fields(document, "measure", tagged=False)
    measure = Measure(
        id=fields.name("id"),
        what=fields.text("what", at_most=300),
        why=fields.text("why", at_most=300),
        seen_by=read_names(fields, "seen_by"),
        from_people=fields.integer("from_people", at_least=1, at_most=1000),
        keep_days=fields.integer("keep_days", at_least=1, at_most=MAX_DAYS),
    )
    fields.close()
    return measure


def read_names(fields: Fields, member: str, *, empty: bool = False, at_most: int = 20) -> tuple[str, ...]:
    """Return a list of names, each once; empty only where `empty` allows it."""
    names = fields.texts(member, at_most=at_most)
    if not all(map(is_name, names)) or len(set(names)) != len(names) or not (names or empty):
        raise fields.refuse(member, f"{'at most' if empty else 'one to'} {at_most} names, each once,")
    return names


def exceeds(measure: Measure, agreed: Measure | None) -> str:
    """Return in which way a measure goes beyond what was agreed; "" if it does not."""
    if agreed is None:
        return "it is not agreed at all"
    if more := sorted(set(measure.seen_by) - set(agreed.seen_by)):
        return f"{', '.join(more)} would see it"
    if measure.from_people < agreed.from_people:
        return f"it would be shown from {measure.from_people} people on, not from {agreed.from_people}"
    if measure.keep_days > agreed.keep_days:
        return f"it would be kept for {measure.keep_days} days, not for {agreed.keep_days}"
    return ""
