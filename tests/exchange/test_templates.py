"""Templates there and back: what Handlebars is given means what Jinja would have said."""

from __future__ import annotations

import pytest
from hypothesis import assume, given

from control_plane.exchange import handlebars, handlebars_text, jinja
from control_plane.exchange.errors import Untranslatable
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.template import check_template, render
from tests.conftest import examples
from tests.exchange.scripts import NAMES, TEMPLATES

VALUES = (
    {"topic": "T", "minutes": 10, "role": "R", "json": "J", "steps": ["x", "y"], "done": True},
    {"topic": "", "minutes": 15, "role": "R", "json": "", "steps": [], "done": False},
    {"topic": "T", "minutes": 15, "role": "", "json": "J", "steps": ["z"], "done": False},
)


def rendered(template: str) -> list[str]:
    """Return what a template says for several values."""
    return [render(template, values) for values in VALUES]


@examples(60)
@given(TEMPLATES)
def test_there_and_back_says_the_same(template: str) -> None:
    """Jinja to Handlebars to Jinja renders the same text, byte for byte, or is refused with a line."""
    try:
        check_template(template, NAMES)
    except InvalidDocument:
        assume(False)
    try:
        written = handlebars_text.write(jinja.read(template))
    except Untranslatable:
        return
    back = jinja.write(handlebars.read(written).body)
    check_template(back, NAMES)
    assert rendered(back) == rendered(template), written


@examples(60)
@given(TEMPLATES)
def test_a_tree_of_jinja_is_written_as_it_was_read(template: str) -> None:
    """Reading what was written gives the same tree."""
    try:
        check_template(template, NAMES)
        tree = jinja.read(template)
    except InvalidDocument:
        assume(False)
    assert rendered(jinja.write(tree)) == rendered(template)


@pytest.mark.parametrize(
    ("there", "ours"),
    [
        ("Hi {{name}}{{#if style}} in {{style}}{{/if}}.", "Hi {{ name }}{% if style %} in {{ style }}{% endif %}."),
        ("a\n{{#if x}}\nb\n{{else}}\nc\n{{/if}}\nd", "a\n{% if x %}b\n{% else %}c\n{% endif %}d"),
        ("{{#unless x}}a{{/unless}}", "{% if not x %}a{% endif %}"),
        ("{{#if x}}a{{else if y}}b{{else}}c{{/if}}", "{% if x %}a{% elif y %}b{% else %}c{% endif %}"),
        ("{{#each xs}}{{this}}{{#unless @last}}, {{/unless}}{{/each}}",
         "{% for item in xs %}{{ item }}{% if not loop.last %}, {% endif %}{% endfor %}"),
        ("{{#each xs as |x|}}{{x}}{{../y}}{{/each}}", "{% for x in xs %}{{ x }}{{ y }}{% endfor %}"),
        ("{{#each xs}}{{#each ../ys}}{{../this}}{{this}}{{@root.z}}{{/each}}{{/each}}",
         "{% for item in xs %}{% for item1 in ys %}{{ item }}{{ item1 }}{{ z }}{% endfor %}{% endfor %}"),
        ('{{#ifEquals n 10}}a{{/ifEquals}}{{#unlessEquals s "b"}}c{{/unlessEquals}}',
         '{% if n == 10 %}a{% endif %}{% if s != "b" %}c{% endif %}'),
        ("a {{! no }}b{{!-- }} --}}c", "a bc"),
        ("a\n  {{! alone }}  \nb", "a\nb"),
        ("a  {{~x~}}  \n b", "a{{ x }}b"),
        (r"\{{x}} and \\{{x}}", '{{ "{" }}{x}} and \\{{ x }}'),
        ("{{>tone}}\nx", '{% include "tone" %}x'),
        ("{{this.role}}", "{{ role }}"),
        ("{{#each xs}}a{{else}}b{{/each}}", "{% if xs %}{% for item in xs %}a{% endfor %}{% else %}b{% endif %}"),
    ],
)  # fmt: skip
def test_what_handlebars_means(there: str, ours: str) -> None:
    """Each form of the subset, with the blanks that Handlebars takes away."""
    assert jinja.write(handlebars.read(there).body) == ours


@pytest.mark.parametrize(
    ("there", "line"),
    [
        ("a\n{{{x}}}", 2),
        ("{{&x}}", 1),
        ("\n\n{{#with x}}{{/with}}", 3),
        ("{{#x}}a{{/x}}", 1),
        ("{{^x}}a{{/x}}", 1),
        ("{{lookup x y}}", 1),
        ("{{history}}", 1),
        ('{{media url="https://x"}}', 1),
        ("{{json x}}", 1),
        ("{{@index}}", 1),
        ("{{#each xs}}{{@index}}{{/each}}", 1),
        ("{{#if (eq a b)}}x{{/if}}", 1),
        ("{{#if a}}x", 1),
        ("{{#if a}}x{{/each}}", 1),
        ("x{{/if}}", 1),
        ("{{../x}}", 1),
        ("{{this}}", 1),
        ("{{x", 1),
        ("{{> (lookup . 'x')}}", 1),
        ("  {{>tone}}\n", 1),
        ("{{#*inline 'x'}}{{/inline}}", 1),
        ("{{{{raw}}}}x{{{{/raw}}}}", 1),
        ("{{constructor.constructor 'x'}}", 1),
        ("{{else}}", 1),
        ("{{#if a}}" * 40, 1),
        ("{{" + "x" * 600 + "}}", 1),
    ],
)
def test_what_is_not_of_the_subset_is_refused_with_its_line(there: str, line: int) -> None:
    """Helpers, raw blocks, decorators, paths without meaning, blocks that do not end: nothing is guessed."""
    with pytest.raises(Untranslatable) as caught:
        handlebars.read(there)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("ours", "line"),
    [
        ("a\n{{ x|trim }}", 2),
        ("{% if x > 3 %}a{% endif %}", 1),
        ("{% for x in xs %}{{ loop.index }}{% endfor %}", 1),
        ("{% set x = 1 %}", 1),
        ("{{ x.y.z }}", 1),
        ("{{ 7 * 7 }}", 1),
        ("a {{{ x }}", 1),
        ("{% if x %}", 1),
    ],
)
def test_what_handlebars_cannot_say_is_refused_with_its_line(ours: str, line: int) -> None:
    """Filters, orders, positions, sums."""
    with pytest.raises(Untranslatable) as caught:
        handlebars_text.write(jinja.read(ours))
    assert caught.value.line == line


def test_attack_bodies_that_double() -> None:
    """`or` and `and` repeat their bodies; what would grow without end is refused."""
    body = "x" * 2000
    for _ in range(8):
        body = "{% if a or b %}" + body + "{% endif %}"
    with pytest.raises(Untranslatable, match="at most"):
        handlebars_text.write(jinja.read(body))
