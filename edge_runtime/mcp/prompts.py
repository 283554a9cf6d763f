"""Approved prompts for an MCP client: what is offered, and what of a prompt is handed over for somebody's inputs.

Promises:
1. A client may hand on whatever it gets, to a model anywhere. So nothing that was typed goes to it but what the policy
   discloses for these very inputs, covered and delimited; where the policy says `device`, not even covered text does.
2. A crisis is heard first, and answered with the approved text that leads to a person.
3. Only what somebody started as a client that stays on this machine (`local`) gets the finished text of a script.
4. What runs is named by version and digest. What is listed is live: a withdrawn prompt is gone at the next look.

Does not: call a model, restore or check what the client's own model answers. Source: docs/adr/0037.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from audit.frozen import frozen, member
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import Input
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.locales import language_of
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.trust import running
from edge_runtime.reply import Reply
from edge_runtime.runtime import EdgeRuntime
from edge_runtime.session import Session
from edge_runtime.typed import typed_for

__all__ = ["Argument", "Handed", "Offered", "Prompts"]

PAGE = 100
"""How many prompts a client is told of at once: each is opened and verified first."""
FIXED = frozenset({"blocked", "fallback", "handed-off", "not-adopted", "withdrawn"})
"""Outcomes whose text is an approved or compiled one: nothing of a person is in it."""

_KEPT = {
    "de": "Mit diesen Angaben läuft dieses Skript nur auf dem Gerät selbst. Von dem, was eingegeben wurde, ging nichts "
    "weiter. Es lässt sich in der Coaching-App auf diesem Gerät ausführen.",
    "en": "With these inputs this script runs on the device itself only. Nothing of what was typed has been handed on. "
    "It can be run in the coaching app on this device.",
    "es": "Con estos datos, este guion solo funciona en el propio dispositivo. No se ha transmitido nada de lo "
    "escrito. Puede ejecutarse en la aplicación de acompañamiento de este dispositivo.",
    "fr": "Avec ces données, ce script ne fonctionne que sur l’appareil lui-même. Rien de ce qui a été saisi n’a été "
    "transmis. Il peut être lancé dans l’application d’accompagnement de cet appareil.",
}


@frozen
class Argument:
    """An input as a client sees it: MCP knows texts only."""

    name: str
    title: str
    description: str
    required: bool
    choices: tuple[str, ...]


@frozen
class Offered:
    """A prompt as a client lists it."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    meta: JsonObject


@frozen
class Handed:
    """What a client gets for a prompt: for its model (`user`), or for the person to read (`assistant`)."""

    text: str = member(repr=False)
    role: Literal["user", "assistant"]
    description: str
    meta: JsonObject


class Prompts:
    """The prompts of one person's session.

    `local`: the client and whatever model it uses stay on this machine.
    """

    def __init__(self, edge: EdgeRuntime, session: Session, *, local: bool, locale: str) -> None:
        self._edge = edge
        self._session = session
        self._local = local
        self._locale = locale

    def offered(self, after: str = "", *, at_most: int = PAGE) -> tuple[tuple[Offered, ...], str]:
        """Return a page of the prompts that may run now, by name, and after which name the next one begins, if any."""
        names = sorted(name for name in self._edge.prompts() if name > after)
        page = names[:at_most]
        return tuple(self._offered(page)), page[-1] if len(names) > at_most else ""

    def _offered(self, names: Iterable[str]) -> Iterator[Offered]:
        for name in names:
            try:
                yield self._offer(name)
            except MentorplaneError:
                continue  # withdrawn or damaged since it was listed: it is not offered

    def _offer(self, name: str) -> Offered:
        state = self._edge.trusted()
        approved, entry = self._edge.prompt(name, state), running(state, name)
        declared = sorted(approved.inputs.inputs.values(), key=lambda one: not one.required)
        arguments = tuple(_argument(approved, one) for one in declared)
        version = {"version": entry.epoch, "digest": entry.digest} if entry else {}
        told = ("tier", "placement", "locale", "disclosure")
        meta = {**version, "release": state.manifest.number, **{name: getattr(approved, name) for name in told}}
        return Offered(name, approved.title, approved.purpose, arguments, meta)

    def choices(self, prompt: str, argument: str, begun: str) -> tuple[str, ...]:
        """Return the approved values of an argument that begin as somebody began it.

        Raises:
            NotTrusted: there is no such approved prompt.
        """
        declared = self._edge.prompt(prompt).inputs.inputs.get(argument)
        named = _choices(declared) if declared else ()
        return tuple(choice for choice in named if choice.casefold().startswith(begun.casefold()))

    def get(self, name: str, texts: Mapping[str, str], *, go_on: bool = False) -> Handed:
        """Return what a client gets for a prompt and what somebody typed.

        Args:
            name: of an approved prompt.
            texts: its declared inputs.
            go_on: the person has seen the text that leads to a person, and chooses to go on.

        Raises:
            InvalidDocument: an input is missing, undeclared or of another form.
            NotTrusted: there is no such approved prompt.
        """
        inputs = typed_for(self._edge, name, texts)
        if self._local:
            reply = self._session.run(name, inputs, go_on=go_on)
            return Handed(reply.text, "assistant", reply.notice, _about(reply))
        reply = self._session.hand_over(name, inputs, go_on=go_on)
        if reply.disclosure is not None:
            return Handed(str(reply.disclosure), "user", reply.notice, _about(reply))
        text = reply.text if reply.outcome in FIXED else _KEPT.get(language_of(self._locale), _KEPT["en"])
        return Handed(text, "assistant", reply.notice, _about(reply))


def _about(reply: Reply) -> JsonObject:
    """Return what the host may show beside a text: nothing that was typed is in it."""
    told = reply.as_json()
    shown = ("route", "outcome", "release", "findings", "reasons", "obligations", "receipt", "problems")
    return {"prompt": reply.prompt, "digest": reply.version, **{name: told[name] for name in shown}}


def _argument(prompt: Prompt, declared: Input) -> Argument:
    said = prompt.inputs.schema["properties"][declared.name]
    title = said.get("title", declared.name)
    parts = [said.get("description", title), *_form(declared)]
    return Argument(
        declared.name, title, description="; ".join(parts), required=declared.required, choices=_choices(declared)
    )


def _form(declared: Input) -> Iterator[str]:
    """Yield what a person must know of the form of an input."""
    if declared.choices:
        yield "one of " + ", ".join(_choices(declared))
    elif declared.type == "array":
        yield "one on each line"
    elif declared.type == "boolean":
        yield "true or false"
    elif declared.type == "integer":
        yield "a whole number"


def _choices(declared: Input) -> tuple[str, ...]:
    if declared.type == "boolean":
        return ("true", "false")
    return tuple(map(str, declared.choices))
