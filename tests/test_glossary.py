"""The words on screen: pages for people use the glossary's column *on screen*, and nothing of what it keeps off.

The list of words is read from docs/glossary.md itself. Pages are the templates and scripts of the console and of the
desk; only text that somebody can see counts: element text and the attributes that browsers show or read aloud, and in
scripts the texts that hold a blank (sentences and labels, not names of members and classes).
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = (ROOT / "control_plane" / "web", ROOT / "edge_runtime" / "desk")
PAGES = sorted(path for folder in FOLDERS for path in folder.rglob("*") if path.suffix in {".html", ".js", ".txt"})
VISIBLE_ATTRIBUTES = {"alt", "aria-label", "aria-description", "placeholder", "title", "data-label"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


def kept_off() -> tuple[str, ...]:
    """Return the words that the glossary keeps off the screen."""
    section = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("## Kept off the screen")[1]
    return tuple(re.findall(r"`([^`]+)`", section.split("\n\n", 2)[2]))


def forbidden_in(text: str) -> tuple[str, ...]:
    """Return the kept-off words that stand in `text`, as whole words, singular or plural."""
    return tuple(
        word for word in kept_off() if re.search(rf"(?<![\w-]){re.escape(word)}s?(?![\w-])", text, re.IGNORECASE)
    )


class VisibleText(HTMLParser):
    """Collect what a reader of a page sees outside elements marked `data-technical`; Jinja's marks are not text."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.scripts: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the element shows through its attributes, and whether it is technical."""
        hidden = self._hidden() or any(name == "data-technical" for name, _ in attrs)
        if not hidden:
            self.pieces += [value for name, value in attrs if name in VISIBLE_ATTRIBUTES and value]
        if tag not in VOID:
            self._open.append((tag, hidden))

    def handle_endtag(self, tag: str) -> None:
        """Close the element, and whatever was left open inside it."""
        while any(name == tag for name, _ in self._open) and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Keep text that people see."""
        inside = self._open[-1][0] if self._open else ""
        if inside == "script":
            self.scripts.append(data)
        elif inside != "style" and not self._hidden():
            self.pieces.append(data)

    def _hidden(self) -> bool:
        return bool(self._open) and self._open[-1][1]


def visible_in_html(source: str) -> str:
    """Return the visible text of a page or template."""
    page = VisibleText()
    page.feed(re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", source, flags=re.DOTALL))
    page.close()
    return "\n".join([*page.pieces, *(visible_in_script(script) for script in page.scripts)])


def visible_in_script(source: str) -> str:
    """Return the texts of a script that hold a blank; markup in them is read like a page."""
    without_comments = re.sub(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", " ", without_technical(source), flags=re.DOTALL)
    texts = re.findall(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`", without_comments)
    plain = [re.sub(r"\$\{[^}]*\}", " ", text) for group in texts for text in group if " " in text.strip()]
    return "\n".join(visible_in_html(text) if "<" in text else text for text in plain)


def without_technical(source: str) -> str:
    """Return a script without its calls `technical(…)`: they build the element that is marked `data-technical`."""
    kept, _, rest = source.partition("technical(")
    while rest:
        depth = 1
        while depth and rest:
            depth += {"(": 1, ")": -1}.get(rest[0], 0)
            rest = rest[1:]
        more, _, rest = rest.partition("technical(")
        kept += " " + more
    return kept


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_show_the_words_of_the_column_on_screen(page: Path) -> None:
    """No page shows a word that the glossary keeps off the screen, technical details aside."""
    source = page.read_text(encoding="utf-8")
    shown = visible_in_script(source) if page.suffix == ".js" else visible_in_html(source)
    lines = [(line.strip(), words) for line in shown.splitlines() if (words := forbidden_in(line))]
    assert lines == []


def test_the_list_is_read_from_the_glossary() -> None:
    """The glossary's list is found, and holds the words that matter most."""
    assert {"leaf", "closure", "bundle", "DSSE", "quorum"} <= set(kept_off())


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>The closures</p>", ("closure",)),
        ("<p title='its DSSE envelope'>x</p>", ("DSSE", "envelope")),
        ("<details data-technical><p>the <b>leaf</b></p></details><p>fine</p>", ()),
        ("<p data-technical>leaf</p><p>leaf</p>", ("leaf",)),
        ("<p class='bundle'>{{ bundle.digest }} {# leaf #}</p>", ()),
        ("<script>show('The digest is wrong'); const leaf = 'leaf';</script>", ("digest",)),
        ("<script>show(technical([['the leaf', f(x)]]), 'a tile here')</script>", ("tile",)),
        ("<img alt='a Merkle tree'><p>textiles</p>", ("Merkle",)),
    ],
)
def test_planted_words_are_found_where_people_would_see_them(source: str, words: tuple[str, ...]) -> None:
    """The reader of pages sees what people see: no class names, no template code, no technical details."""
    assert set(forbidden_in(visible_in_html(source))) == set(words)


def test_every_row_of_the_glossary_has_its_word_on_screen() -> None:
    """Each row names a word, a meaning and what is read instead; no word is settled twice."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    rows = [row for row in rows if row[0] != "Word"]
    assert all(len(row) == 3 and all(row) for row in rows)
    assert len({row[0] for row in rows}) == len(rows)
    assert [row for row in rows if forbidden_in(row[2])] == []
