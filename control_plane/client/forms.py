"""From JSON to records and back.

Promises: an answer that lacks a member, or holds another type, is named by its place; members that this client does not
know are passed over, so that a newer server can be asked. Records are frozen dataclasses. Does not: convert silently.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from control_plane.client.errors import BadAnswer

__all__ = ["decode", "encode"]


def decode(wanted: Any, value: object, where: str = "answer") -> Any:
    """Return a JSON value as the type that is wanted.

    Raises:
        BadAnswer: it is of another form; the message says where.
    """
    origin = get_origin(wanted)
    if origin in {Union, types.UnionType}:
        return _decode_union(wanted, value, where)
    if origin is Literal:
        return _is(value in get_args(wanted), value, where)
    if origin is tuple:
        return _decode_tuple(get_args(wanted), value, where)
    if origin in {Mapping, dict}:
        members = _is(isinstance(value, dict), value, where)
        return {name: decode(get_args(wanted)[1], member, f"{where}.{name}") for name, member in members.items()}
    if dataclasses.is_dataclass(wanted):
        return _decode_record(wanted, value, where)
    return _decode_plain(wanted, value, where)


def encode(value: object) -> Any:
    """Return a value of a call as JSON can hold it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): encode(member) for name, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [encode(member) for member in value]
    if isinstance(value, date):  # a `datetime` is one
        return value.isoformat()
    return value


def _decode_union(wanted: Any, value: object, where: str) -> Any:
    for choice in get_args(wanted):
        try:
            return decode(choice, value, where)
        except BadAnswer:
            continue
    raise BadAnswer(f"expected another type at {where}")


def _decode_tuple(inner: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    _is(isinstance(value, list), value, where)
    assert isinstance(value, list)
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(decode(inner[0], member, f"{where}[{index}]") for index, member in enumerate(value))
    _is(len(value) == len(inner), value, where)
    return tuple(decode(one, member, where) for one, member in zip(inner, value, strict=True))


def _decode_record(wanted: Any, value: object, where: str) -> Any:
    _is(isinstance(value, dict), value, where)
    assert isinstance(value, dict)
    found = {}
    for name, (inner, required) in _members(wanted).items():
        if name in value:
            found[name] = decode(inner, value[name], f"{where}.{name}")
        elif required:
            raise BadAnswer(f"expected {name!r} at {where}, got none")
    return wanted(**found)


@lru_cache(maxsize=512)
def _members(wanted: Any) -> dict[str, tuple[Any, bool]]:
    hints = get_type_hints(wanted)
    missing = dataclasses.MISSING
    return {
        field.name: (hints[field.name], field.default is missing and field.default_factory is missing)
        for field in dataclasses.fields(wanted)
    }


def _decode_plain(wanted: Any, value: object, where: str) -> Any:
    if wanted is Any:
        return value
    if wanted in {datetime, date}:
        _is(isinstance(value, str), value, where)
        try:
            return wanted.fromisoformat(value)
        except ValueError as error:
            raise BadAnswer(f"expected a time at {where}") from error
    if wanted is type(None):
        return _is(value is None, value, where)
    if wanted is float:
        return float(_is(type(value) in {int, float}, value, where))
    return _is(type(value) is wanted, value, where)


def _is(fits: bool, value: Any, where: str) -> Any:
    if not fits:
        raise BadAnswer(f"expected another type at {where}, got {type(value).__name__}")
    return value
