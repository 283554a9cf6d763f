"""How a run begins: hear a crisis, find the prompt that runs, check and read the inputs, decide.

Promises: a crisis is heard before anything else, and is answered without a prompt; the runtime has rules of its own
that no policy can take away: what somebody says in a crisis, a text that gives orders to the assistant, one that the
model failed on, and a prompt of the person's own stay on this device, and a reply says so.
Does not: render, fill or ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.frozen import replace
from edge_runtime.core.contract import check_inputs
from edge_runtime.core.errors import InvalidDocument, MentorplaneError
from edge_runtime.core.manifest import Entry
from edge_runtime.core.pipeline import Situation, context_of, read_inputs
from edge_runtime.core.policy import Decision, Reason, Route
from edge_runtime.core.reader import Reading
from edge_runtime.core.tools import choose_tools
from edge_runtime.core.trust import TrustState, find_prompt, running
from edge_runtime.handover import crisis_in
from edge_runtime.reply import Reply
from edge_runtime.running import instead
from edge_runtime.running.own import require_carrier
from edge_runtime.running.reading import Reads
from edge_runtime.running.records import Run, Wish
from edge_runtime.running.talk import Talk

__all__ = ["assess", "begin"]

CRISIS_STAYS = Reason("runtime", "crisis-never-leaves", "what somebody says in a crisis stays on this device")
INJECTION_STAYS = Reason(
    "runtime", "orders-never-leave", "a text in which somebody seems to give the assistant orders stays on this device"
)
UNREAD_STAYS = Reason("runtime", "unread-stays", "what could not be read whole on this device does not leave it")
OWN_STAYS = Reason("runtime", "own-prompts-stay", "a prompt of your own runs on this device alone")


def begin(talk: Talk, wish: Wish) -> Run | Reply:
    """Return what a run works with, or the reply where no prompt runs.

    Raises:
        InvalidDocument: an input is missing, undeclared or mistyped, or a tool is not declared.
        NotTrusted: the release has no such prompt: nobody approved it.
    """
    read = Reads(talk)  # of this run alone: no text is kept
    situation = crisis_in(wish.inputs, read)
    if situation and not (wish.go_on and talk.memory.heard.is_all_of_crisis(wish.inputs, read)):
        return instead.hand_off(talk, wish, situation)
    state = talk.runtime.state  # one release for the whole run, whatever a refresh adopts meanwhile
    if state is None:
        return instead.not_adopted(talk, wish.prompt)
    name = talk.runtime.localised(wish.prompt, talk.locale, state)
    asked, entry = find_prompt(state, name), running(state, name)
    if (problem := _problem_of(talk, asked, entry, state=state)) is not None:
        return instead.unopened(talk, asked, state, problem=problem)
    if entry is None or not _takes(talk, wish, asked, entry=entry, state=state):
        return instead.withdrawn(talk, name, state)
    run = assess(talk, wish, state, read=read, crisis=bool(situation))
    return replace(run, instead_of="" if entry.name == name else name)


def _problem_of(talk: Talk, asked: Entry, entry: Entry | None, *, state: TrustState) -> MentorplaneError | None:
    """Return why an approved prompt cannot be opened on this device, none if it can; so with what runs instead."""
    runtime = talk.runtime
    try:
        runtime.opened(asked, state)
        if entry is not None:
            runtime.policy_for(runtime.opened(entry, state).name, talk.at_most, state)
    except MentorplaneError as error:
        return error
    return None


def _takes(talk: Talk, wish: Wish, asked: Entry, *, entry: Entry, state: TrustState) -> bool:
    """Return whether what runs for a prompt takes inputs that fit the prompt itself, as people checked it does."""
    if entry.name == asked.name:
        return True
    original = talk.runtime.opened(asked, state)
    check_inputs(original.inputs, wish.inputs)
    choose_tools(original.tools, wish.tools)
    try:
        replacing = talk.runtime.opened(entry, state)
        check_inputs(replacing.inputs, wish.inputs)
        choose_tools(replacing.tools, wish.tools)
    except InvalidDocument:
        return False
    return True


def assess(talk: Talk, wish: Wish, state: TrustState, *, read: Reads | None = None, crisis: bool | None = None) -> Run:
    """Check and read the inputs, and decide.

    Args:
        talk: the conversation.
        wish: what is asked for.
        state: the release.
        read: reads the inputs; if none, a model that fails is an error.
        crisis: whether one was heard in the inputs; none: nobody listened yet.

    Raises:
        InvalidDocument: an input is missing, undeclared or mistyped, or a tool is not declared.
        NotTrusted: there is no such approved prompt.
    """
    reads = read or Reads(talk)
    read_one = reads if read else reads.whole
    runtime = talk.runtime
    approved = runtime.prompt(runtime.localised(wish.prompt, talk.locale, state), state)
    if wish.own:
        require_carrier(approved)
    values = check_inputs(approved.inputs, wish.inputs)
    tools = choose_tools(approved.tools, wish.tools)
    readings = read_inputs(approved, values, read_one)
    situation = Situation(
        consents=talk.consents,
        agreement=talk.agreement,
        capabilities=runtime.capabilities() | wish.capabilities,
        staleness=runtime.staleness(),
        ai_streak=talk.streak(),
    )
    context = context_of(approved, readings.values(), situation=situation, vocabulary=state.policy.vocabulary)
    decision = runtime.policy_for(approved.name, talk.at_most, state).decide(context)
    in_crisis = bool(crisis_in(wish.inputs, read_one)) if crisis is None else crisis
    for reason in _own_rules(wish, readings, crisis=in_crisis, unread=reads.failed):
        decision = _kept_here(decision, reason)
    return Run(
        state,
        find_prompt(state, approved.name),
        approved,
        values=values,
        readings=readings,
        decision=decision,
        read=reads.whole,
        tools=tools,
        in_crisis=in_crisis,
    )


def _own_rules(wish: Wish, readings: Mapping[str, Reading], *, crisis: bool, unread: bool) -> tuple[Reason, ...]:
    """Return the rules of the runtime itself that hold."""
    orders = any(reading.labels.injection for reading in readings.values())
    held: Mapping[Reason, Any] = {
        CRISIS_STAYS: crisis,
        INJECTION_STAYS: orders,
        OWN_STAYS: wish.own,
        UNREAD_STAYS: unread,
    }
    return tuple(reason for reason, holds in held.items() if holds)


def _kept_here(decision: Decision, reason: Reason) -> Decision:
    """Return the decision with one more rule, which allows no more than this device."""
    if decision.errors or decision.route < Route.DEVICE:
        return decision
    others = decision.rules if decision.route is Route.DEVICE else ()
    return replace(decision, route=Route.DEVICE, rules=tuple(sorted({*others, reason})))
