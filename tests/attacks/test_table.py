"""Every attack has a test, and every test of an attack is listed: tests/attacks holds the table."""

from __future__ import annotations

from tests.attacks import ATTACKS
from tests.attacks.table import PAGE, marked, with_table


def test_every_attack_has_a_test_and_none_is_listed_twice() -> None:
    """An attack that nobody tests, a mark that names none of the list, a name or a mark twice: each is named here."""
    found = marked()
    assert [name for name in ATTACKS if name not in found] == []
    assert sorted(found.keys() - set(ATTACKS)) == []
    assert len(set(ATTACKS)) == len(ATTACKS)
    assert [test for tests in found.values() for test in tests if tests.count(test) > 1] == []


def test_the_threat_model_lists_them() -> None:
    """`python -m tests.attacks --write` changes nothing."""
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page) == page
