"""Sources: whatever somebody writes is read strictly, and every problem is told with its line."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from control_plane.sources.parsing import Problem, SourceError, default_library, load_library, parse_source
from control_plane.sources.strict_yaml import read_yaml

_HEAD = "kind: include\nname: greeting\nformat: mentorplane-include/1\ntitle: Greeting\ntier: R1\nlocale: en\n"
INCLUDE = f"{_HEAD}text: |\n  Welcome.\n"
_KINDS = (
    "agreement, approval-rules, cases, handoff, include, model, policy, prompt, recordings, session-type, vocabulary"
)
SCRIPT = Path("prompt_library/scripts/openings/compliment-first-opener.yaml").read_text("utf-8")


def problems_of(data: bytes | str, path: str = "scripts/x.yaml") -> tuple[Problem, ...]:
    """Return the problems that reading `data` tells."""
    with pytest.raises(SourceError) as caught:
        parse_source(data.encode() if isinstance(data, str) else data, path)
    return caught.value.problems


def line_of(text: str, part: str) -> int:
    """Return the number of the first line that holds `part`."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if part in line)


def changed(old: str, new: str) -> str:
    """Return the script with one part replaced."""
    assert old in SCRIPT
    return SCRIPT.replace(old, new, 1)


def test_reads_a_script_with_its_kind_and_name() -> None:
    """A script becomes a source whose members are JSON values."""
    source = parse_source(SCRIPT.encode(), "scripts/x.yaml")
    assert (source.kind, source.name, source.document["max_tokens"]) == ("prompt", "compliment-first-opener", 250)
    assert source.document["review_by"] == "2027-05-31", "a date stays text"


def test_error_is_one_line_a_problem_with_file_line_and_expectation() -> None:
    """What an author reads: file, line, and what was expected, in the order of the file."""
    text = changed("tier: R2", "tier: R9").replace("max_tokens: 250", "max_tokens: many")
    with pytest.raises(SourceError) as caught:
        parse_source(text.encode(), "scripts/x.yaml")
    lines = str(caught.value).split("\n")
    assert lines == [
        f"scripts/x.yaml:{line_of(text, 'tier: R9')}: expected one of R0, R1, R2, R3, R4 in tier",
        f"scripts/x.yaml:{line_of(text, 'max_tokens')}: expected a whole number, got text, in max_tokens",
    ]


def test_unknown_member_is_named_with_a_suggestion() -> None:
    """A misspelt member is refused, at its own line, and the likely one is offered."""
    text = changed("title: Open", "titel: Open")
    found = problems_of(text)
    assert [(p.line, p.expected) for p in found] == [
        (line_of(text, "kind:"), "member 'title', got none"),
        (line_of(text, "titel"), "no member 'titel'; did you mean 'title'?"),
    ]


def test_undeclared_variable_is_told_with_its_line() -> None:
    """A template that uses a variable nobody declared is refused at the line of the file where it stands."""
    text = changed("  {{ recent_work }}\n", "  {{ recent_work }} {{ secret }}\n")
    (problem,) = problems_of(text)
    assert problem.line == line_of(text, "secret")
    assert problem.expected == "declared variables only, got undeclared 'secret' in instruction"


@pytest.mark.parametrize(
    ("inserted", "expected"),
    [
        ("{{ recent_work|replace('a', 'b') }}", "got 'replace'"),
        ("{% set x = 1 %}", "got assign"),
        ("{{ recent_work.__class__ }}", "a member's name"),
        ("{{ recent_work() }}", "got call"),
        ("{% for %}", "got a syntax error"),
        ("{{ " + "(" * 900 + "1" + ")" * 900 + " }}", "nests at most"),
        ('{% include "nobody-listed-me" %}', "'nobody-listed-me' to be listed in includes"),
    ],
)
def test_forbidden_template_is_told_with_its_line(inserted: str, expected: str) -> None:
    """Filters, statements, attributes and includes beyond the short list are refused at their line."""
    text = changed("  {{ recent_work }}\n", f"  {{{{ recent_work }}}}\n  {inserted}\n")
    (problem,) = problems_of(text)
    assert expected in problem.expected
    assert problem.line in {line_of(text, inserted), line_of(text, "instruction: |") + 1}


def test_variable_in_a_fill_text_is_told_with_its_line() -> None:
    """The texts of `fill` are templates too, however deep they stand."""
    text = changed('evidence_ref: "{{ recent_work }}"', 'evidence_ref: "{{ nothing }}"')
    (problem,) = problems_of(text)
    assert (problem.line, "undeclared 'nothing' in fill.evidence_ref" in problem.expected) == (
        line_of(text, "nothing"),
        True,
    )


@pytest.mark.parametrize(
    ("extract", "expected"),
    [
        ("{extract: summary, from: nowhere, at_most: 2}", "the name of a text input in from"),
        ("{extract: summary, from: recent_work, at_most: 0}", "a whole number from 1 to 50 in at_most"),
        (
            "{extract: poem, from: recent_work, at_most: 2}",
            "the members extract: summary, from and at_most, and no others",
        ),
        ("{extract: summary, from: recent_work}", "the members extract: summary, from and at_most, and no others"),
    ],
)
def test_extract_form_is_checked(extract: str, expected: str) -> None:
    """What is extracted, from which input and how much of it is checked before a device meets it."""
    (problem,) = problems_of(changed('evidence_ref: "{{ recent_work }}"', f"evidence_ref: {extract}"))
    assert problem.expected == expected


def test_bad_input_declaration_is_told_at_its_input() -> None:
    """An input that a device could not check is refused at its line, each of them."""
    text = changed("maxLength: 60\n", "maxLength: 60\n      minimum: 3\n").replace(
        "required: [recent_work]", "required: [work]"
    )
    found = problems_of(text)
    assert [p.expected for p in found] == [
        "a declared input in inputs.required, got 'work'",
        "no 'minimum' in 'first_name'",
    ]
    assert found[1].line == line_of(text, "first_name:")


@pytest.mark.parametrize(
    "bad",
    [
        "type: objekt",
        "type: array",
        'type: object\n  $ref: "https://example.org/x"',
        'type: object\n  $dynamicRef: "https://example.org/x"',
        'type: object\n  $ref: "#/$defs/nothing"',
        'type: object\n  $ref: "#"',
        'type: object\n  propertyNames: {pattern: "["}',
    ],
)
def test_output_that_is_no_closed_schema_of_an_object_is_refused(bad: str) -> None:
    """The output is a JSON Schema of an object that refers to nothing outside."""
    assert any(
        p.line >= line_of(SCRIPT, "output:")
        for p in problems_of(changed("output:\n  type: object", f"output:\n  {bad}"))
    )


def test_template_in_a_plain_text_is_refused() -> None:
    """Disclosure and fallback are shown as they stand, so a template there is a mistake."""
    (problem,) = problems_of(
        changed("fallback: Think", "fallback: '{{ recent_work }} Think").replace("this time?\nmax", "this time?'\nmax")
    )
    assert "plain text" in problem.expected


def test_unused_include_is_told() -> None:
    """An include that is listed but not used is a mistake, and told."""
    (problem,) = problems_of(changed("includes: [", "includes: [spare, "))
    assert problem.expected == "every include to be used, got 'spare' unused"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("", 1, "a document, got an empty file"),
        ("- a\n", 1, "members (name: value) at the top"),
        ("kind: include\nname: [\n", 3, "valid YAML"),
        ("kind: include\n\tname: x\n", 2, "valid YAML"),
        (INCLUDE + "name: again\n", 9, "member 'name' once, got it again"),
        (INCLUDE + "---\nkind: include\n", 9, "one document, got a second one"),
        ("kind: &k include\nname: *k\ntext: x\n", 1, "no anchor"),
        ("kind: !!python/object/apply:os.system ['true']\n", 1, "no tag"),
        ("kind: include\nname: x\ntext: !!binary aGk=\n", 3, "no tag"),
        ("kind: include\nname: 1.5\ntext: x\n", 2, "a whole number, or quotes around a text"),
        ("kind: include\nname: .nan\ntext: x\n", 2, "a whole number, or quotes around a text"),
        ("kind: include\nname: 99999999999999999999\ntext: x\n", 2, "a whole number up to 2^53 - 1"),
        ("kind: include\nname: x\ntext: a\u202eb\n", 3, "visible characters only, got U+202E"),
        ('kind: include\nname: x\ntext: "a\\u202eb"\n', 3, "visible characters only, got U+202E"),
        ('kind: include\nname: x\ntext: "\\ud800"\n', 3, "visible characters only, got U+D800"),
        ('kind: include\nname: x\ntext: "\\U00110000"\n', 1, "valid YAML"),
        ("kind: include\nname: x\ntext: a\x07b\n", 3, "visible characters only, got U+0007"),
        ("kind: include\nname: x\n[a, b]: c\ntext: y\n", 3, "plain text as the name of a member"),
        ("kind: include\nname: x\ntext:\n", 3, "text, got nothing, in text"),
        ("kind: include\nname: Not A Name\ntext: x\n", 2, "a name of lower-case letters"),
        ("kind: recipe\nname: x\n", 1, f"one of {_KINDS} in kind"),
        ("name: x\n", 1, f"one of {_KINDS} in kind"),
        ("kind: [prompt]\n", 1, "one of agreement"),
    ],
)
def test_bad_yaml_is_refused_with_its_line(text: str, line: int, expected: str) -> None:
    """Each way of writing what a reviewer or a device could read otherwise is refused where it stands."""
    found = problems_of(text)
    assert any(problem.line == line and expected in problem.expected for problem in found), found


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (INCLUDE.encode("utf-16"), "UTF-8 text, got UTF-16"),
        (INCLUDE.encode("utf-16-le"), "UTF-8 text, got UTF-16 or UTF-32"),
        (INCLUDE.encode("utf-32-be"), "UTF-8 text, got UTF-16 or UTF-32"),
        (INCLUDE.encode("utf-8-sig"), "UTF-8 text, got UTF-8 with a byte order mark"),
        (INCLUDE.replace("Welcome", "Grüße").encode("latin-1"), "UTF-8 text, got byte 0xfc, which is not"),
        (b"\x00\x01\x02\x03", "UTF-8 text, got UTF-16 or UTF-32"),
    ],
)
def test_other_encodings_are_named(data: bytes, expected: str) -> None:
    """UTF-8 without a mark is the only encoding; another is named, with the line where it shows."""
    (problem,) = problems_of(data)
    assert problem.expected == expected
    assert problem.line == (8 if b"\xfc" in data else 1)


def test_attack_ten_megabytes_are_refused_before_parsing() -> None:
    """A file beyond the cap costs nothing: it is refused before a byte of it is parsed."""
    data = b"kind: include\nname: x\ntext: " + b"a" * 10_000_000
    begin = time.perf_counter()
    (problem,) = problems_of(data)
    assert problem.expected == "at most 200000 bytes, got more"
    assert time.perf_counter() - begin < 0.1


def test_attack_alias_bomb_is_refused() -> None:
    """Aliases that would unfold to billions of members are refused, not unfolded."""
    bomb = "a: &a [x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
    )
    assert {"no anchor", "no alias: write the value out"} <= {
        problem.expected for problem in problems_of(bomb + INCLUDE)
    }


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_attack_deep_nesting_is_refused(opening: str) -> None:
    """A document nested thousands deep is refused without exhausting the stack."""
    assert problems_of("kind: " + opening * 5000)


def test_words_and_numbers_that_other_readers_guess_at_stay_text() -> None:
    """`no`, `on`, a date, a time and a number with a leading zero are what they look like: text."""
    document, _ = read_yaml(
        b"a: no\nb: on\nc: 2027-01-01\nd: 12:30:00\ne: 010\nf: 0x1F\ng: 1_000\nh: -3\ni: true\nj:\n", "x"
    )
    texts = {"a": "no", "b": "on", "c": "2027-01-01", "d": "12:30:00", "e": "010", "f": "0x1F", "g": "1_000"}
    assert document == {**texts, "h": -3, "i": True, "j": None}


def test_long_values_are_never_repeated() -> None:
    """Problems show no long text of the file: what stands in it may be somebody's."""
    secret = "nobody-should-read-this-" * 20
    text = changed("tier: R2", f"tier: {secret}").replace("max_tokens", f"{secret}: 1\nmax_tokens")
    assert all(len(str(problem)) < 250 for problem in problems_of(text))


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Whatever the bytes, the answer is a source or a list of problems, never another error."""
    try:
        problems = [parse_source(data, "x.yaml").path]
    except SourceError as error:
        problems = [str(problem) for problem in error.problems]
    assert problems
    assert all("\n" not in problem for problem in problems)


_MARKS = ["- ", "? ", ": ", "&a ", "*a ", "!t ", "{", "}", "[", "]", '"', "'", "\n", "  ", "#", ">\n", "\\u", "é", "\r"]
_WORDS = ["kind: include\n", "name: x\n", "text: >\n  a\n", "---\n", "...\n", "%YAML 1.1\n", "<<: ", "1e3", "~", "null"]
_FRAGMENTS = st.sampled_from(_MARKS + _WORDS)


@given(st.lists(_FRAGMENTS, max_size=30).map("".join))
def test_any_yaml_is_read_or_refused(text: str) -> None:
    """Pieces of YAML in any order are read, or refused with problems that name lines of the file."""
    lines = [1]
    try:
        parse_source(text.encode(), "x.yaml")
    except SourceError as error:
        lines = [problem.line for problem in error.problems]
    assert lines
    assert all(1 <= line <= len(re.split("\r\n|\r|\n", text)) for line in lines)


@given(st.dictionaries(st.text(st.characters(codec="utf-8", categories=["L", "N"]), max_size=8), st.integers(-9, 9)))
def test_what_was_written_is_read(members: dict[str, int]) -> None:
    """Members come back as they were written."""
    text = "".join(f'"{name}": {value}\n' for name, value in members.items()) or "{}"
    assert read_yaml(text.encode(), "x") == (members, read_yaml(text.encode(), "x")[1])


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="no parser in C is installed: the one in Python reads all")
@pytest.mark.parametrize(
    "text",
    [
        SCRIPT,
        "a: >-\n  folded\n  text\n\n  more\nb: |+\n  kept\n\nc: 'it''s'\nd: \"\\u263A \\x41\\n\"\n",
        "a: [x, {y: z}, 'q']\n? long key\n: - 1\n  - ~\n  -\n# a comment\nb: &c d\ne: *c\nf: !t g\n",
        "a: überall – 1\r\nb:   two  \r\n\r\nc: word\n  goes on\n",
    ],
    ids=["script", "texts", "structures", "lines"],
)
def test_parser_in_c_reads_what_the_one_in_python_reads(text: str) -> None:
    """Which parser is installed makes no difference to what is read, nor to where it stands."""

    def events(loader: type[object]) -> list[tuple[object, ...]]:
        return [
            (
                type(one),
                *(getattr(one, name, None) for name in ("value", "anchor", "tag")),
                getattr(one, "style", None) or "",
                (one.start_mark.line, one.start_mark.column),
            )
            for one in yaml.parse(text, Loader=loader)  # type: ignore[arg-type]
            if isinstance(one, yaml.ScalarEvent | yaml.CollectionStartEvent | yaml.AliasEvent)
        ]

    assert events(yaml.CSafeLoader) == events(yaml.SafeLoader)


def test_library_refuses_a_name_given_twice(tmp_path: Path) -> None:
    """Two files that claim one name are refused, and both are named."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "greeting.yaml").write_text(INCLUDE)
    with pytest.raises(
        SourceError, match=r"b/greeting\.yaml:2: expected a name of its own, got that of a/greeting\.yaml"
    ):
        load_library(tmp_path)


def test_library_tells_the_problems_of_all_files(tmp_path: Path) -> None:
    """One reading tells everything that is wrong in a folder, whatever the file is called."""
    (tmp_path / "greeting.yaml").write_text(INCLUDE.replace("text:", "txt:"))
    (tmp_path / "other.yaml").write_text(INCLUDE)
    (tmp_path / "large.yml").write_bytes(b"#" * 10_000_000)
    with pytest.raises(SourceError) as caught:
        load_library(tmp_path)
    assert {problem.path for problem in caught.value.problems} == {"greeting.yaml", "other.yaml", "large.yml"}


def test_default_library_is_read_from_the_package() -> None:
    """The library that comes with the product is found as package data and is without problems."""
    names = {(source.kind, source.name) for source in default_library()}
    assert ("policy", "organisation") in names
    assert ("approval-rules", "approval-rules") in names
