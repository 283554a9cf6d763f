"""Records are what the standard library would have made of them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.frozen import frozen, member, replace


@frozen
class Shape:
    """A record with every kind of field."""

    name: str
    size: int = 3
    secret: str = member(default="", repr=False)
    cache: object = member(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("expected a size from 0 up")

    @property
    def doubled(self) -> int:
        """Twice the size."""
        return 2 * self.size


@dataclasses.dataclass(frozen=True, slots=True)
class Plain:
    """The same, made by the standard library."""

    name: str
    size: int = 3
    secret: str = dataclasses.field(default="", repr=False)
    cache: object = dataclasses.field(default=None, compare=False)


@frozen
class Single:
    """A record of one field, which is a tuple itself."""

    values: tuple[int, ...]


@frozen
class Empty:
    """A record of no field."""


class Round(Shape):
    """A kind of shape, without fields of its own."""

    __slots__ = ()


VALUES = st.tuples(st.text(max_size=2), st.integers(0, 2), st.text(max_size=1), st.none() | st.integers())


@given(VALUES, VALUES)
def test_equality_hash_and_representation_are_those_of_a_dataclass(one: Any, other: Any) -> None:
    """Two records are equal, and hash alike, just where two dataclasses are; both read alike."""
    assert (Shape(*one) == Shape(*other)) is (Plain(*one) == Plain(*other))
    assert hash(Shape(*one)) == hash(Plain(*one))
    assert repr(Shape(*one)) == repr(Plain(*one)).replace("Plain", "Shape")


def test_a_record_is_never_equal_to_another_kind_of_thing() -> None:
    """Not to another record of the same values, nor to the tuple of them."""
    assert Single((1,)) != (1,)
    assert Single((1,)) != ((1,),)
    assert Shape("a") != Plain("a")
    assert Empty() == Empty()
    assert Empty() != Single(())


def test_construction_takes_positions_and_names_and_refuses_the_rest() -> None:
    """As a dataclass does, with Python's own errors."""
    assert Shape("a", 4) == Shape(size=4, name="a")
    for wrong in ((), ("a", 1, "", None, 5)):
        with pytest.raises(TypeError):
            Shape(*wrong)
    with pytest.raises(TypeError):
        Shape("a", colour="red")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="size"):
        Shape("a", -1)


def test_nothing_about_a_record_can_be_assigned_or_deleted() -> None:
    """Neither a field nor a new attribute; there is no dictionary to put one into."""
    shape = Shape("a")
    for name in ("name", "other"):
        with pytest.raises(AttributeError):
            setattr(shape, name, 1)
    with pytest.raises(AttributeError):
        del shape.name
    assert not hasattr(shape, "__dict__")
    assert shape == Shape("a")


def test_tools_of_the_standard_library_take_it_for_a_dataclass() -> None:
    """`fields`, `replace`, `asdict` and `is_dataclass` work, with defaults and options as written."""
    shape = Shape("a", 2, "s")
    assert dataclasses.is_dataclass(shape)
    described = [(f.name, f.default, f.repr, f.compare) for f in dataclasses.fields(shape)]
    assert described == [(f.name, f.default, f.repr, f.compare) for f in dataclasses.fields(Plain("a"))]
    assert dataclasses.replace(shape, size=9) == replace(shape, size=9) == Shape("a", 9, "s")
    assert dataclasses.asdict(shape) == {"name": "a", "size": 2, "secret": "s", "cache": None}


def test_a_kind_of_record_keeps_the_fields_and_is_another_kind() -> None:
    """A subclass without fields is a record of its own; one with fields of its own is refused."""
    assert Round("a", 2) == Round("a", 2) != Shape("a", 2)
    assert replace(Round("a"), size=1) == dataclasses.replace(Round("a"), size=1) == Round("a", 1)
    with pytest.raises(TypeError, match="inherits"):

        @frozen
        class Wide(Shape):
            width: int


def test_copies_pickles_and_matches() -> None:
    """A record survives a copy and a pickle, and is matched by position."""
    shape = Shape("a", 2, "s", 7)
    assert copy.deepcopy(shape) == copy.copy(shape) == pickle.loads(pickle.dumps(shape)) == shape
    match shape:
        case Shape(name, size):
            assert (name, size, shape.doubled) == ("a", 2, 4)


def test_making_records_needs_no_dataclasses() -> None:
    """Importing the device's records does not import what `dataclasses` brings."""
    code = "import sys, audit.frozen; print(sorted({'dataclasses', 'inspect', 'ast'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
