"""Which language a text is in: the four that are read, another, or too little to tell."""

from __future__ import annotations

import pytest

from edge_runtime.core.reader import TextReader
from tests.core.reader.test_reader import WordEncoder


def language(text: str) -> str:
    """Return the language that a reading states."""
    return TextReader().read(text).labels.language


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("en", "I think we should talk about it"),
        ("de", "Mir geht es nicht gut"),
        ("fr", "Je ne sais pas quoi faire avec mon équipe"),
        ("es", "No sé qué hacer con mi jefe, estoy cansado"),
        ("other", "Non so cosa fare con il mio capo, sono molto stanco"),
        ("other", "Ik weet niet wat ik met mijn baas moet doen"),
        ("other", "Nie wiem, co mam zrobić z moim szefem"),
        ("other", "Jag vet inte vad jag ska göra med min chef"),
        ("other", "Sijui nifanye nini na bosi wangu kwa sababu hii ni ngumu sana"),
        ("other", "Я не знаю, что делать с начальником"),
        ("other", "我不知道该怎么办我的老板对我很不好"),
        ("other", "We spoke about the plan. Ik weet niet wat ik met mijn baas moet doen. It was fine."),
        ("en", "I met Nguyễn Thị Minh Khai and Łukasz Żółć at the 北京 office, 37 Βασιλέως Αλεξάνδρου"),
        ("en", "I said: non, je ne regrette rien, and we laughed about it"),
        ("", "Q3 OKR review"),
        ("", "ok thanks"),
        ("", "2026-07-01T08:00:01Z DEBUG cache.miss key=report:1 shard=3 ttl=900"),
    ],
)
def test_a_sentence_is_enough(expected: str, text: str) -> None:
    """One sentence tells the language, a foreign one in an English text too; names and quotations do not mislead."""
    assert language(text) == expected


def test_what_a_model_does_not_read_is_not_assessed() -> None:
    """In a language that a model was not made for, nothing found is not nothing there: it counts as present."""
    reader = TextReader(encoder=WordEncoder())
    for text in ("Ik weet niet wat ik met mijn baas moet doen bij Acme", "Mir geht es bei Acme nicht gut"):
        reading = reader.read(text)
        assert (reading.labels.topics, reading.labels.injection) == (None, None)
        assert not reading.assessed & {"ORG", "topics", "injection", "commitment"}
        assert [entity.type for entity in reading.entities] == ["ORG"]
    assert reader.read("I am fine at Acme").assessed >= {"ORG", "topics"}
