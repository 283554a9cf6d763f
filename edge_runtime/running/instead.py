"""The replies where no prompt runs: a person is asked to help, nothing is adopted yet, or the prompt was withdrawn.

Promises: none of them needs a model, and none sends anything; a hand-off leaves nothing behind but a count.
"""

from __future__ import annotations

from audit.frozen import replace
from edge_runtime.core.not_yet import not_yet_text
from edge_runtime.core.trust import TrustState, find_prompt
from edge_runtime.handover import handoff_for
from edge_runtime.receipts import Receipt
from edge_runtime.reply import Reply, without_run
from edge_runtime.running.replying import keep
from edge_runtime.running.talk import Talk

__all__ = ["hand_off", "not_adopted", "withdrawn"]


def hand_off(talk: Talk, prompt: str, situation: str) -> Reply:
    """Return the hand-off text; of the prompt only its name and version are looked up, if it has one."""
    talk.memory.handed_off = True
    state = talk.runtime.state
    entry = state.entries.get(("prompt", prompt)) if state else None
    receipt: Receipt | None = None
    problems: tuple[str, ...] = ()
    if state and entry:
        receipt, problems = keep(talk, state, entry, route="hand-off", outcome="handed-off")
    reply = without_run(prompt, entry, state, receipt=receipt, problems=problems)
    return replace(reply, text=handoff_for(state, locale=talk.locale, situation=situation))


def not_adopted(talk: Talk, prompt: str) -> Reply:
    """Return what there is to say before any release was adopted: nothing was read but for a crisis."""
    problem = "nothing is adopted on this device yet: call refresh() with a source that answers"
    reply = without_run(prompt, None, None, receipt=None, problems=(problem,))
    return replace(reply, text=not_yet_text(talk.locale), route="block", outcome="not-adopted")


def withdrawn(talk: Talk, prompt: str, state: TrustState) -> Reply:
    """Return the fallback text of a withdrawn prompt that nothing replaces."""
    entry = find_prompt(state, prompt)
    asked = talk.runtime.opened(entry, state)
    receipt, problems = keep(talk, state, entry, route="block", outcome="withdrawn")
    reply = without_run(prompt, entry, state, receipt=receipt, problems=problems)
    return replace(reply, text=asked.fallback, route="block", outcome="withdrawn", notice=asked.disclosure)
