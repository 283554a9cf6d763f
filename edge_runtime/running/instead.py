"""The replies where no prompt runs: a person is asked to help, nothing is adopted yet, or the prompt cannot be used.

Promises: none of them needs a model, and none sends anything; a hand-off waits for no file and no lock, and leaves
nothing behind but a count.
"""

from __future__ import annotations

from audit.frozen import replace
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.manifest import Entry
from edge_runtime.core.not_yet import not_yet_text
from edge_runtime.core.trust import TrustState, find_prompt
from edge_runtime.handover import handoff_for
from edge_runtime.reply import Reply, without_run
from edge_runtime.running.records import Wish
from edge_runtime.running.replying import keep
from edge_runtime.running.talk import Talk

__all__ = ["hand_off", "not_adopted", "unopened", "withdrawn"]


def hand_off(talk: Talk, wish: Wish, situation: str) -> Reply:
    """Return the hand-off text; of the prompt only its name and version are looked up, if it has one."""
    state = talk.runtime.state
    text = handoff_for(state, locale=talk.locale, situation=situation)
    talk.memory.heard.add(wish.inputs, text)
    talk.runtime.tallies.hand_offs.add_later()
    entry = state.entries.get(("prompt", wish.prompt)) if state else None
    return replace(without_run(wish.prompt, entry, state, receipt=None, problems=()), text=text)


def not_adopted(talk: Talk, prompt: str) -> Reply:
    """Return what there is to say before any release was adopted: nothing was read but for a crisis."""
    problem = "nothing is adopted on this device yet: call refresh() with a source that answers"
    reply = without_run(prompt, None, None, receipt=None, problems=(problem,))
    return replace(reply, text=not_yet_text(talk.locale), route="block", outcome="not-adopted")


def unopened(talk: Talk, entry: Entry, state: TrustState, *, problem: MentorplaneError) -> Reply:
    """Return what there is to say where the content of an approved prompt is missing, damaged or not to be read."""
    receipt, problems = keep(talk, state, entry, route="block", outcome="fallback")
    reply = without_run(entry.name, entry, state, receipt=receipt, problems=(str(problem), *problems))
    return replace(reply, text=not_yet_text(talk.locale), route="block", outcome="fallback")


def withdrawn(talk: Talk, prompt: str, state: TrustState) -> Reply:
    """Return the fallback text of a withdrawn prompt that nothing replaces."""
    entry = find_prompt(state, prompt)
    asked = talk.runtime.opened(entry, state)
    receipt, problems = keep(talk, state, entry, route="block", outcome="withdrawn")
    reply = without_run(prompt, entry, state, receipt=receipt, problems=problems)
    return replace(reply, text=asked.fallback, route="block", outcome="withdrawn", notice=asked.disclosure)
