"""Reports of checks: what they store, and when they say nothing any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import text

from control_plane import db, verifying
from control_plane.errors import Refused
from control_plane.overview import queries
from control_plane.policy.checks.running import required
from control_plane.registry import reports, store
from edge_runtime.core.fields import is_digest
from tests.server.acts import Acts, refused
from tests.server.conftest import Clock
from tests.server.library import CLOSING, script
from tests.server.plugins import install


def staleness(acts: Acts, number: int = 2) -> str:
    """Return why the report of a proposal is not fresh."""
    with db.read(acts.plane.engine) as session:
        _, revision = store.find_proposal(session, number)
        return reports.staleness(session, revision, now=acts.plane.now())


def change_rows(acts: Acts, sql: str) -> None:
    """Change rows of reports behind the back of the use cases."""
    with db.write(acts.plane.engine) as session:
        assert session.connection().execute(text(sql)).rowcount


@pytest.mark.databases
def test_each_result_states_its_version_and_the_digests_of_its_inputs(acts: Acts) -> None:
    """Whoever reads a result can tell by which check it was made, and about what."""
    acts.check()
    checks = queries.show_proposal(acts.plane, 2).checks
    assert {check.name: check.version for check in checks} == required()
    for check in checks:
        assert set(check.inputs) == {"base", "cases", "closures", "earlier", "manifest", "policy", "recordings"}
        assert all(is_digest(digest) for digest in check.inputs.values())
        assert check.inputs["manifest"] == acts.seen()
    assert staleness(acts) == ""
    assert verifying.verify(acts.plane).ok


def test_an_old_report_is_not_fresh(acts: Acts, clock: Clock) -> None:
    """After the days that the rules allow, checks run again before anybody approves or releases."""
    acts.approve_fully()
    with db.read(acts.plane.engine) as session:
        days = reports.fresh_days(session, store.find_proposal(session, 2)[1])
    clock.advance(days=days)
    assert queries.show_proposal(acts.plane, 2).ready
    clock.advance(seconds=1)
    assert not queries.show_proposal(acts.plane, 2).ready
    with refused(acts.plane, Refused, f"older than {days} days"):
        acts.approve("ruth", role="compliance")
    with refused(acts.plane, Refused, f"older than {days} days"):
        acts.release()
    acts.check()
    acts.release()


def test_a_check_that_is_installed_later_is_required(
    acts: Acts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package with a check makes earlier reports stale, its check runs with the others, and stays required."""
    acts.approve_fully()
    install(tmp_path / "site", {"no-shouting": "acme_checks:no_shouting"})
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert not queries.show_proposal(acts.plane, 2).ready
    with refused(acts.plane, Refused, "no-shouting"):
        acts.release()
    assert acts.check()["no-shouting"] == "passed"
    result = queries.show_proposal(acts.plane, 2).checks[-1]
    assert (result.name, result.evidence) == ("no-shouting", ("replies read",))
    assert result.version.startswith("acme-checks 1.2.0 ")
    acts.release()


def test_a_check_that_is_changed_is_another(acts: Acts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other content under the same name and number is another version, and so is no content at all."""
    install(tmp_path / "site", {"no-shouting": "acme_checks:no_shouting"})
    monkeypatch.syspath_prepend(tmp_path / "site")
    acts.check()
    assert staleness(acts) == ""
    install(tmp_path / "other", {"no-shouting": "acme_checks:no_shouting"}, code="def no_shouting(c): return None\n")
    monkeypatch.syspath_prepend(tmp_path / "other")
    assert "no-shouting" in staleness(acts)
    monkeypatch.setattr("sys.path", [path for path in __import__("sys").path if str(tmp_path) not in path])
    assert "no-shouting" in staleness(acts)


def test_a_failed_check_of_a_package_stops_the_release(
    acts: Acts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts like a built-in one."""
    install(tmp_path / "site", {"no-shouting": "acme_checks:no_shouting"})
    monkeypatch.syspath_prepend(tmp_path / "site")
    loud = script("closing", tier="R1", fill="Thank you for {{ work }}.").replace('"{{ message }}"', '"{{ message }}!"')
    made = acts.propose("maya", {CLOSING: loud})
    assert acts.check(made.number)["no-shouting"] == "failed"
    with refused(acts.plane, Refused, "did not: no-shouting"):
        acts.approve("tom", made.number)


def test_a_report_about_something_else_is_not_fresh(acts: Acts) -> None:
    """What checks were given is compared with what they would be given now."""
    acts.check()
    change_rows(acts, "UPDATE check_result SET inputs = '{}' WHERE name = 'tier'")
    assert "another by now: base, cases" in staleness(acts)
    with refused(acts.plane, Refused, "run again"):
        acts.approve("tom")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE check_result SET version = '9' WHERE name = 'tier'",
        "UPDATE check_result SET inputs = '{}' WHERE name = 'tier'",
        "UPDATE check_result SET at = '2020-01-01 00:00:00.000000'",
    ],
)
def test_a_report_made_young_is_named(acts: Acts, sql: str) -> None:
    """Version, inputs and time of a report are held to the entry of the log that it made."""
    acts.check()
    change_rows(acts, sql)
    problems = verifying.verify(acts.plane).problems
    assert f"checks of {acts.seen()}" in {problem.rpartition(": ")[0] for problem in problems}
