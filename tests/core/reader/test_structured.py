"""Addresses, dates of birth, pay and numbers of people: found where they stand, and only there."""

from __future__ import annotations

import pytest

from edge_runtime.core.reader import TextReader

READER = TextReader()


def found(text: str) -> list[tuple[str, str]]:
    """Return type and text of what is found."""
    return [(entity.type, text[entity.start : entity.end]) for entity in READER.read(text).entities]


def marked(line: str) -> tuple[str, list[str]]:
    """Return a line without its brackets, and what stood in them."""
    pieces = line.replace("]", "[").split("[")
    return "".join(pieces), pieces[1::2]


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (
            "URL",
            "see [https://example.com/a?b=c]. And ([www.foo.de/bar]), [linkedin.com/in/priya-s] or [http://x.yz/(a)]",
        ),
        (
            "IP",
            (
                "hosts [10.20.30.40], [192.168.0.1:8080] and [fe80::1ff:fe23:4567:890a], "
                "[d80:e4b5:79da:6cf6:71f3:51f7:9161:c3]"
            ),
        ),
        (
            "DATE_OF_BIRTH",
            "DOB: [03/04/1987]. I was born on [3 March 1987] in Leeds, she in Lagos: born in Lagos on [12/05/90]",
        ),
        (
            "DATE_OF_BIRTH",
            (
                "geboren am [3. M\u00e4rz 1987], geb. [03.04.1987], n\u00e9e le [4 avril 1985], nacida el [5 de "
                "mayo de 1990]"
            ),
        ),
        ("DATE_OF_BIRTH", "Her birthday is [May 3rd, 1987]; and [1987-05-03] (DOB)"),
        ("SALARY", "I earn [62k]. my salary is [85,000]. They offered me [\u00a370k] plus bonus. She's on [45k] now."),
        ("SALARY", "He makes [$30] an hour; I owe [12,000 dollars]; a bonus of [$5,000]; ctc is [18 lakhs]"),
        (
            "SALARY",
            (
                "mein Gehalt: [54.000 \u20ac], ich verdiene [4.200 Euro] brutto. Je gagne [2 300 \u20ac] net. "
                "Gano [30.000 euros]"
            ),
        ),
        (
            "ADDRESS",
            (
                "I live at [42 Maple Street, Flat 3, Leeds LS1 4AP]. He lives at [1600 Pennsylvania Avenue NW, "
                "Washington, DC 20500]"
            ),
        ),
        (
            "ADDRESS",
            "[Hauptstra\u00dfe 12a, 10115 Berlin]; [Am Markt 5, 04109 Leipzig]; [12 rue de la Paix, 75002 Paris]",
        ),
        ("ADDRESS", "[Calle de Alcal\u00e1 23, 3\u00ba B, 28014 Madrid]; write to 42 maple street? yes"),
        ("ADDRESS", "write to [42 maple street], or to [PO Box 1234]; postcode [SW1A 1AA]"),
        (
            "ID_NUMBER",
            "SSN [219-09-9999], NI [AB123456C], DNI [12345678Z], Aadhaar [2341 2341 2346], [1 85 05 78 006 084 91]",
        ),
        ("ID_NUMBER", "passport number is [N1234567]; patient ID [4483920]; employee id [e48213]; MRN [00987654]"),
        (
            "ID_NUMBER",
            (
                "my Steuer-ID: [12 345 678 901], case number [HR-2024-0191], driver's license is [A56319335], "
                "NHS number [943 476 5919]"
            ),
        ),
        (
            "BANK",
            (
                "sort code [20-00-00, account 55779911]; Kontonummer [1234567890], BLZ [37040044]; routing "
                "number [021000021]"
            ),
        ),
        (
            "EMAIL",
            "at [priya{at}example.com], [priya at example dot com], [PRIYA AT EXAMPLE DOT COM], [p_at_example.com]",
        ),
        ("CARD", "card [4111/1111/1111/1111] or [4111_1111_1111_1111]"),
        ("BANK", "IBAN [DE89370400440532013000] BIC [COBADEFFXXX]"),
        ("DATE_OF_BIRTH", "n\u00e9e le [12 mars 1985]; Born: [March 12th 1985]; d.o.b. [12-Mar-1985]"),
        ("ADDRESS", "wohne in der [Lindenallee 7]"),
        ("ADDRESS", "j'habite au [5, avenue des Champs-\u00c9lys\u00e9es]"),
        ("SALARY", "gano [1800\u20ac] al mes. I'm paid [$30]/hr, or [\u20b912,00,000] ctc"),
        (
            "ID_NUMBER",
            (
                "num\u00e9ro d'employ\u00e9 [48213], n\u00famero de empleado [48214], "
                "carte d'identit\u00e9 [880692310285], permis de conduire [12AB34567], "
                "Sozialversicherungsnummer [65 180539 W 001]"
            ),
        ),
    ],
)
def test_what_is_personal_is_found_whole(kind: str, line: str) -> None:
    """Each form, in the spellings of four languages, with its exact place."""
    text, values = marked(line)
    assert [value for type_, value in found(text) if type_ == kind][: len(values)] == values


@pytest.mark.parametrize(
    "text",
    [
        "version 10.2.3.4 and v1.2.3.4 at 10:15:30, 09:30-10:45, std::vector Foo::Bar abc::def, section 1.2.3.4",
        "Support ticket #48213, ticket ID 48213, order number 55779911, JIRA-1234, room 4.12, port 8080",
        "meet on 03/04/2026, release 2026.2.9, due 12 May 2026, our product was born in 2019",
        "birthday party on 14/05/2026; a budget of 50,000 \u20ac, price 54.000 \u20ac, the deal is worth 62k, ARR 2m",
        (
            "we earned 5,000 points and 3,000 new customers; salary in 2023, salary band 4; the licence "
            "costs \u00a330 a year"
        ),
        "a 10% pay rise; I spent 200 pounds; tickets at \u00a340; revenue of $2m; 80k users; run 5k, 10k steps a day",
        (
            "a 2 way street, 3 weeks down the road, 5 high street brands, 10 minutes drive, second place in "
            "row 5, route 66"
        ),
        (
            "in that case 3 people came; case 12345 is open; employee of the month 2024; member since 2019; "
            "tax 2023; sin 45"
        ),
        (
            "account for 20 percent; account 3; ASP.NET, Node.js, README.md, main.py, Booking.com; call at "
            "5.30 p.m. ext 1234"
        ),
        "meet at noon dot; look at example dot; the _at_ sign; a_b; I paid $30 for lunch; n\u00e9 3; in 12,00 minutes",
        "Weg 5 ist besser; Platz 3; im Jahr 2024 12345 Zeilen; am Montag 5 Uhr; en 2 rue; plaza 5 minutos",
        "I'm on 3 projects; he is on 24 hour call; we make 40 calls a month; offered 3 options; on page 45k",
    ],
)
def test_numbers_of_other_kinds_are_left_alone(text: str) -> None:
    """Versions, tickets, ports, times, dates, prices, budgets, counts and ways of speaking are not personal."""
    assert found(text) == []


def test_a_number_at_the_beginning_of_a_line_is_found() -> None:
    """What stands at the end of the line before is no part of it."""
    assert found("Call me\n07700 900123\nor at work\n020 7946 0958") == [
        ("PHONE", "07700 900123"),
        ("PHONE", "020 7946 0958"),
    ]


@pytest.mark.parametrize(
    "piece",
    [
        "born 1.1.19 ",
        "I earn 1k ",
        "1 A Street ",
        "ssn 1-",
        "www.",
        "a.com",
        "1.1.",
        "a:",
        "Stra\u00dfe 1 ",
        "account 1",
    ],
)
def test_a_hostile_text_costs_linear_time(piece: str) -> None:
    """Twenty thousand characters of the worst kind are read; the suite's time limit is the judge."""
    assert READER.read((piece * 20_000)[:20_000]).text_length == 20_000
