"""Somebody's pay or money: an amount next to a word of pay, in English, German, French and Spanish.

Promises: prices, budgets, revenue, years and counts are left alone, also in a sentence that speaks of pay elsewhere.
Does not: find amounts in words ("sixty thousand"): that takes an encoder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.nearby import Words

__all__ = ["find_pay"]

_STRONG = (
    *(
        "salary",
        "salaries",
        "wage",
        "payslip",
        "paycheck",
        "paycheque",
        "pay check",
        "take-home",
        "take home",
        "base pay",
    ),
    *(
        "compensation",
        "annual income",
        "my income",
        " ctc",
        "gehalt",
        "jahreseinkommen",
        "einkommen",
        "lohn",
        "salaire",
    ),
    *("r\u00e9mun\u00e9ration", "sueldo", "salario", "n\u00f3mina"),
)
"""Words beside which a large number needs no currency to be pay."""
_WEAK = (
    *(
        " earn",
        "my pay",
        "his pay",
        "her pay",
        "their pay",
        "your pay",
        "pay rise",
        "pay raise",
        "get paid",
        "gets paid",
    ),
    *(
        "being paid",
        "paid me",
        "pays me",
        "pays her",
        "pays him",
        "pay me",
        "paying me",
        "bonus",
        "pension",
        "severance",
    ),
    *(
        "stipend",
        "mortgage",
        " owe",
        "in debt",
        "my debt",
        "savings",
        "student loan",
        "alimony",
        "child support",
        "my rent",
    ),
    *(
        "per annum",
        " lpa",
        " p.a",
        "before tax",
        "after tax",
        "gross",
        "an hour",
        "per hour",
        "a month",
        "a year",
        "per year",
    ),
    *("'m paid", " am paid", " is paid", " are paid", "'s paid", "'re paid"),
    *("per month", "'m on ", " am on ", "'s on ", " is on ", "'re on ", "was on ", "were on ", "offered "),
    *(
        "verdien",
        "brutto",
        "netto",
        "abfindung",
        "schulden",
        "gespart",
        "rente",
        "kredit",
        "gagn",
        "je touche",
        "brut",
        " net ",
    ),
    *(
        "ma paie",
        "pension",
        "dettes",
        " gano",
        " gana",
        "cobro",
        "cobra",
        "bruto",
        "deuda",
        "hipoteca",
        "ahorros",
        "ingreso",
    ),
)
_CURRENCY = (
    r"(?:US\$|[\u20ac\u00a3$\u20b9\u00a5\u20a6]|(?:EUR|USD|GBP|CHF|INR|AUD|CAD|SGD|SEK|NOK|DKK|PLN|NGN|ZAR|KES|Rs\.?"
    r"|euros?|pounds?|dollars?|quid"
)
_CURRENCY += r"|rupees?|naira|francs?|Euro|d\u00f3lares|libras|bucks)(?![A-Za-z]))"
_NUMBER = r"(?:\d{1,2}(?:,\d\d)+,\d{3}(?!\d)|\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?)"
_SCALE = r"(?:k|K|grand|thousand|tsd\.?|Tsd\.?|tausend|mille|mil|lakhs?|lacs?|lpa|LPA|crores?|million|m)"
_AMOUNT = lazy_pattern(
    rf"(?<![\w.,/#-])(?:(?P<before>{_CURRENCY}) ?)?(?P<number>{_NUMBER})(?P<scale>[ -]?{_SCALE}\b)?"
    rf"(?P<after> ?{_CURRENCY})?(?:,-)?(?![\w%]|[.,:/-]\d| ?%| percent| prozent)"
)
_ON = (
    r"(?:'m|\bam|'s|\bis|'re|\bare|\bwas|\bwere|been) (?:now |already |only |still |currently )?on(?: (?:about"
    r"|around|roughly|just))? $"
)
_GIVEN = (
    r"(?:\bmak(?:e|es|ing)|\bmade|\bgets?|\bgot|\bgetting|\boffer(?:ed|ing)?(?: (?:me|her|him|us|them))?|\bearn\w*"
    r"|\bpaid|\bpays|\bpaying"
    r"|\bbring(?:s|ing)? (?:in|home)|\btake home|\bwent (?:from|to|up to)|\bcleared?|\bbilling)"
    r"(?: (?:me|her|him|us|about|around|roughly|over|under|just|only|up|to|at|from|a|almost|nearly|less|than|more"
    r"|like)){0,4} $"
)
_ON_BEFORE = lazy_pattern(_ON, re.IGNORECASE)
_GIVEN_BEFORE = lazy_pattern(_GIVEN, re.IGNORECASE)
_PERIOD_AFTER = lazy_pattern(
    r" ?(?:,|\()? ?(?:gross|net|basic|base|before tax|after tax|brutto|netto|brut|net|bruto|neto)?"
    r" ?(?:(?:a|an|per|each|every|im|pro|par|al|por|/) ?(?:year|yr|annum|month|mth|hour|hr|week|jahr|monat|stunde"
    r"|an\b|mois|heure|a\u00f1o|mes|hora)"
    r"|p\.? ?a\b|pa\b|annually|monthly|yearly|gross|before tax|after tax|take-home|base\b|ote\b|ctc\b|lpa\b|brutto"
    r"|netto|bruts?\b|nets?\b|bruto|neto)",
    re.IGNORECASE,
)
_SENTENCE_END = lazy_pattern(r"[!?\n]|(?<!p)(?<!a)\.(?=\s+[A-Z\u00c4\u00d6\u00dc]|$)")
_BUSINESS = lazy_pattern(
    r"\b(?:revenue|turnover|sales|budgets?|price[sd]?|costs?|costing|tickets?|invoices?|deals?|funding|arr|mrr"
    r"|licen[cs]es?|subscri\w+|pipeline"
    r"|quota|customers?|users?|points|followers|steps|calories|profits?|shares?|fees?|fine|donat\w+|raised"
    r"|spend(?:ing)?|spent|grants?|contracts? worth"
    r"|projects?|per seat|hosting|umsatz|kosten|kostet|preis\w*|rechnung\w*|budgets?|chiffre d'affaires|co\u00fbt\w*"
    r"|prix|facture"
    r"|presupuesto|precio|coste|cuesta|ventas|factura)\b",
    re.IGNORECASE,
)
_STRONG_NEAR = lazy_pattern("|".join(map(re.escape, _STRONG)))
_OWN_MONEY = lazy_pattern(
    r"\b(?:earn\w*|(?:my|his|her|their|your) pay|pay (?:rise|raise)|(?:get|gets|being|was|were|am|is) paid|pa(?:id"
    r"|ys?|ying) (?:me|her|him)|bonus"
    r"|pension|severance|stipend|mortgage|owes?|owed|owing|debts?|savings|student loan|alimony|child support|my rent"
    r"|verdien\w*"
    r"|brutto|netto|abfindung|schulden|gespart|rente|kredit|gagn\w+|je touche|bruts?|ma paie|dettes|gano|gana|cobro"
    r"|cobra|bruto"
    r"|deudas?|hipoteca|ahorros|ingresos?)\b",
    re.IGNORECASE,
)


def find_pay(text: str, words: Words) -> Iterator[tuple[int, int]]:
    """Yield the places of amounts of pay or own money in the normalised `text`, whose words are `words`."""
    for start, end in words.windows((*_STRONG, *_WEAK), before=70, after=70):
        for amount in _AMOUNT().finditer(text, start, end):
            if _is_pay(text, words.small, amount):
                yield amount.span()


def _is_pay(text: str, small: str, amount: re.Match[str]) -> bool:
    digits = sum(map(str.isdigit, amount["number"]))
    money = bool(amount["before"] or amount["after"])
    scaled = bool(amount["scale"]) and amount["scale"].strip(" -") not in {"m", "million"}
    plain_year = digits == 4 and amount["number"][:2] in {"19", "20"} and amount["number"].isdigit()
    if not (money or scaled) and (digits < 4 or plain_year):
        return False
    before, after = _clause(text, amount.start(), amount.end())
    if _BUSINESS().search(before[-45:]) or _BUSINESS().search(after[:25]):
        return False
    if _STRONG_NEAR().search(small, amount.start() - len(before), amount.end() + len(after)):
        return True
    given = _GIVEN_BEFORE().search(before) and (scaled or _PERIOD_AFTER().match(after))
    beside = _OWN_MONEY().search(before[-50:]) or _OWN_MONEY().search(after[:40])
    return (money or scaled) and bool(given or beside or _ON_BEFORE().search(before))


def _clause(text: str, start: int, end: int) -> tuple[str, str]:
    """Return what stands before and after in the same sentence, at most 70 characters each."""
    before, after = text[max(0, start - 70) : start], text[end : end + 70]
    ends = [found.end() for found in _SENTENCE_END().finditer(before)]
    stop = _SENTENCE_END().search(after)
    return before[ends[-1] :] if ends else before, after[: stop.start()] if stop else after
