"""Scripts for tests of importing and exporting: one to change, and a strategy of many."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from control_plane.exchange.front import as_yaml
from control_plane.sources.parsing import Source, parse_source
from edge_runtime.core.prompt import FORMAT

NAMES = ("topic", "minutes", "role", "json", "steps", "done")
DOCUMENT: dict[str, Any] = {
    "kind": "prompt",
    "format": FORMAT,
    "name": "opener",
    "title": "Open a session",
    "purpose": "Start well.",
    "target_behaviour": "The learner says what they did.",
    "tier": "R2",
    "placement": "redacted",
    "locale": "en",
    "owner": "learning-designer",
    "review_by": "2027-05-31",
    "audience": ["mentor"],
    "competencies": ["presence"],
    "session_types": ["micro-session"],
    "disclosure": "You use an AI assistant.",
    "inputs": {
        "type": "object",
        "additionalProperties": False,
        "required": ["topic"],
        "properties": {
            "topic": {"type": "string", "title": "Topic", "maxLength": 160, "x-data-class": "R2"},
            "minutes": {"type": "integer", "enum": [10, 15], "default": 15, "x-data-class": "R0"},
            "role": {"type": "string", "x-data-class": "R1"},
            "json": {"type": "string", "x-data-class": "R1"},
            "steps": {"type": "array", "items": {"type": "string"}, "x-data-class": "R1"},
            "done": {"type": "boolean", "x-data-class": "R0"},
        },
    },
    "output": {
        "type": "object",
        "additionalProperties": False,
        "required": ["message"],
        "properties": {"message": {"type": "string", "minLength": 1}},
    },
    "instruction": "Say something about {{ topic }}.\n",
    "fill": {"message": "You did {{ topic }}."},
    "reply": "{{ message }}",
    "fallback": "Think about one piece of work.",
    "max_tokens": 100,
}


def source(**changes: Any) -> Source:
    """Return the script with some members changed."""
    document = {**DOCUMENT, **changes}
    return parse_source(as_yaml(document).encode(), f"scripts/{document['name']}.yaml")


PLAIN = st.text(st.sampled_from("ab {}\\\"'\n\t#%-~!&ü.|"), max_size=8)
TAGS = st.sampled_from(["{{ topic }}", "{{ role }}", "{{ json }}", "{{ minutes }}"])


def _block(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    conditions = st.sampled_from(
        [
            "topic",
            "not done",
            "minutes == 10",
            "minutes != 15",
            "topic and done",
            "topic or role",
            "not (topic or done)",
        ]
    )
    ifs = st.builds("{{% if {} %}}{}{{% endif %}}".format, conditions, inner)
    elses = st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, conditions, inner, inner)
    loops = st.builds(
        "{{% for s in steps %}}{}{{{{ s }}}}{{% if loop.last %}}!{{% endif %}}{{% endfor %}}".format, inner
    )
    return st.one_of(ifs, elses, loops, st.builds("{}{}".format, inner, inner))


TEMPLATES = st.recursive(st.one_of(PLAIN, TAGS), _block, max_leaves=6)
"""Templates of our subset, with marks in their texts that mean something to Handlebars or Jinja."""
