"""Made-up values with a form: what stands in the slots that no list can fill.

Promises: card numbers and IBANs have right check digits, so that the patterns of the device find them.
Source: ISO/IEC 7812-1 annex B (Luhn), ISO 13616 (IBAN).
"""

from __future__ import annotations

import random
import string
import unicodedata

__all__ = ["bank", "card", "digits", "email", "from_shape", "ip_address", "phone", "postcode", "url"]

_PHONES = (
    *("+44 7### ######", "07### ######", "020 7### ####", "0161 ### ####", "+1 ###-555-01##", "(2##) 555-01##"),
    *("2##-555-####", "+49 151 ########", "0171 #######", "030 ######", "+33 6 ## ## ## ##", "06 ## ## ## ##"),
    *("+34 6## ### ###", "6## ## ## ##", "+91 9#### #####", "98########", "+234 80# ### ####", "080########"),
    *("+1 2## ### #### ext. ##", "001-2##-###-####x###", "2##.###.####"),
)
_IBANS = {"DE": 18, "GB": 0, "FR": 23, "ES": 20, "NL": 0, "CH": 17, "AT": 16, "IT": 0}
_MAIL_DOMAINS = (
    "gmail.com",
    "outlook.com",
    "web.de",
    "orange.fr",
    "yahoo.co.uk",
    "proton.me",
    "gmx.net",
    "rediffmail.com",
)
_TOP_DOMAINS = ("com", "co.uk", "de", "org", "io", "fr", "es", "net", "in", "ng")
_PATHS = ("", "/", "/notes", "/p/##", "/team/plan?id=###", "/en/docs", "/~####")


def from_shape(rng: random.Random, shape: str) -> str:
    """Return `shape` with a digit for each `#` and a capital letter for each `?`."""
    made = (
        rng.choice(string.digits) if c == "#" else rng.choice(string.ascii_uppercase) if c == "?" else c for c in shape
    )
    return "".join(made)


def digits(rng: random.Random, count: int) -> str:
    """Return `count` digits."""
    return from_shape(rng, "#" * count)


def phone(rng: random.Random) -> str:
    """Return a telephone number."""
    return from_shape(rng, rng.choice(_PHONES))


def card(rng: random.Random) -> str:
    """Return a payment card number, grouped or not."""
    start, length = rng.choice((("4", 16), ("51", 16), ("37", 15), ("4", 13), ("6011", 16)))
    body = start + digits(rng, length - len(start) - 1)
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    number = body + str(-total % 10)
    gap = rng.choice(("", "", " ", "-"))
    return gap.join(number[place : place + 4] for place in range(0, length, 4)) if gap else number


def bank(rng: random.Random) -> str:
    """Return an IBAN, or an account with its sort code or routing number."""
    if rng.random() < 0.3:
        return from_shape(rng, rng.choice(("##-##-## ########", "0210000## #########", "########")))
    country = rng.choice(sorted(_IBANS))
    letters = {"GB": "NWBK", "NL": "INGB", "IT": "X"}.get(country, "")
    lengths = {"GB": 14, "NL": 10, "IT": 22}
    body = letters + digits(rng, _IBANS[country] or lengths[country])
    as_number = "".join(str(int(c, 36)) for c in f"{body}{country}00")
    iban = f"{country}{98 - int(as_number) % 97:02d}{body}"
    return " ".join(iban[place : place + 4] for place in range(0, len(iban), 4)) if rng.random() < 0.6 else iban


def email(rng: random.Random, first: str, last: str) -> str:
    """Return an address that was made out of a name, or not."""
    first, last = _plain(first), _plain(last)
    user = rng.choice(
        (f"{first}.{last}", f"{first[0]}{last}", f"{first}_{last}", f"{first}{digits(rng, 2)}", f"{last}.{first[0]}")
    )
    domain = rng.choice(_MAIL_DOMAINS) if rng.random() < 0.5 else _domain(rng)
    return f"{user}@{domain}"


def url(rng: random.Random) -> str:
    """Return an address of a page."""
    start = rng.choice(("https://", "https://www.", "http://", "www.", ""))
    return f"{start}{_domain(rng)}{from_shape(rng, rng.choice(_PATHS))}"


def ip_address(rng: random.Random) -> str:
    """Return an address of a machine, now and then of version 6."""
    if rng.random() < 0.2:
        return ":".join(f"{rng.randrange(0x10000):x}" for _ in range(8))
    return ".".join(str(rng.randrange(1, 255)) for _ in range(4))


def postcode(rng: random.Random, country: str) -> str:
    """Return a postcode of the usual form of a country."""
    shapes = {"uk": ("??# #??", "??## #??", "?# #??"), "us": ("#####", "#####-####"), "in": ("56####", "4###0#")}
    return from_shape(rng, rng.choice(shapes.get(country, ("#####",))))


def _domain(rng: random.Random) -> str:
    syllables = (
        "nor",
        "wind",
        "vel",
        "ta",
        "mira",
        "bright",
        "acme",
        "lab",
        "hub",
        "kite",
        "oak",
        "zen",
        "data",
        "coach",
    )
    name = "".join(rng.sample(syllables, 2)) + rng.choice(("", "", "-group", "-app"))
    return f"{name}.{rng.choice(_TOP_DOMAINS)}"


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(filter(str.isalpha, letters)) or "user"
