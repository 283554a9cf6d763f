"""Checks of other packages: a real package is installed and runs; whatever it does wrong is a failure, never a gap."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from control_plane.policy.checks.built_in import BUILT_IN
from control_plane.policy.checks.plugins import installed
from control_plane.policy.checks.records import CheckResult
from control_plane.policy.checks.running import required, run_checks
from control_plane.policy.checks.wire import encode_candidate, parse_candidate
from edge_runtime.core.canonical import encode
from tests.policy.scripts import document
from tests.policy.test_checks import candidate
from tests.server.plugins import install

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"
GIVEN = candidate(encode(document(fallback="What? And why?")), before=(encode(document()),))


def run(*, time_s: float = 20) -> dict[str, CheckResult]:
    """Return the results of the checks that are not built in, by name."""
    return {one.name: one for one in run_checks(GIVEN, time_s=time_s) if one.name not in BUILT_IN}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages can be installed into."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def test_the_package_of_the_page_installs_and_runs(site: Path, tmp_path: Path) -> None:
    """What docs/checks.md shows is a package: pip installs it, and its check is required, runs and finds something."""
    page = PAGE.read_text("utf-8")
    [project], [code] = (re.findall(rf"```{kind}\n# \S+\n(.*?)```", page, re.DOTALL) for kind in ("toml", "python"))
    package = tmp_path / "acme-checks"
    package.mkdir()
    (package / "pyproject.toml").write_text(project, "utf-8")
    (package / "acme_checks.py").write_text(code, "utf-8")
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet", "--target", str(site)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(package)], check=True, capture_output=True)
    assert required()["acme-one-question"].startswith("acme-checks 1.0.0 ")
    result = run()["acme-one-question"]
    assert (result.status, result.evidence) == ("failed", ("opener: expected one question in the fallback, got 2",))


def test_a_candidate_goes_to_another_process_whole() -> None:
    """What a check of a package is given is what a built-in one is given."""
    assert parse_candidate(encode_candidate(GIVEN)) == GIVEN


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("def check(c):\n    raise KeyError('a text of somebody')\n", "expected an answer, got an exception: KeyError"),
        ("def check(c):\n    return True\n", "expected a Found as its answer, got bool"),
        (
            "from control_plane.policy.checks import Found\n\ndef check(c):\n    return Found((1,))\n",
            "expected at most 1000 lines of text in its answer, got something else",
        ),
        ("import sys\n\ndef check(c):\n    sys.exit(0)\n", "expected an answer, got a process that ended with code 0"),
        ("import os\n\ndef check(c):\n    os._exit(9)\n", "expected an answer, got a process that ended with code 9"),
        ("def other(c):\n    return None\n", "expected an answer, got an exception: AttributeError"),
        ("raise SystemError\n", "expected an answer, got an exception: SystemError"),
        ("def check(c):\n    print('noise')\n    return None\n", "expected a Found as its answer, got NoneType"),
    ],
)
def test_a_check_that_does_wrong_has_failed(site: Path, code: str, line: str) -> None:
    """It raises, answers rubbish, ends its process, or is not there: a failed check that says so, without any text."""
    install(site, {"acme-check": "acme_checks:check"}, code=code)
    result = run()["acme-check"]
    assert (result.status, result.evidence) == ("failed", (line,))


def test_a_check_that_hangs_is_ended(site: Path) -> None:
    """After its time it has failed, and neither it nor what it started goes on."""
    code = "import subprocess, sys, time\n\ndef check(c):\n    subprocess.Popen(['sleep', '60'])\n    time.sleep(60)\n"
    install(site, {"acme-check": "acme_checks:check"}, code=code)
    result = run(time_s=1.5)["acme-check"]
    assert (result.status, result.evidence) == ("failed", ("timed out: expected an answer within 1.5 s, got none",))


def test_a_built_in_name_cannot_be_replaced(site: Path) -> None:
    """A package that claims one is a failed check of its own; the built-in check runs as ever."""
    install(site, {"cases": "acme_checks:no_shouting", "Not A Name": "acme_checks:no_shouting"})
    results = {one.name: one for one in run_checks(GIVEN)}
    assert results["cases"].version.endswith(required()["cases"].partition(" ")[2])
    assert results["acme-checks.cases"].evidence == ("expected a name of its own, got that of a built-in check",)
    assert results["acme-checks.unnamed"].status == "failed"


def test_two_packages_with_one_name_both_fail(site: Path) -> None:
    """Nobody can tell which of them is meant, so neither is left out."""
    for name in ("acme-checks", "other-checks"):
        install(site, {"no-shouting": f"{name.replace('-', '_')}:no_shouting"}, name=name)
    assert {name: one.status for name, one in run().items()} == {
        "acme-checks.no-shouting": "failed",
        "other-checks.no-shouting": "failed",
    }
    assert [plugin.problem for plugin in installed(BUILT_IN)] == [
        "expected a name of its own, got one that several packages give to a check"
    ] * 2


def test_long_answers_are_cut(site: Path) -> None:
    """Evidence stays what people can read: so many lines, each so long, nothing that moves a terminal's cursor."""
    code = (
        "from control_plane.policy.checks import Found\n\n"
        "def check(c):\n    return Found(tuple('\\x1b' + 'x' * 5000 for _ in range(500)))\n"
    )
    install(site, {"acme-check": "acme_checks:check"}, code=code)
    evidence = run()["acme-check"].evidence
    assert (len(evidence), max(map(len, evidence)), evidence[-1]) == (51, 601, "and 450 more")
    assert all(line.isprintable() for line in evidence)


def test_attack_a_pattern_that_takes_for_ever(site: Path) -> None:
    """A built-in check that would hang is ended and has failed, and says so; the checks after it run all the same."""
    output = {
        "type": "object",
        "additionalProperties": False,
        "required": ["message"],
        "properties": {"message": {"type": "string", "pattern": "^(a+)+$"}},
    }
    recording = {"id": "one", "model": "small", "inputs": {"work": "it"}, "output": {"message": "a" * 60 + "!"}}
    given = candidate(encode(document(output=output)), recordings={"opener": {"recordings": [recording]}})
    results = {one.name: one for one in run_checks(given, time_s=3)}
    late = results["recorded-outputs"]
    assert (late.status, late.evidence) == ("failed", ("timed out: expected an answer within 3 s, got none",))
    assert {name for name, one in results.items() if one.evidence[:1] == late.evidence} == {"recorded-outputs"}
    assert list(results) == list(required())
