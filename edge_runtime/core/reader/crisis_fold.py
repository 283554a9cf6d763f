"""How the crisis phrases see a text: spellings that hide a word from a machine, but not from a person, undone.

Promises: time is linear in the text; views are of small letters, single blanks and no accents, tags, entities, control
characters or look-alike letters; besides the plain view there is one, if it differs, in which letters that stand
apart ("k i l l", "k.i.l.l") are a word again.
Does not: keep places. Crisis is a property of a whole text, so nothing needs mapping back.
"""

from __future__ import annotations

import html
import unicodedata
from functools import lru_cache

from edge_runtime.core.reader.lazy import lazy_pattern

__all__ = ["crisis_views"]

_LOOK_ALIKES = dict(
    zip(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u043a\u043c\u0442\u0432\u043d\u0433\u0442"
        "\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03c9\u0131\u0142\u00f8\u0111\u0269\u0261\u04cf\u029f\u026a\u1d0b",
        "aeopcyxijshdkmtbhrtaeikvoptuxwilodigllik",
        strict=True,
    )
)
"""Letters that look like Latin ones. Cyrillic, Greek, then Latin with a stroke, without a dot or small capital."""
_OTHER = {"*": "", "~": "", "`": "", '"': "", "_": " ", "|": " ", "\u0153": "oe", "\u00e6": "ae"}
_ENTITY = lazy_pattern(r"&#?[0-9a-z]{1,12};")
_INLINE = "a|b|big|del|em|font|i|ins|mark|s|small|span|strike|strong|sub|sup|tt|u|wbr"
_INLINE_TAG = lazy_pattern(rf"</?(?:{_INLINE})(?:\s[^<>=]{{0,40}}=[^<>]{{0,300}})?\s?/?>")
_TAG = lazy_pattern(r"</?[a-z][a-z0-9]{0,15}(?:\s[^<>=]{0,40}=[^<>]{0,300})?\s?/?>|<!--|-->")
_HYPHEN = lazy_pattern(r"(?<=\w)[-/+](?=\w)")
_STAR = lazy_pattern(r"(?<=[a-z])\*(?=[a-z])")
_DIGITS_IN_WORD = lazy_pattern(r"(?<=[a-z])[013457]+(?=[a-z])|(?<=[a-z])11\b")
_LETTERS = str.maketrans("013457", "oieast")
_BLANKS = lazy_pattern(r"\s+")
_SPELLED = lazy_pattern(r"(?<!\w)\w(?:[ .\-/+]\w(?!\w)){2,}\.?")
_APART = lazy_pattern(r"[ .\-/+]")
_MARK_IN_WORD = lazy_pattern(r"(?<=[a-z])[.,:;](?=[a-z])")
_MY_SELF = lazy_pattern(
    r"\b(my|him|her|them) (self|selves)\b(?! (?:assess|aware|belief|care|compassion|confiden|control|critici|develop"
    r"|discipline|doubt|employ|esteem|evaluat|harm|image|improve|love|manage|motivat|organi|percept|reflect|regard"
    r"|relian|respect|review|study|talk|trust|worth))"
)


def crisis_views(text: str) -> tuple[str, ...]:
    """Return the one or two folded views of `text` that the phrases are searched in."""
    plain = _plain(text.casefold())
    apart = _SPELLED().sub(lambda found: _APART().sub("", found[0]), plain)
    return tuple(dict.fromkeys((_tidy(plain), _tidy(_MARK_IN_WORD().sub(" ", apart)))))


def _plain(text: str) -> str:
    """Return `text` without tags, entities, marks and look-alikes."""
    if "&" in text:
        text = _ENTITY().sub(lambda found: html.unescape(found[0]).casefold(), text)
    if "<" in text or "-->" in text:
        text = _TAG().sub(" ", _INLINE_TAG().sub("", text))
    if "*" in text:
        text = _STAR().sub("i", text)
    return text.translate({ord(character): _fold_character(character) for character in set(text)})


def _tidy(text: str) -> str:
    """Return `text` with single blanks, words joined by hyphens apart, and digits within words as letters."""
    text = _DIGITS_IN_WORD().sub(lambda found: found[0].replace("11", "ll").translate(_LETTERS), text)
    return _MY_SELF().sub(r"\1\2", _BLANKS().sub(" ", _HYPHEN().sub(" ", text)).strip())


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character in _OTHER:
        return _OTHER[character]
    if character.isascii() and character.isprintable():
        return character
    letters = []
    for letter in unicodedata.normalize("NFD", character):
        category = unicodedata.category(letter)
        if category in {"Cc", "Zs", "Zl", "Zp"}:
            letters.append(" ")
        elif category not in {"Mn", "Me", "Cf"}:
            letters.append(_LOOK_ALIKES.get(letter, letter))
    return "".join(letters)
