"""Numbers that stand for a person: national ones by form and checksum, others by the word beside them.

Promises: a form that chance could make (nine digits, say) counts only beside a word such as "passport"; where a country
has a checksum, `python-stdnum` decides; ticket, order, room and version numbers are left alone.
Does not: know every country. Source: the modules of `python-stdnum` that are named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edge_runtime.core.reader.checksums import is_valid
from edge_runtime.core.reader.digits import Area
from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.nearby import Words

__all__ = ["find_accounts", "find_identities"]


class _Form(NamedTuple):
    """How a number is written, and the module of `stdnum` that checks it; none: the form alone is strong enough."""

    module: str
    pattern: str


_FORMS = (
    _Form("", r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}"),  # US, social security
    _Form("us.itin", r"9\d{2}-[5-9]\d-\d{4}"),
    _Form("", r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"),  # GB, NINO
    _Form("", r"\d{2} ?(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{2} ?[A-Z] ?\d{3}"),  # DE, pension insurance
    _Form("fr.nir", r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"),
    _Form("es.dni", r"\d{8}[- ]?[A-Z]"),
    _Form("es.nie", r"[XYZ][- ]?\d{7}[- ]?[A-Z]"),
    _Form("it.codicefiscale", r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]"),
    _Form("be.nn", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"),
    _Form("ch.ssn", r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}"),
    _Form("se.personnummer", r"(?:19|20)?\d{6}[-+]\d{4}"),
    _Form("fi.hetu", r"\d{6}[-+A]\d{3}[0-9A-Y]"),
    _Form("br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}"),
    _Form("in_.pan", r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]"),
    _Form("in_.aadhaar", r"[2-9]\d{3} \d{4} \d{4}"),
    _Form("mx.curp", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d"),
    _Form("cn.ric", r"\d{17}[\dX]"),
    _Form("kr.rrn", r"\d{6}-[1-8]\d{6}"),
    _Form("", r"[STFG]\d{7}[A-Z]"),  # Singapore
    _Form("za.idnr", r"\d{13}"),
    _Form("pl.pesel", r"\d{11}"),
    _Form("de.idnr", r"\d{2} \d{3} \d{3} \d{3}"),
)
_ANY_FORM = lazy_pattern(
    "(?:" + "|".join(f"(?P<f{number}>{form.pattern})" for number, form in enumerate(_FORMS)) + r")(?!\w|[-./,]\d)"
)
_JOINED = frozenset("_.,/#+-")
_LETTERS_FIRST = lazy_pattern(r"[A-Z](?<![^\W].)[A-Z]{0,5}[- ]?[0-9]")
_GROUP = lazy_pattern(r"[0-9]+")
_TOO_LOOSE = frozenset({"pl.pesel", "za.idnr"})
"""Chance makes one in ten of such numbers: they count only beside a word, but are listed for their form."""

_NUMBER_WORD = (
    r"(?:numbers?|no|nr|num|ids?|#|code|card|n\u00b0|n\u00ba|n[\u00fau]mero|num\u00e9ro|nummer|ref(?:erence)?)"
)
_NEEDS_NUMBER = (
    r"(?:passport|passeport|pasaporte|reisepass|case|patient|employee|staff|personnel|payroll|student"
    r"|member(?:ship)?|badge|visa|permit"
    r"|insurance|policy|claim|medical(?: record)?|hospital|health|nhs|medicare|medicaid|national(?: insurance"
    r"| identity| id)?|identity|identification"
    r"|driv(?:er'?s?|ing) licen[cs]e|licen[cs]e|tax(?:payer)?|social security|social insurance|file|docket|inmate"
    r"|badge|work permit|green card|gov(?:ernment)?"
    r"|dossier|s\u00e9curit\u00e9 sociale|permis(?: de conduire)?|carte d'identit\u00e9|expediente|empleado"
    r"|seguridad social|paciente|identidad|carnet"
    r"|fall|ausweis|personalausweis|f\u00fchrerschein|patienten?|mitglied|versicherung|alien|resident)"
)
_ALONE = (
    r"(?:ssn|itin|tin|nino|n\.?i\.?n\.?o|mrn|passport|passeport|pasaporte|reisepass(?:nummer)?"
    r"|personalausweis(?:nummer)?|ausweisnummer|steuer-?id(?:entifikationsnummer)?"
    r"|steuernummer|sozialversicherungsnummer|rentenversicherungsnummer|sv-nummer|versichertennummer"
    r"|krankenversicherungsnummer|personalnummer|mitarbeiternummer|matrikelnummer"
    r"|patientennummer|fallnummer|aktenzeichen|f\u00fchrerscheinnummer|mitgliedsnummer|nir|matricule|dni|nie|nif|nss"
    r"|curp|cpf|pesel|bsn|personnummer|cpr|aadhaar|pan card"
    r"|emirates id|nric|green card|sin|driver'?s licen[cs]e|driving licen[cs]e|social security|national insurance"
    r"|passnummer|expediente|n\.? ?de dossier|carte d'identit\u00e9|permis de conduire|carnet de conducir"
    r"|(?:num\u00e9ro|n[\u00fau]mero|n[\u00b0\u00ba]|nr\.?) ?(?:d'|de(?:l| la| los)? )(?:employ\u00e9e?|salari\u00e9e?"
    r"|empleado|empleada|dossier|adh\u00e9rent|patient|paciente|expediente|socio|afiliado"
    r"|s\u00e9curit\u00e9 sociale|seguridad social|passeport|pasaporte)"
    r"|ni (?:number|no))"
)
_FILLER = (
    r"(?:[ \t:=(\"'#.-]|\b(?:is|was|are|ist|war|lautet|est|es|the|my|her|his|their|your|of|for|de|del|du|reads|ends"
    r"|ending|with|in|as|und|and)\b){0,9}"
)
_VALUE = lazy_pattern(
    r"(?P<value>(?:[A-Z]{1,6}[-/]?|(?-i:[A-Z]{1,4}) )?\d[A-Z\d]*(?:[ ./-]\d[A-Z\d]*|[/-][A-Z]{1,4}\d*){0,6})(?![\w])",
    re.IGNORECASE,
)
_BESIDE = lazy_pattern(
    rf"(?<![\w])(?:{_NEEDS_NUMBER}(?:'s)?[ -]{{0,1}}(?:id[ -])?{_NUMBER_WORD}\.?"
    rf"|{_ALONE}(?:[ -]{{0,1}}{_NUMBER_WORD})?)(?![a-z]){_FILLER}"
)
_WORDS = (
    *(
        "ssn",
        "itin",
        " tin",
        "nino",
        "mrn",
        "passport",
        "passeport",
        "pasaporte",
        "reisepass",
        "ausweis",
        "steuer",
        "versicher",
        "nummer",
        "patient",
    ),
    *(
        "aktenzeichen",
        "matric",
        " nir",
        "dni",
        " nie",
        " nif",
        "curp",
        "cpf",
        "pesel",
        "bsn",
        "cpr",
        "aadhaar",
        "pan card",
        "emirates",
        "nric",
    ),
    *(
        "licen",
        "social",
        "national",
        "employee",
        "staff",
        "personnel",
        "payroll",
        "student",
        "member",
        "badge",
        "visa",
        "permit",
        "insurance",
        "policy",
    ),
    *(
        "claim",
        "medical",
        "hospital",
        "health",
        "nhs",
        "medic",
        "identi",
        "tax",
        "case n",
        "case i",
        "case r",
        "case #",
        "file n",
        "docket",
        "inmate",
        "green card",
    ),
    *(
        "dossier",
        "s\u00e9curit\u00e9",
        "permis",
        "expediente",
        "empleado",
        "empleada",
        "employ\u00e9",
        "salari\u00e9",
        "adh\u00e9rent",
        " socio",
        "afiliado",
        " ni n",
        "seguridad",
        "paciente",
        "carnet",
        "government",
        " gov",
        "resident",
        "alien",
        " sin",
    ),
)
_YEAR = lazy_pattern(r"(?:19|20)\d\d")
MIN_DIGITS = 3
MIN_LENGTH = 4

_ACCOUNT_WORDS = (
    *(
        "sort code",
        "sort-code",
        "account",
        "acct",
        "routing",
        " aba",
        "bsb",
        "konto",
        "blz",
        "bankleitzahl",
        "iban",
        "swift",
        " bic",
        "compte",
        " rib",
    ),
    *("cuenta", "clabe", "ifsc"),
)
_ACCOUNT = lazy_pattern(
    r"(?<!\w)(?:(?:bank |savings |current |checking |giro)?(?:account|acct)\.?(?: ?(?:number|no|num|nr|#)\.?)?"
    r"|a/c(?: no\.?)?|sort[ -]?code|routing(?: ?(?:number|no|transit number|#)\.?)?"
    r"|aba(?: ?(?:number|no))?|bsb(?: ?(?:number|no))?|konto(?:nummer|nr\.?|-nr\.?)?|kto\.?(?:-?nr\.?)?|blz"
    r"|bankleitzahl|num\u00e9ro de compte|compte(?: n[o\u00b0\u00ba]\.?)?|rib"
    r"|(?:n\u00famero de )?cuenta(?: n\.?\u00ba)?|clabe)(?!\w)"
    r"(?:[ \t:=(\"'#.-]|\b(?:is|was|ist|lautet|est|es|the|my|her|his|and|und|number|no|ending|in"
    r"|with)\b){0,8}(?P<value>\d[\dx]*(?:[ -]\d+){0,6})(?![\w]|[.,]\d|%)"
)
_SORT_CODE = lazy_pattern(
    r"(?<![\w-])(?P<value>\d{2}-\d{2}-\d{2}[ ,/]{1,3}(?:\w{2,8}[ :.]{1,2}){0,2}\d{8})(?![\w-])", re.IGNORECASE
)
_IBAN = lazy_pattern(
    r"\biban\b[ \t:.=-]{0,4}(?:(?:is|ist|est|es|number"
    r"|no)[ :]{1,2})?(?P<value>[A-Z]{2}\d{2}(?: ?(?!bic|swift)[A-Z0-9]{2,4}){3,8})(?!\w)",
    re.IGNORECASE,
)
_BIC = lazy_pattern(
    r"\b(?i:(?:swift|bic)(?:[ /-]?(?:swift|bic|code))?[ \t:.=-]{0,4}(?:(?:is|ist|est|es"
    r"|code)[ :]{1,2})?)(?P<value>[A-Z]{4} ?[A-Z]{2} ?[A-Z0-9]{2}(?: ?[A-Z0-9]{3})?)(?!\w)"
)
_IFSC = lazy_pattern(r"(?<!\w)(?P<value>[A-Z]{4}0[A-Z0-9]{6})(?!\w)")
_CODE_WORDS = ("iban", "swift", "bic", "ifsc")
MIN_ACCOUNT_DIGITS = 6


def find_identities(text: str, words: Words, areas: Sequence[Area]) -> Iterator[tuple[int, int]]:
    """Yield the places of numbers of persons in the normalised `text`, whose words and digit areas are given."""
    starts = [group.start() for area in areas for group in _GROUP().finditer(text, area.start, area.end)]
    for start in (*starts, *(found.start() for found in _LETTERS_FIRST().finditer(text))):
        before = text[start - 1 : start] if start else ""
        found = None if before.isalnum() or before in _JOINED else _ANY_FORM().match(text, start)
        if found is not None and _is_strong(found):
            yield found.span()
    for begin, end in words.windows(_WORDS, before=20, after=70):
        for beside in _BESIDE().finditer(words.small, begin, end):
            found = _VALUE().match(text, beside.end())
            if found is None or len(found[0]) < MIN_LENGTH or _YEAR().fullmatch(found[0]):
                continue
            if sum(map(str.isdigit, found[0])) >= MIN_DIGITS:
                yield found.span()


def _is_strong(found: re.Match[str]) -> bool:
    """Tell whether the form or the checksum is strong enough to count with no word beside it."""
    form = _FORMS[int(str(found.lastgroup)[1:])]
    return form.module not in _TOO_LOOSE and (not form.module or is_valid(form.module, found[0]))


def find_accounts(text: str, words: Words) -> Iterator[tuple[int, int]]:
    """Yield the places of account numbers as people write them at home, each beside a word such as "sort code"."""
    for found in _SORT_CODE().finditer(text):
        yield found.span("value")
    for start, end in words.windows(_ACCOUNT_WORDS, before=20, after=80):
        for found in _ACCOUNT().finditer(words.small, start, end):
            if sum(map(str.isdigit, found["value"])) >= MIN_ACCOUNT_DIGITS:
                yield found.span("value")
        for pattern in (_IBAN(), _BIC(), _IFSC()) if any(word in words for word in _CODE_WORDS) else ():
            yield from (found.span("value") for found in pattern.finditer(text, start, end))
