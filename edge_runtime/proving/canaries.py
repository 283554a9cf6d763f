"""Canaries: values that nobody ever wrote before, of the kinds that people tell a coach, and disguises for them.

Promises: drawn from a random source for each proof, so nothing can be made to know them; numbers have valid
checksums, or no reader would take them for what they say they are; no two of one proof are alike.
Does not: belong to anybody: names and words are put together from syllables, numbers are drawn.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from random import Random

from audit.frozen import frozen, member

__all__ = ["FORM", "KINDS", "SENSE", "TOLD", "WAYS", "Canary", "Maker", "disguise", "must_be_told"]

TOLD, FORM, SENSE = "told", "form", "sense"
"""What stands between a canary and the cloud where covered text may leave.

`told`: the app named it, so it is covered. `form`: its form, its checksum or the words beside it give it away, so it is
covered. `sense`: only its sense tells, so a model may miss it, unless the app named it.
"""
KINDS = {
    "name": TOLD,
    "project": TOLD,
    "split number": TOLD,
    "e-mail": FORM,
    "telephone": FORM,
    "account": FORM,
    "card": FORM,
    "link": FORM,
    "address": FORM,
    "salary": FORM,
    "birth": FORM,
    "identity number": FORM,
    "other name": SENSE,
    "health": SENSE,
}
"""What is planted, and what stands before it where the app does not name it."""

_HEADS = "ba be bra bro da dre du fa fe flo ga gle gra ha je ka kle kra la le lo ma mi mo na ne no pa pre qua ra re ro"
_BODIES = "bel den dor fan gar kel lam lin mar mon nal ner pol ran sel ser tan tar tel vel ver vin vor wen zan zel zor"
_ENDS = "ak and ard ek en eth eva ia iel ik in ira ith ok on ora osh ov ula una us yn"


@frozen
class Canary:
    """One value. `parts` are the pieces of it that count as much as the whole; `told`: the app names it."""

    number: int
    kind: str
    value: str = member(repr=False)
    parts: tuple[str, ...] = member(repr=False, default=())
    told: bool = False

    @property
    def guard(self) -> str:
        """What stands between it and the cloud."""
        return TOLD if self.told else KINDS[self.kind]


class Maker:
    """Makes canaries, none twice, and none that stands within another."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._taken: set[str] = set()
        self._pieces: set[str] = set()
        self.made: list[Canary] = []

    def make(self, kind: str, *, told: bool = False) -> Canary:
        """Return a new canary of a kind."""
        value = _MAKERS[kind](self)
        while value in self._taken:
            value = _MAKERS[kind](self)
        self._taken.add(value)
        whole = told and kind == "address"  # a term counts as a whole: where one word was covered, others may stay
        parts = _PARTS_OF[kind](value) if kind in _PARTS_OF and not whole else ()
        canary = Canary(len(self.made), kind, value, parts, told=told or KINDS[kind] == TOLD)
        self.made.append(canary)
        return canary

    def word(self) -> str:
        """Return a word of no language that shares no eight letters in a row with another one of this maker."""
        draw, bodies = self._random.choice, _BODIES.split()
        while True:
            word = draw(_HEADS.split()) + "".join(self._random.choices(bodies, k=3)) + draw(_ENDS.split())
            pieces = {word[at : at + 8] for at in range(len(word) - 7)}
            if self._pieces.isdisjoint(pieces):
                self._pieces |= pieces
                return word

    def number(self, least: int, most: int) -> int:
        """Return a number between these, both included."""
        return self._random.randint(least, most)

    def digits(self, count: int) -> str:
        """Return so many digits, the first no zero."""
        return str(self.number(10 ** (count - 1), 10**count - 1))

    def choice(self, *among: str) -> str:
        """Return one of them."""
        return self._random.choice(among)


def _name(maker: Maker) -> str:
    return f"{maker.word().title()} {maker.word().title()}"


def _account(maker: Maker) -> str:
    number = maker.digits(18)
    check = 98 - int(f"{number}131400") % 97  # ISO 13616: D is 13, E is 14
    compact = f"DE{check:02}{number}"
    return " ".join(compact[start : start + 4] for start in range(0, len(compact), 4))


def _card(maker: Maker) -> str:
    number = "4" + maker.digits(14)
    total = sum(sum(divmod(int(digit) * (2 - at % 2), 10)) for at, digit in enumerate(number))
    number += str(-total % 10)
    return " ".join(number[start : start + 4] for start in range(0, 16, 4))


def _birth(maker: Maker) -> str:
    return f"{maker.number(1, 28):02}.{maker.number(1, 12):02}.{maker.number(1950, 2005)}"


_MAKERS: dict[str, Callable[[Maker], str]] = {
    "name": _name,
    "other name": _name,
    "project": lambda m: f"Project {m.word().title()}",
    "e-mail": lambda m: f"{m.word()}.{m.word()}@{m.word()}.example",
    "telephone": lambda m: f"+44 7{m.choice('4', '5', '7', '8', '9')}{m.digits(2)} {m.digits(6)}",
    "account": _account,
    "card": _card,
    "link": lambda m: f"https://{m.word()}.example/{m.word()}",
    "address": lambda m: f"{m.digits(2)} {m.word().title()} Street, {m.word().title()}",
    "health": lambda m: f"{m.word()}{m.choice('itis', 'osis', 'emia')}",
    "salary": lambda m: f"{m.digits(3)},{m.digits(3)}.{m.digits(2)}",
    "birth": _birth,
    "identity number": lambda m: f"{m.choice('C', 'F', 'K')}{m.digits(8)}{m.choice('D', 'P', 'X')}",
    "split number": lambda m: _account(m).replace(" ", ""),
}


def _words(value: str) -> tuple[str, ...]:
    return tuple(value.split())


_PARTS_OF: dict[str, Callable[[str], tuple[str, ...]]] = {
    "name": _words,
    "other name": _words,
    "split number": lambda value: (value[: len(value) // 2], value[len(value) // 2 :]),
    "e-mail": lambda value: (value.partition("@")[0],),
    "telephone": lambda value: (value.removeprefix("+44 "),),
    "link": lambda value: tuple(value.removeprefix("https://").replace(".example", "").split("/")),
    "address": lambda value: tuple(word for word in value.replace(",", "").split() if len(word) > 8),
    "project": lambda value: (value.removeprefix("Project "),),
}


def _coded(code: Callable[[int], str]) -> Callable[[str], str]:
    return lambda value: "".join(code(ord(character)) for character in value)


WAYS: dict[str, Callable[[str], str]] = {
    "plain": lambda value: value,
    "capitals": str.upper,
    "full width": _coded(lambda c: chr(c + 0xFEE0) if 0x21 <= c <= 0x7E else chr(c)),
    "zero width": lambda value: value[:3] + "\u200b" + value[3:6] + "\u2060" + value[6:],
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "hex": lambda value: value.encode().hex(),
    "URL escapes": _coded(lambda c: f"%{c:02X}"),
    "JSON escapes": _coded(lambda c: f"\\u{c:04x}"),
    "character references": _coded(lambda c: f"&#{c};"),
    "wrapped": lambda value: value.replace(" ", "\n", 1),
    "hyphens": lambda value: value.replace(" ", "-"),
    "letters apart": " ".join,
    "cut": lambda value: f"{value[:4]}\n{value[4:]}",
}
"""How a value is written in a text, so that a search for its letters alone would miss it."""
_NUMBERS = frozenset({"account", "card", "telephone"})
_IN_ONE_PIECE = frozenset({"e-mail", "link"})


def disguise(random: Random) -> str:
    """Return a way to write a canary, every second time the plain one."""
    return "plain" if random.random() < 0.5 else random.choice([*WAYS])


def must_be_told(kind: str, way: str) -> bool:
    """Tell whether the app has to name a value of this kind, so written, or else no reader promises to find it."""
    plain_form = KINDS[kind] == FORM and way == "plain"
    coded_form = kind in _NUMBERS or (kind in _IN_ONE_PIECE and way != "letters apart")
    return not (plain_form or coded_form)
