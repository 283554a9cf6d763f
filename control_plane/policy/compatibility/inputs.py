"""Calls that one input contract accepts and another refuses.

A contract is one object without further members, each member's values on their own, so the calls it accepts are a
product: some contract accepts a call that another refuses if and only if they differ so in one member. Each member is
a range of lengths, counts or numbers, or a few choices, so that a value in the one and not in the other is found by
looking at the ends of the range and at one value more than there are choices.

Promises: none missed, none false; each finding carries a call that the first contract accepts and the second refuses,
by the function with which a device checks its inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge_runtime.core.contract import Input, InputContract, check_inputs
from edge_runtime.core.errors import InvalidDocument

__all__ = ["Refused", "refused_calls"]


@dataclass(frozen=True, slots=True)
class Refused:
    """A member for which calls are refused, why, and such a call."""

    place: str
    because: str
    call: Mapping[str, Any]


def refused_calls(accepts: InputContract, refuses: InputContract) -> Iterator[Refused]:
    """Yield one call for each member by which calls that `accepts` takes are refused by `refuses`."""
    least = _least_call(accepts)
    if least is None:  # nobody can call it at all
        return
    for name, declared in accepts.inputs.items():
        other = refuses.inputs.get(name)
        value = _value_not_in(declared, other)
        if value is not None:
            because = _refusal(name, other, value) if other else f"input {name!r} is not taken"
            yield Refused(name, because, {**least, name: value})
        if other and _must_be_given(other) and not _must_be_given(declared):
            yield Refused(name, f"input {name!r} must be given", least)
    for name, declared in refuses.inputs.items():
        if name not in accepts.inputs and _must_be_given(declared):
            yield Refused(name, f"input {name!r} must be given", least)


def _must_be_given(declared: Input) -> bool:
    return declared.required and declared.default is None


def _least_call(contract: InputContract) -> dict[str, Any] | None:
    call = {}
    for name, declared in contract.inputs.items():
        if _must_be_given(declared):
            value = next(_values(declared, 1), None)
            if value is None:
                return None
            call[name] = value
    return call


def _value_not_in(declared: Input, other: Input | None) -> Any:
    """Return a value that `declared` takes and `other` does not; None if there is none."""
    if other is None:
        return next(_values(declared, 1), None)
    # One more than the other has choices is enough to find one that is not among them.
    return next((v for v in _values(declared, len(other.choices) + 1, beyond=other) if not _takes(other, v)), None)


def _values(declared: Input, count: int, *, beyond: Input | None = None) -> Iterator[Any]:
    """Yield values that `declared` takes: all choices, or at least `count`, and those just beyond `beyond`."""
    if declared.type == "boolean":
        candidates: Iterator[Any] = iter((False, True))
    elif declared.choices:
        candidates = iter(declared.choices)
    else:
        sizes = [declared.low, *range(declared.low + 1, min(declared.high, declared.low + count) + 1)]
        if beyond is not None:
            sizes += [size for size in (beyond.low - 1, beyond.high + 1) if declared.low <= size <= declared.high]
        candidates = (v for size in sizes for v in _of_size(declared, size, count))
    yield from (value for value in candidates if _takes(declared, value))


def _of_size(declared: Input, size: int, count: int) -> Iterator[Any]:
    if declared.type == "integer":
        yield size
    elif declared.type == "array":
        yield ["x"] * size
    else:
        # Texts of one length that differ in their letter; of length 0 there is one.
        yield from (chr(ord("a") + (23 + at) % 26 + 26 * (at // 26)) * size for at in range(count if size else 1))


def _takes(declared: Input, value: Any) -> bool:
    return not _refusal(declared.name, declared, value)


def _refusal(name: str, declared: Input, value: Any) -> str:
    try:
        check_inputs(InputContract({name: declared}, {}), {name: value})
    except InvalidDocument as error:
        return str(error)
    return ""
