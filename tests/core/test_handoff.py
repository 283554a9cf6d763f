"""P6: there is a calm, complete hand-off text for every locale and situation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core.handoff import HANDOFF_LOCALES, handoff_text

MUST_SAY = {
    "en": ("Coaching has stopped", "local emergency number", "112", "999", "911", "988", "116 123", "you can go on"),
    "de": (
        "Coaching ist hier angehalten",
        "Notrufnummer",
        "112",
        "116 123",
        "142",
        "143",
        "k\u00f6nnen Sie fortfahren",
    ),
    "fr": ("s\u2019arr\u00eate ici", "num\u00e9ro d\u2019urgence", "112", "3114", "988", "vous pourrez continuer"),
    "es": ("se detiene aqu\u00ed", "n\u00famero de emergencias", "112", "024", "988", "puedes continuar"),
}
DIAGNOSES = ("depress", "disorder", "suicid", "st\u00f6rung", "trouble", "trastorno", "diagnos")


@pytest.mark.parametrize("situation", ["self", "other"])
@pytest.mark.parametrize("locale", HANDOFF_LOCALES)
def test_each_text_is_complete(locale: str, situation: str) -> None:
    """Coaching stops, a person is offered, emergency numbers are named, no diagnosis is made, the choice stays."""
    handoff = handoff_text(locale, situation)
    assert (handoff.locale, handoff.situation) == (locale, situation)
    assert all(words in handoff.text for words in MUST_SAY[locale])
    assert not any(word in handoff.text.lower() for word in DIAGNOSES)
    assert handoff.text.endswith("\n")
    assert all(line == line.rstrip() for line in handoff.text.split("\n"))


def test_the_situations_have_their_own_words() -> None:
    """What helps oneself is not what helps somebody who worries about a friend."""
    texts = {handoff_text(locale, situation).text for locale in HANDOFF_LOCALES for situation in ("self", "other")}
    assert len(texts) == 8


@pytest.mark.parametrize(
    ("tag", "locale"), [("de-AT", "de"), ("fr_CA", "fr"), ("EN-gb", "en"), ("es", "es"), ("pt-BR", "en"), ("", "en")]
)
def test_a_language_tag_finds_its_text(tag: str, locale: str) -> None:
    """Regions share the text of their language; a language without a text gets English."""
    assert handoff_text(tag, "self").locale == locale


@given(st.text(), st.text())
def test_there_is_always_a_text(locale: str, situation: str) -> None:
    """Whatever is asked for, a person is always reachable."""
    handoff = handoff_text(locale, situation)
    assert "112" in handoff.text
    assert handoff.situation == ("other" if situation == "other" else "self")
