"""The pages keep up with the program: commands, options, targets, folders, links and examples are those that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests import command_table

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = sorted([README, ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
EXAMPLE = """\
from edge_runtime import EdgeRuntime
edge = EdgeRuntime.open("coach-home", trust="trust/", source="https://coach.example/edge")
edge.refresh()                                    # offline: keeps last known good, returns a status
reply = edge.session(learner="u17", role="learner").run("private-session-summary", {"notes": notes})
print(reply.text, reply.route, reply.disclosure)
"""


def page_id(page: Path) -> str:
    """Return how a test names a page."""
    return str(page.relative_to(ROOT))


def test_the_table_of_commands_is_the_help() -> None:
    """README.md lists every command with the first sentence of its help: `make docs` would change nothing."""
    page = README.read_text(encoding="utf-8")
    assert command_table.with_table(page) == page


@pytest.mark.parametrize("word", ["serve", "proposal", "edge", "audit"])
def test_a_command_is_the_same_where_only_what_its_first_word_names_is_known(word: str) -> None:
    """Whatever comes after the first word is understood as where every command is known; no other command is there."""
    alone, known = command_table.commands(word), command_table.commands()
    wanted = {name: one for name, one in known.items() if name.split()[0] == word}
    assert alone.keys() == wanted.keys()
    for name, command in alone.items():
        assert [param.opts for param in command.params] == [param.opts for param in wanted[name].params]


def test_a_word_that_names_no_command_leaves_all_of_them() -> None:
    """So that help and the suggestion for a word that is misspelt know every command."""
    assert command_table.commands("srve").keys() == command_table.commands().keys()


def test_every_command_and_option_has_a_help_text() -> None:
    """Nobody has to guess what a command or an option does."""
    silent = []
    for name, command in command_table.commands().items():
        options = [p for p in command.params if getattr(p, "param_type_name", "") == "option"]
        silent += [] if command.help else [name]
        silent += [f"{name} {option.opts[0]}" for option in options if not getattr(option, "help", None)]
    assert silent == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_in_the_pages_exist(page: Path) -> None:
    """Every `mentorplane …` in backticks or a code block is a command, with options that it takes."""
    known = command_table.commands()
    unknown = []
    for line in re.findall(r"mentorplane((?: +(?:[a-z][a-z-]*|--?[a-z][a-z-]*|[A-Z]+|\S*/\S*))+)", _code(page)):
        words = line.split()
        name = next((" ".join(words[:n]) for n in (3, 2, 1) if " ".join(words[:n]) in known), "")
        takes = {spelling for param in known[name].params for spelling in param.opts} if name else set()
        unknown += [line] if not name else [w for w in words if w.startswith("--") and w not in takes | {"--help"}]
    assert unknown == []


def _code(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:bash|text|console)\n(.*?)```", text, re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))])


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_make_targets_in_the_pages_exist(page: Path) -> None:
    """Every `make …` in the pages is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", _code(page))) <= targets


def test_make_alone_lists_every_target() -> None:
    """`make` without a target says what there is."""
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("run", "demo", "test", "check", "bench", "soak", "fuzz", "vectors", "clean"):
        assert f"make {target} " in shown


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of the pages leads to a file, and to a heading where it names one."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}


def test_the_map_names_every_folder() -> None:
    """README's map has a line for each package and each folder of code in it, and for no other."""
    mapped = set(re.findall(r"^\| `([a-z_/]+)/` \|", README.read_text(encoding="utf-8"), re.MULTILINE))
    code = {
        str(file.parent.relative_to(ROOT))
        for package in ("audit", "control_plane", "edge_runtime")
        for file in (ROOT / package).rglob("*.py")
    }
    assert {folder for folder in code - mapped if "cli" not in Path(folder).parts} == set()
    assert [folder for folder in mapped if not (ROOT / folder).is_dir()] == []


def test_the_example_is_the_same_everywhere() -> None:
    """The five lines of README.md and of docs/embedding.md are the design's; tests/test_wheel.py runs them."""
    assert f"```python\n{EXAMPLE}```" in README.read_text(encoding="utf-8")
    assert f"```python\n{EXAMPLE}```" in (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")


def test_every_decision_is_listed() -> None:
    """The index of decisions lists each page, each of them at most one page long."""
    folder = ROOT / "docs" / "adr"
    pages = [page for page in folder.glob("*.md") if page.name != "README.md"]
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", index)) == sorted(page.name for page in pages)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 60, page.name
        for part in ("**Context.**", "**Decision.**", "**Rejected.**", "**Consequences.**"):
            assert part in text, page.name


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_files_named_in_the_pages_exist(page: Path) -> None:
    """Every module, test and folder of ours that a page names in backticks is there."""
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_0-9.]*)`", page.read_text(encoding="utf-8"))
    ours = [
        name
        for name in named
        if name.split("/")[0] in {"audit", "benchmarks", "control_plane", "core", "edge_runtime", "tests"}
    ]
    roots = (ROOT, ROOT / "edge_runtime")
    assert [name for name in ours if not any((root / name).exists() for root in roots)] == []
