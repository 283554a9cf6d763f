"""Records: frozen classes with slots, as `dataclass(frozen=True, slots=True)` makes them, in a tenth of the time.

A device imports some fifty of them each time an app starts, and the standard library compiles seven functions for
each and imports a disassembler to do it: a quarter of what opening a home may take (docs/adr/0016).

Promises: fields, defaults, keyword and positional construction, equality, hash, `__post_init__`, refusal of any
assignment, pickling and `match` as those of a dataclass; the standard library's own tools (`fields`, `replace`,
`asdict`) and whatever builds on them take such a record for a dataclass.
Does not: inherit fields, order, or know default factories, `ClassVar` and `InitVar`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from dataclasses import Field

__all__ = ["frozen", "member", "replace"]

_T = TypeVar("_T")
_NOTHING: Any = object()


class _Member:
    """How a field differs from others."""

    __slots__ = ("compare", "default", "repr")

    def __init__(self, default: object, *, repr: bool, compare: bool) -> None:  # noqa: A002 - as dataclasses call it
        self.default = default
        self.repr = repr
        self.compare = compare


def member(*, default: Any = _NOTHING, repr: bool = True, compare: bool = True) -> Any:  # noqa: A002
    """Return the default of a field that is kept out of the representation, or out of comparisons."""
    return _Member(default, repr=repr, compare=compare)


@dataclass_transform(frozen_default=True, eq_default=True, field_specifiers=(member,))
def frozen(cls: type[_T]) -> type[_T]:
    """Return the class as a record of its annotated fields.

    >>> @frozen
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> Point(1), Point(1) == Point(x=1, y=0), Point(1) == Point(2)
    (Point(x=1, y=0), True, False)
    """
    if any(hasattr(base, "__frozen_members__") for base in cls.__mro__):
        raise TypeError("expected a record with all its fields, got one that inherits them")
    body = {name: value for name, value in vars(cls).items() if name not in {"__dict__", "__weakref__"}}
    members = {name: _as_member(body.pop(name, _NOTHING)) for name in body.get("__annotations__", {})}
    compared = tuple(name for name, one in members.items() if one.compare)
    # Of one field `attrgetter` gives the value, of several a tuple: each compares and hashes as the fields do.
    values: Callable[[Any], Any] = attrgetter(*compared) if compared else lambda _self: ()

    def equal(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    body.setdefault("__repr__", _represent)
    body.setdefault("__eq__", equal)
    if body.get("__hash__") is None:  # a class with `__eq__` of its own has None here
        body["__hash__"] = lambda self: hash(values(self))
    body |= {
        "__init__": _initialiser(members, post="__post_init__" in body),
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__reduce__": _reduce,
        "__slots__": tuple(members),
        "__match_args__": tuple(members),
        "__frozen_members__": members,
        "__dataclass_fields__": _DataclassFields(cls, members),
    }
    make: Any = type(cls)
    made: type[_T] = make(cls.__name__, cls.__bases__, body)
    return made


def replace(record: _T, **changes: object) -> _T:
    """Return the record with some fields changed."""
    members: Mapping[str, _Member] = getattr(record, "__frozen_members__")  # noqa: B009 - no attribute of every class
    return type(record)(**{**{name: getattr(record, name) for name in members}, **changes})


def _as_member(default: object) -> _Member:
    return default if isinstance(default, _Member) else _Member(default, repr=True, compare=True)


def _initialiser(members: Mapping[str, _Member], *, post: bool) -> Callable[..., None]:
    scope: dict[str, Any] = {"_set": object.__setattr__}
    parameters, lines = ["self"], []
    for name, one in members.items():
        if one.default is _NOTHING:
            parameters.append(name)
        else:
            scope[f"_default_{name}"] = one.default
            parameters.append(f"{name}=_default_{name}")
        lines.append(f" _set(self, {name!r}, {name})")
    lines += [" self.__post_init__()"] if post else []
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines or [" pass"]), scope)  # noqa: S102 - names of fields
    made: Callable[..., None] = scope["__init__"]
    return made


def _represent(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, one in self.__frozen_members__.items() if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: object, name: str, *_value: object) -> NoReturn:
    raise AttributeError(f"expected no change of a record, got one of {type(self).__qualname__}.{name}")


def _reduce(self: Any) -> tuple[type, tuple[object, ...]]:
    return type(self), tuple(getattr(self, name) for name in self.__frozen_members__)


class _DataclassFields:
    """The fields as `dataclasses` describes them, made when somebody asks: nothing on a device's way does."""

    def __init__(self, written: type, members: Mapping[str, _Member]) -> None:
        self._written = written
        self._members = members

    def __get__(self, _record: object, _owner: type) -> dict[str, Field[Any]]:
        import dataclasses

        described = []
        for name, one in self._members.items():
            options: dict[str, Any] = {"repr": one.repr, "compare": one.compare}
            options |= {} if one.default is _NOTHING else {"default": one.default}
            described.append((name, self._written.__annotations__[name], dataclasses.field(**options)))
        like = dataclasses.make_dataclass(self._written.__name__, described, frozen=True)
        fields: dict[str, Field[Any]] = vars(like)["__dataclass_fields__"]
        return fields
