"""Coaching texts with canaries in them: what people tell a coach, put together anew for each proof.

Promises: the place of every canary in every text is known; no text is the same in two proofs. Every canary is of a kind
that the product promises to cover: the app names it, or its form or the words beside it give it away; but for those of
which only the sense tells, where those are asked for.
Does not: imitate how people write; it is made to carry canaries through every route.
"""

from __future__ import annotations

import re
from random import Random

from audit.frozen import frozen, member
from edge_runtime.proving.canaries import KINDS, SENSE, WAYS, Canary, Maker, disguise, must_be_told

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
    ),
    "de": (
        "Ich habe mit {name} über das Gespräch am Donnerstag geredet, und es lief besser als gedacht.",
        "Wir haben vereinbart, dass {name} die Runde leitet, solange ich weg bin.",
        "Meine Kollegin {other name} hat in der Sitzung geweint.",
        "Der Start von {project} ist verspätet, und ich gebe mir die Schuld.",
        "Du kannst mir an {e-mail} schreiben, sobald die Notizen fertig sind.",
        "Meine Nummer ist {telephone}, ruf nach sechs an.",
        "Bitte bucht die Gebühr von {account} ab.",
        "Seit der Diagnose {health} bin ich mittags müde.",
        "Ich verdiene {salary} Euro brutto im Jahr.",
        "Geboren bin ich am {birth}.",
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


def write_corpus(count: int, random: Random, *, untold: bool = False) -> tuple[tuple[Text, ...], tuple[Canary, ...]]:
    """Return so many texts, and all the canaries; `untold`: of what only its sense tells, the app names nothing."""
    maker = Maker(random)
    return tuple(_Writer(maker, random, number, untold=untold).text() for number in range(count)), tuple(maker.made)


class _Writer:
    """Writes one text."""

    def __init__(self, maker: Maker, random: Random, number: int, *, untold: bool) -> None:
        self._maker = maker
        self._random = random
        self._number = number
        self._untold = untold
        self._language = "de" if number % 6 == 5 else "en"
        self._planted: list[Canary] = []
        self._places: list[Place] = []
        self._turns: list[str] = []

    def text(self) -> Text:
        """Return a text: every third is short, every fourth has a second turn, every twentieth is a crisis.

        Every eighth says a number in two turns, and every twelfth nothing personal at all: such a text may leave as it
        is, and what the app knows of the person may not go with it.
        """
        language, random = self._language, self._random
        crisis = self._number % 20 == 7
        if self._number % 12 == 4:
            self._planted += [self._maker.make("name"), self._maker.make("project")]
            self._turn(random.sample(_FILLERS[language], 3))
        else:
            sentences = random.sample(_SENTENCES[language], 1 if self._number % 3 == 0 else random.randint(3, 6))
            sentences[1:1] = random.sample(_FILLERS[language], min(2, len(sentences)))
            if crisis:
                sentences.insert(random.randrange(len(sentences) + 1), _CRISES[language])
            self._turn(sentences)
        if self._number % 4 == 1:
            self._turn([*random.sample(_SENTENCES[language], 2), _AGAIN[language]])
        if self._number % 8 == 2:
            self._halves()
        told = [canary for canary in self._planted if canary.told]
        names = tuple(canary.value for canary in told if canary.kind.endswith("name"))
        terms = tuple(canary.value for canary in told if not canary.kind.endswith("name"))
        return Text(tuple(self._turns), names, terms, tuple(self._places), crisis)

    def _turn(self, sentences: list[str]) -> None:
        pieces: list[str] = []
        for part in _SLOT.split(" ".join(sentences)):
            if part == "again":
                pieces.append(self._again(sum(map(len, pieces))))
            elif part in KINDS:
                pieces.append(self._new(part, sum(map(len, pieces))))
            else:
                pieces.append(part)
        self._turns.append("".join(pieces))

    def _new(self, kind: str, start: int) -> str:
        way = "plain" if self._untold and KINDS[kind] == SENSE else disguise(self._random)
        told = must_be_told(kind, way) and not (self._untold and KINDS[kind] == SENSE)
        canary = self._maker.make(kind, told=told)
        self._planted.append(canary)
        return self._placed(canary, WAYS[way](canary.value), start, way=way)

    def _again(self, start: int) -> str:
        """Return a detail of before once more: what was covered there is covered here, with no word to tell it by."""
        canary = self._random.choice(self._planted)
        way = disguise(self._random) if canary.told else "plain"
        return self._placed(canary, WAYS[way](canary.value), start, way=way)

    def _halves(self) -> None:
        """Write a number that the app named in two turns, half in each."""
        canary = self._maker.make("split number")
        self._planted.append(canary)
        for sentence, half in zip(_HALVES[self._language], canary.parts, strict=True):
            before, _, after = sentence.partition("{half}")
            self._turns.append(before + self._placed(canary, half, len(before), way="half") + after)

    def _placed(self, canary: Canary, written: str, start: int, *, way: str) -> str:
        self._places.append(Place(canary.number, len(self._turns), start, start + len(written), way))
        return written
