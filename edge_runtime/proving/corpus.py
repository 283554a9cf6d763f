"""Coaching texts with canaries in them: what people tell a coach, put together anew for each proof.

Promises: the place of every canary in every text is known; no text is the same in two proofs.
Does not: imitate how people write; it is made to carry canaries through every route, not to measure a reader.
"""

from __future__ import annotations

import re
from random import Random

from audit.frozen import frozen, member
from edge_runtime.proving.canaries import Canary, Maker, disguise

__all__ = ["Place", "Text", "write_corpus"]

_SENTENCES = {
    "en": (
        "I spoke with {name} about the review on Thursday, and it went better than I had feared.",
        "{name} said that I interrupt people, and I agreed to write down three examples by Friday.",
        "We agreed that {name} will lead the stand-up while I am away.",
        "My colleague {other name} cried in the meeting, and I did not know what to say.",
        "I think that {other name} wants my job, and it keeps me awake.",
        "The launch of {project} is late, and I feel it is my fault.",
        "Nobody outside the team may know about {project} before June.",
        "You can write to me at {e-mail} once the notes are done.",
        "I will send the draft to {e-mail} by Wednesday.",
        "My number is {telephone}, call me after six.",
        "If it gets worse I can be reached on {telephone}.",
        "Please have the course fee paid from {account} this month.",
        "I gave them my account, {account}, and nothing has come back yet.",
        "My card {card} was charged twice for the workshop.",
        "The feedback form is at {link} and everybody can read it.",
        "I live at {address}, so the early shift is hard for me.",
        "Since I was diagnosed with {health} I have been tired by noon.",
        "I have not told my manager about the {health}, and I do not want to.",
        "I earn £{salary} a year, and the new colleague is paid more.",
        "They offered me a salary of £{salary} and I did not dare to ask for more.",
        "I was born on {birth}, so I am the oldest in the room.",
        "My passport number is {identity number}, they need it for the trip.",
        "What I never said aloud is the word {remark}, and it matters to me.",
        "Between us we call that habit {remark}.",
    ),
    "de": (
        "Ich habe mit {name} über das Gespräch am Donnerstag geredet, und es lief besser als gedacht.",
        "Wir haben vereinbart, dass {name} die Runde leitet, solange ich weg bin.",
        "Meine Kollegin {other name} hat in der Sitzung geweint.",
        "Der Start von {project} ist verspätet, und ich gebe mir die Schuld.",
        "Du kannst mir an {e-mail} schreiben, sobald die Notizen fertig sind.",
        "Meine Nummer ist {telephone}, ruf nach sechs an.",
        "Bitte bucht die Gebühr von {account} ab.",
        "Ich wohne in der Nähe von {address}.",
        "Seit der Diagnose {health} bin ich mittags müde.",
        "Ich verdiene {salary} Euro brutto im Jahr.",
        "Geboren bin ich am {birth}.",
        "Unter uns nennen wir diese Gewohnheit {remark}.",
    ),
}
_FILLERS = {
    "en": (
        "The week was long.",
        "I want to ask more open questions.",
        "I was proud of how I listened.",
        "Next time I will pause before I answer.",
        "The talk was good.",
        "I agreed to block an hour for it on Monday.",
    ),
    "de": ("Die Woche war lang.", "Ich möchte mehr offene Fragen stellen.", "Das Gespräch war gut."),
}
_CRISES = {"en": "I do not want to live any more.", "de": "Ich will nicht mehr leben."}
_AGAIN = {"en": "As I said last time: {again}.", "de": "Wie ich schon sagte: {again}."}
_HALVES = {
    "en": ("The first half of it is {half}.", "And the rest is {half}."),
    "de": ("Zuerst {half}.", "Dann {half}."),
}
_SLOT = re.compile(r"\{([a-z -]+)\}")


@frozen
class Place:
    """Where a canary stands in a turn of a text (code points, end excluded), and how it is written there."""

    canary: int
    turn: int
    start: int
    end: int
    way: str


@frozen
class Text:
    """What one person says in one session, turn by turn; the names and terms that the app knows; what was planted."""

    turns: tuple[str, ...] = member(repr=False)
    names: tuple[str, ...] = member(repr=False)
    terms: tuple[str, ...] = member(repr=False)
    places: tuple[Place, ...]
    crisis: bool = False

    @property
    def canaries(self) -> frozenset[int]:
        """The numbers of the canaries in it."""
        return frozenset(place.canary for place in self.places)


def write_corpus(count: int, random: Random) -> tuple[tuple[Text, ...], tuple[Canary, ...]]:
    """Return so many texts, and all the canaries in them."""
    maker = Maker(random)
    return tuple(_Writer(maker, random, number).text() for number in range(count)), tuple(maker.made)


class _Writer:
    """Writes one text."""

    def __init__(self, maker: Maker, random: Random, number: int) -> None:
        self._maker = maker
        self._random = random
        self._number = number
        self._language = "de" if number % 6 == 5 else "en"
        self._planted: list[Canary] = []
        self._places: list[Place] = []
        self._turns: list[str] = []

    def text(self) -> Text:
        """Return a text: every third is short, every fourth has a second turn, every twentieth is a crisis."""
        language, random = self._language, self._random
        crisis = self._number % 20 == 7
        sentences = random.sample(_SENTENCES[language], 1 if self._number % 3 == 0 else random.randint(3, 6))
        sentences[1:1] = random.sample(_FILLERS[language], min(2, len(sentences)))
        if crisis:
            sentences.insert(random.randrange(len(sentences) + 1), _CRISES[language])
        self._turn(sentences)
        if self._number % 4 == 1:
            self._turn([*random.sample(_SENTENCES[language], 2), *self._again()])
        if self._number % 8 == 2:
            self._halves()
        told = [canary for canary in self._planted if canary.guard == "told"]
        names = tuple(canary.value for canary in told if canary.kind == "name")
        terms = tuple(canary.value for canary in told if canary.kind == "project")
        return Text(tuple(self._turns), names, terms, tuple(self._places), crisis)

    def _turn(self, sentences: list[str]) -> None:
        pieces: list[str] = []
        for part in _SLOT.split(" ".join(sentences)):
            length = sum(map(len, pieces))
            if part in _NAMES_OF_SLOTS:
                canary = self._canary(part)
                way, written = disguise(canary, self._random)
                self._places.append(Place(canary.number, len(self._turns), length, length + len(written), way))
                pieces.append(written)
            else:
                pieces.append(part)
        self._turns.append("".join(pieces))

    def _canary(self, slot: str) -> Canary:
        if slot == "again":
            return self._random.choice([one for one in self._planted if one.guard != "text"])
        if slot == "half":
            return self._planted[-1]
        canary = self._maker.make(slot)
        self._planted.append(canary)
        return canary

    def _again(self) -> list[str]:
        """Return a sentence that says a detail of the first turn once more, if there was one."""
        return [_AGAIN[self._language]] if any(canary.guard != "text" for canary in self._planted) else []

    def _halves(self) -> None:
        """Write an account number in two turns, half in each: no reader of a turn can know it for one."""
        compact = Maker(self._random).make("account").value.replace(" ", "")
        for sentence, half in zip(_HALVES[self._language], (compact[:11], compact[11:]), strict=True):
            self._planted.append(self._maker.make("half a number", half))
            self._turn([sentence])


_NAMES_OF_SLOTS = frozenset(
    {"again", "half", *(slot for sentences in _SENTENCES.values() for s in sentences for slot in _SLOT.findall(s))}
)
