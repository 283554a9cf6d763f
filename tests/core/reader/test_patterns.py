"""Values with a form are found in every spelling; what only looks like one is left alone."""

from __future__ import annotations

from collections.abc import Callable

import phonenumbers
import pytest
from stdnum import luhn

from edge_runtime.core.reader import TextReader


def found(text: str, **settings: object) -> list[tuple[str, str]]:
    reading = TextReader(**settings).read(text)  # type: ignore[arg-type]
    return [(entity.type, text[entity.start : entity.end]) for entity in reading.entities]


@pytest.mark.parametrize(
    "address",
    [
        "priya@example.com",
        "priya.sharma+notes@mail.example.co.uk",
        "o'brien_99@sub.example.org",
        "j\u00f6rg@m\u00fcller.example",
        "PRIYA@EXAMPLE.COM",
        "priya @ example.com",
        "priya(at)example.com",
        "priya [at] example [dot] com",
        "pri\u200bya@exam\u200bple.com",
        "\uff50\uff52\uff49\uff59\uff41\uff20example.com",
        "root@10.0.0.1",
    ],
)
def test_an_address_is_found(address: str) -> None:
    """E-mail addresses are found whole, spaced out, spelt out and disguised."""
    assert found(f"Write to {address}, please. The rest follows.") == [("EMAIL", address)]


@pytest.mark.parametrize("text", ["meet @ 10.30", "@priya said so", "a @ b", "100 % @ home", "user@host", "@"])
def test_an_at_sign_alone_is_no_address(text: str) -> None:
    """Handles and times after an at sign are not addresses."""
    assert found(text) == []


@pytest.mark.parametrize(
    "number",
    [
        "+44 7700 900123",
        "+447700900123",
        "0044 7700 900123",
        "07700 900123",
        "020 7946 0958",
        "+44 (0)20 7946 0958",
        "(415) 555-0123",
        "415-555-0123",
        "415.555.0123",
        "4155550123",
        "+1 415 555 0123",
        "1-415-555-0123",
        "555-123-4567",
        "555-0123",
        "030 23125 000",
        "0170/1234567",
        "0170-1234567",
        "+49 170 1234567",
        "06 39 98 12 34",
        "06.39.98.12.34",
        "+33 6 39 98 12 34",
        "600 123 456",
        "+34 600 123 456",
        "+91 98765 43210",
        "0170\u00a01234567",
        "\uff10\uff11\uff17\uff10 \uff11\uff12\uff13\uff14\uff15\uff16\uff17",
        "+44\u200b7700\u200b900\u200b123",
        "4 1 5 5 5 5 0 1 2 3",
        "+44\u20117700\u2011900123",
        "\u0660\u0661\u0667\u0660 \u0661\u0662\u0663\u0664\u0665\u0666\u0667",
    ],
)
def test_a_telephone_number_is_found(number: str) -> None:
    """International and national numbers are found in the ways people write them, fictional ones included."""
    assert found(f"Her number: {number}, after six.") == [("PHONE", number)]


@pytest.mark.parametrize(
    "text",
    [
        "2031-05-06",
        "2031-05-06 10:30:15",
        "2031-05-06T10:30",
        "2031/05/06",
        "06.05.2031",
        "6/5/31",
        "05-06-2031",
        "06052031",
        "20310506",
        "from 09.30-10.45",
        "0900-1700",
        "10:30-11:45",
        "2031-2032",
        "the years 2029 2030 2031",
        "1 234 567 EUR",
        "1.234.567",
        "1,234,567",
        "$4155550123",
        "\u20ac 650 000 000",
        "650 000 000",
        "0.1234567",
        "3.14159265",
        "version 4.12.10031",
        "v10.0.19041",
        "ticket #4155550123",
        "order 12345678",
        "epoch 1715000000",
        "550e8400-e29b-41d4-a716-446655440000",
        "abc1234567",
        "12345678901234567890",
        "12 34 56",
        "between 250 and 1000",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    """Dates, times, years, amounts, versions, network addresses and identifiers are no telephone numbers."""
    assert found(f"See {text} in the plan.") == []


def test_regions_are_the_callers_choice() -> None:
    """National forms are found for the regions asked for, international ones always."""
    text = "0170 1234567 or +49 170 1234567"
    assert found(text, regions=("US",)) == [("PHONE", "+49 170 1234567")]
    assert len(found(text, regions=("DE",))) == 2
    assert found("044 668 18 00", regions=("CH",)) == [("PHONE", "044 668 18 00")]


def test_a_word_before_it_makes_a_number_a_telephone_number() -> None:
    """A run of digits that could be anything is a number to call when the text says so."""
    assert found("reference 170 1234567") == []
    assert found("please call 170 1234567") == [("PHONE", "170 1234567")]


def test_two_numbers_in_a_row_are_two() -> None:
    """Neighbouring numbers do not hide one another."""
    text = "07700 900123 07700 900456"
    assert found(text) == [("PHONE", "07700 900123"), ("PHONE", "07700 900456")]


@pytest.mark.parametrize(
    "account",
    [
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "de89 3704 0044 0532 0130 00",
        "GB29 NWBK 6016 1331 9268 19",
        "GB29-NWBK-6016-1331-9268-19",
        "FR14 2004 1010 0505 0001 3M02 606",
        "ES91 2100 0418 4502 0005 1332",
        "DE\u200b89 3704\u00a00044 0532 0130 00",
        "\uff24\uff25\uff18\uff19 3704 0044 0532 0130 00",
    ],
)
def test_a_bank_account_is_found(account: str) -> None:
    """IBANs are found whole, in groups and disguised, without the words that follow."""
    assert found(f"Pay to {account} today please") == [("BANK", account)]


@pytest.mark.parametrize("account", ["DE89370400440532013001", "DE88370400440532013000", "DE8937040044053201300"])
def test_a_wrong_checksum_is_no_bank_account(account: str) -> None:
    """The checksum and the length decide."""
    assert ("BANK", account) not in found(f"Pay to {account} today")


@pytest.mark.parametrize(
    "card",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "378282246310005",
        "3782 822463 10005",
        "5555 5555 5555 4444",
        "4111 1111\u200b 1111 1111",
        "\uff14\uff11\uff11\uff11 1111 1111 1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    ],
)
def test_a_payment_card_is_found(card: str) -> None:
    """Card numbers are found with blanks and hyphens in any place."""
    assert found(f"card {card} expires 05/31") == [("CARD", card)]


@pytest.mark.parametrize("text", ["4111111111111112", "4111 1111 1111 1112", "1715000000000"])
def test_a_wrong_check_digit_is_no_card(text: str) -> None:
    """The Luhn check digit decides."""
    assert "CARD" not in dict(found(f"card {text} expires"))


def test_a_card_after_another_number_is_still_covered() -> None:
    """A number in front of a card does not hide it."""
    text = "room 12 4111 1111 1111 1111"
    (kind, value), *_ = found(text)
    assert kind == "CARD"
    assert value.endswith("4111 1111 1111 1111")


@pytest.mark.no_cover
@pytest.mark.parametrize("digits", ["1 ", "2 0 ", "9 ", "12 ", "4 ", "030 ", "1 1 1 1 1 1 1 1\n"])
def test_spaced_digits_without_end_cost_a_bounded_number_of_looks(digits: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """100,000 characters of digits are parsed as numbers at most some thousand times, and are covered all the same."""
    looks = 0

    def counted(look: Callable[..., object]) -> Callable[..., object]:
        def count(*arguments: object) -> object:
            nonlocal looks
            looks += 1
            return look(*arguments)

        return count

    monkeypatch.setattr(phonenumbers, "parse", counted(phonenumbers.parse))
    monkeypatch.setattr(luhn, "is_valid", counted(luhn.is_valid))
    text = (digits * 100_000)[:100_000]
    covered = sum(entity.end - entity.start for entity in TextReader().read(text).entities)

    assert looks < 25_000
    assert covered > 0.7 * len(text)


@pytest.mark.no_cover
def test_many_numbers_in_one_text_are_all_found() -> None:
    """Far more telephone and card numbers than a note holds are found, before the bound and after it."""
    for number in ("+44 20 7946 0018", "030 1234567", "4111 1111 1111 1111"):
        text = f"She called {number} today.\n" * 2_500
        text += "Nobody called on 2031-05-06."
        covered = TextReader().read(text).entities
        assert len(covered) == 2_500
        assert all(number.lstrip("+") in text[entity.start : entity.end] for entity in covered)
