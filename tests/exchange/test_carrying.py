"""Scripts there and back, and files of others: what is kept, what the loss report names, what is refused."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from control_plane.exchange.carrying import FORMATS, Carried, export_script, import_script
from control_plane.exchange.formats import Format
from control_plane.exchange.front import as_yaml, joined_file, split_file
from control_plane.sources.parsing import parse_source
from control_plane.sources.strict_yaml import SourceError, read_yaml
from edge_runtime.core.errors import InvalidDocument
from tests.conftest import examples
from tests.exchange.scripts import DOCUMENT, TEMPLATES, source
from tests.starter import LIBRARY

TODAY = date(2027, 1, 1)
FORMS = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)


def back(made: Carried | str, path: str = "") -> tuple[dict[str, Any], Carried]:
    """Return the document that a file is imported as, and the import."""
    text, name = (made.text, made.path) if isinstance(made, Carried) else (made, path)
    found = import_script(text.encode(), name, today=TODAY)
    return parse_source(found.text.encode(), found.path).document, found


def without_kept(made: Carried) -> str:
    """Return a file without what rides along in its metadata."""
    file = split_file(made.text.encode(), made.path)
    return joined_file({key: value for key, value in file.front.items() if key != "metadata"}, file.body)


@FORMS
def test_the_starter_library_there_and_back(form: Format) -> None:
    """Each script of the library comes back just as it was, whatever the format cannot hold."""
    scripts = [one for one in LIBRARY if one.kind in {"handoff", "prompt"} and "." not in one.name]
    assert len(scripts) > 5
    for one in scripts:
        document, found = back(export_script(one, LIBRARY, form))
        assert document == one.document
        assert [loss.what for loss in found.losses] == ["metadata.mentorplane"]


@FORMS
@examples(6)
@given(
    template=TEMPLATES,
    title=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40),
    data=st.data(),
)
def test_everything_but_what_the_report_names_comes_back(
    form: Format, template: str, title: str, data: st.DataObject
) -> None:
    """Also when the metadata is gone, each member that the loss report does not name is what it was."""
    changes = {"instruction": template.strip() + "\n", "title": title, "max_tokens": data.draw(st.integers(0, 32_000))}
    try:
        one = source(**changes)
    except SourceError:
        assume(False)
    try:
        made = export_script(one, (), form)
    except InvalidDocument:
        return
    document, _ = back(made)
    assert document == one.document
    bare, _ = back(without_kept(made), made.path)
    named = {loss.member for loss in made.losses}
    for member in set(DOCUMENT) - named:
        assert bare[member] == one.document[member], member


@FORMS
def test_what_somebody_changed_is_translated(form: Format) -> None:
    """A member that is no longer as it was written means what the file says; the others stay as they were kept."""
    made = export_script(source(), (), form)
    document, _ = back(made.text.replace("Say something about", "Ask about"), made.path)
    assert document == {**source().document, "instruction": "Ask about {{ topic }}.\n"}
    document, _ = back(made.text.replace("description: Start well.", "description: Begin."), made.path)
    assert document == {**source().document, "purpose": "Begin."}


@FORMS
def test_each_line_of_the_report_names_a_place(form: Format) -> None:
    """File, line, why, and what was done; each member of which the format knows nothing has its line."""
    made = export_script(source(), (), form)
    lines = as_yaml(source().document).splitlines()
    for loss in made.losses:
        assert re.fullmatch(r"scripts/opener\.yaml:\d+: .+: .+; .+", str(loss))
        if loss.what in DOCUMENT:
            assert lines[loss.line - 1].startswith(f"{loss.member}:")
    assert {"tier", "placement", "disclosure", "fill", "reply", "fallback"} <= {loss.member for loss in made.losses}


PROMPTY = """---
name: Customer Support
description: Answers questions
model:
  id: gpt-4o
  provider: openai
  connection:
    kind: key
    apiKey: ${env:OPENAI_API_KEY}
  options: {temperature: 0.7, maxOutputTokens: 800}
inputs:
  - name: question
    kind: string
    required: true
    example: Where is it?
  - name: score
    kind: float
  - name: conversation
    kind: thread
  - name: style
    kind: string
    default: ${file:style.txt}
  - firstName: Jane
outputs:
  - {name: answer, kind: string, required: true}
tools:
  - {name: x, kind: function}
template: jinja2
metadata: {authors: [me]}
---
system:
You answer {{ question }} for {{ customer }}.

user:
{{ question }}
"""
DOTPROMPT = """---
model: googleai/gemini-2.0-flash
config:
  temperature: 0.9
input:
  schema:
    location: string, where the guest is
    style?: string
    mood?(enum, how they feel): [GOOD, BAD]
    tags(array, list of tags): string
    count?: integer
    ratio?: number
    where?:
      city: string
  default:
    location: a restaurant
output:
  format: json
  schema:
    greeting: string, what to say
    items?(array):
      id: string
---
{{role "system"}}
You are at {{location}}.
{{role "user"}}
Greet a guest{{#if style}} in the style of {{style}}{{/if}}.
{{#each tags}}
- {{this}}
{{/each}}
"""


def test_a_prompty_of_somebody_else() -> None:
    """Its texts and contract come in; model, key, tools, threads and references do not, each with its line."""
    document, found = back(PROMPTY, "support.prompty")
    assert (document["name"], document["purpose"], document["max_tokens"]) == (
        "customer-support",
        "Answers questions",
        800,
    )
    assert document["instruction"] == "You answer {{ question }} for {{ customer }}.\n\n{{ question }}\n"
    inputs = document["inputs"]
    assert set(inputs["properties"]) >= {"customer", "question", "score", "style"}
    assert "conversation" not in inputs["properties"]
    assert inputs["required"] == ["question"]
    assert document["output"]["required"] == ["answer"]
    assert (document["tier"], document["placement"]) == ("R3", "device")
    assert "${" not in found.text
    report = "\n".join(map(str, found.losses))
    places = [(7, "model.connection"), (10, "model.options.temperature"), (15, "example"), (26, "tools")]
    for line, what in [*places, (29, "metadata.authors"), (34, "role marker user")]:
        assert f"support.prompty:{line}: {what}" in report, (what, report)
    for what in (
        "variable 'customer'",
        "thread input 'conversation'",
        "input 'score'",
        "default of input 'style'",
        "tier",
    ):
        assert what in report, what


def test_a_dotprompt_of_somebody_else() -> None:
    """Picoschema becomes a contract, Handlebars our subset, roles one text; each thing that is lost has its line."""
    document, found = back(DOTPROMPT, "greeting.prompt")
    assert document["name"] == "greeting"
    assert document["instruction"] == (
        "You are at {{ location }}.\n\nGreet a guest{% if style %} in the style of {{ style }}{% endif %}.\n"
        "{% for item in tags %}- {{ item }}\n{% endfor %}\n"
    )
    properties = document["inputs"]["properties"]
    assert properties["location"]["default"] == "a restaurant"
    assert properties["mood"]["enum"] == ["GOOD", "BAD"]
    assert properties["tags"] == {
        "type": "array", "description": "list of tags", "items": {"type": "string"}, "x-data-class": "R3"
    }  # fmt: skip
    assert document["inputs"]["required"] == ["location", "tags"]
    assert document["output"]["properties"]["items"]["items"]["properties"] == {"id": {"type": "string"}}
    report = "\n".join(map(str, found.losses))
    for line, what in [
        (2, "model"),
        (4, "config.temperature"),
        (12, "input 'ratio'"),
        (13, "input 'where'"),
        (26, "role user"),
    ]:
        assert f"greeting.prompt:{line}: {what}" in report, (what, report)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.prompt", "no front matter", "a.prompt:1: .*front matter"),
        ("a.prompt", "---\nname: x\n", "on a line of its own"),
        ("a.prompt", "---\nname: &a x\nb: *a\n---\nhi", "a.prompt:2: .*anchor"),
        ("a.prompt", "---\nname: !!python/object:os.system x\n---\nhi", "tag"),
        ("a.prompt", "---\nname: x\nname: y\n---\nhi", "a.prompt:3: .*once"),
        ("a.prompt", "---\nname: x\n---\nhi\n{{{x}}}", "a.prompt:5: "),
        ("a.prompt", "---\n---\n{{> https://evil.example/x}}", "a.prompt:3: .*partial"),
        ("a.prompty", "---\n---\nsystem:\n{% include 'x' %}", "a.prompty:[34]: "),
        ("a.prompty", "---\n---\nsystem:\n{{ ().__class__.__bases__ }}", "a.prompty:"),
        ("a.prompty", "---\ntemplate: mustache\n---\nhi", "jinja2"),
        ("a.prompty", "---\n---\nsystem:\n{{ x|tojson }}", "filter"),
    ],
)
def test_attack_files_that_would_do_something(name: str, text: str, expected: str) -> None:
    """References, tags, aliases, includes, filters and attributes are refused with file and line; nothing is run."""
    with pytest.raises(InvalidDocument, match=expected):
        import_script(text.encode(), name, today=TODAY)


def test_attack_a_file_without_end() -> None:
    """Bytes are capped before anything is parsed; other endings are no format."""
    with pytest.raises(SourceError, match="at most"):
        import_script(b"---\n---\n" + b"x" * 300_000, "a.prompt", today=TODAY)
    with pytest.raises(SourceError, match="UTF-8"):
        import_script(b"---\n---\n\xff", "a.prompt", today=TODAY)
    with pytest.raises(InvalidDocument, match="ends with"):
        import_script(b"---\n---\nx", "a.txt", today=TODAY)


def test_attack_what_would_be_a_role_or_a_reference_there() -> None:
    """A line that Prompty takes for a role, and `${…}`, which it would resolve, do not go out."""
    with pytest.raises(SourceError, match="role marker"):
        export_script(source(instruction="Hello\nuser:\n{{ topic }}\n"), (), FORMATS["prompty"])
    with pytest.raises(InvalidDocument, match="reference"):
        export_script(source(fallback="Your key is ${env:HOME}."), (), FORMATS["prompty"])


@FORMS
def test_marks_of_front_matter_within_texts_end_nothing(form: Format) -> None:
    """Programs that look for --- anywhere find it at the two ends alone."""
    made = export_script(source(purpose="a --- b +++ c", fallback="x\n---\ny"), (), form)
    front = made.text.split("\n---\n")[0]
    assert "---" not in front.removeprefix("---\n")
    assert "+++" not in front
    assert back(made)[0]["fallback"] == "x\n---\ny"


def test_attack_kept_members_that_are_no_script() -> None:
    """What rides along is checked as any file of an author's; seals that fit nothing change nothing."""
    made = export_script(source(), (), FORMATS["dotprompt"]).text
    with pytest.raises(SourceError, match="placement"):
        back(made.replace("placement: redacted", "placement: moon"), "opener.prompt")
    kept = re.sub(r"(body: sha256:)\w+", r"\g<1>" + "0" * 64, made)
    assert back(kept, "opener.prompt")[0] == source().document


SEEN = st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")) | st.sampled_from("\n\t -+#:'\"|")
WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), WHOLE, st.text(SEEN, max_size=12)),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text("abyn-", min_size=1, max_size=4), one, max_size=3),
    max_leaves=8,
)


@examples(50)
@given(st.dictionaries(st.sampled_from(["a", "b", "yes", "null", "1"]), JSON, min_size=1, max_size=3), st.booleans())
def test_yaml_that_is_written_reads_back(document: dict[str, Any], guarded: bool) -> None:
    """Whatever a document holds, the strict reader gives the same values back."""
    text = as_yaml(document, guarded=guarded)
    assume("\N{ZERO WIDTH SPACE}" not in text)
    assert read_yaml(text.encode(), "x")[0] == document
