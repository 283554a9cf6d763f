"""Postal addresses: a street with a number, and the town that follows, as English, German, French and Spanish write it.

Promises: the place covers street, flat, postcode and town in one piece; lanes, ways and places in the other sense
("a 2 way street", "in second place") are left alone. Does not: know streets by name: that takes an encoder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.nearby import Words

__all__ = ["find_streets"]

_UP = "[A-Z\u00c0-\u00d6\u00d8-\u00de]"
_LOW = "[a-z\u00df-\u00f6\u00f8-\u00ff]"
_NAME = rf"{_UP}(?:[^\W\d_]|['.-])*(?!\w)"
_PLACE = rf"{_NAME}(?:[ -](?:{_NAME}|(?:am|an|der|im|upon|on|in|sur|les|la|le|de|del|los|las|l')(?= ?{_UP}))){{0,4}}"
_SUFFIX = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Close|Crescent|Cres|Terrace|Place"
    r"|Pl|Square|Sq|Parkway|Pkwy"
    r"|Highway|Hwy|Circle|Cir|Loop|Trail|Row|Gardens|Gdns|Grove|Mews|Hill|Walk|Crossing|Alley|Quay|Esplanade)"
)
_LOOSE_SUFFIX = r"(?:street|avenue|boulevard|road|lane|drive|close|crescent|terrace|court|rd|ave|blvd)"
_NOT_A_NAME = (
    r"(?:way|lane|one|two|the|a|an|of|on|in|down|up|to|per|other|more|days?|weeks?|months?|years?|hours?|minutes?"
    r"|mins?|times|people|percent|miles|km|meters?|metres?|high|main"
    r"|product|test|hard|usb|disk|sales|food|charity|is|are|was|were|at|and|or|from|my|our|different|ticket\w*"
    r"|items?|tasks?|points?)"
)
_FLAT = r"(?:[,\n]? ?(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Room|#)\.? ?[\w-]{1,6})?"
_ZIP = (
    r"(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|(?:[A-Z]{2}[ ,]{1,2})?\d{5}(?:-\d{4})?|[A-Z]{2,3} \d{4}"
    r"|[A-Z]\d[A-Z] ?\d[A-Z]\d)"
)
_TOWN = (
    rf"(?:,? ?[,\n] ?{_PLACE}){{0,2}}(?:(?:, ?|\n| )[A-Z]{{2}}(?!\w))?(?:[ ,\n]{{1,3}}{_ZIP}(?!\w))?(?:[,\n] ?(?:USA"
    rf"|UK|United Kingdom|England|Ireland|India|Canada|Australia))?"
)
_ENGLISH = lazy_pattern(
    rf"(?<![\w.,/#-])(?:(?:Flat|Apt|Unit|Suite|Apartment) ?[\w-]{{1,5}},? )?\d{{1,5}}[A-Za-z]?(?:-\d{{1,5}})?,? "
    rf"(?:[NSEW]\.? |North |South |East |West )?"
    rf"(?:(?:{_NAME}|\d{{1,3}}(?:st|nd|rd|th)|of|the) ){{1,4}}{_SUFFIX}\b\.?(?: [NSEW]{{1,2}}\b)?{_FLAT}{_TOWN}"
)
_LOOSE = lazy_pattern(
    rf"(?<![\w.,/#:-])\d{{1,5}}[a-z]? (?:(?!{_NOT_A_NAME}\b)[a-z][a-z'-]{{2,}} ){{1,2}}{_LOOSE_SUFFIX}\b"
    rf"(?:,? (?:flat|apt|unit|apartment) ?\w{{1,5}})?",
    re.IGNORECASE,
)
_BOX = lazy_pattern(
    rf"\b(?:P\.? ?O\.? ?Box|Postfach|Apartado(?: de correos)?|BP) \d[\d ]{{1,7}}\d(?:,? {_TOWN})?", re.IGNORECASE
)
_HOUSE = (
    r"\d{1,4} ?[a-zA-Z]?(?:[-/] ?\d{1,4} ?[a-zA-Z]?)?(?![\w%]|[.,:]\d| ?(?:Uhr|Euro|\u20ac|Minuten|Personen|km|m)\b)"
)
_GERMAN_TOWN = rf"(?:(?:,| -)? ?\n?(?:D-|DE-|A-|CH-)?\d{{4,5}} {_PLACE})?"
_GERMAN = lazy_pattern(
    rf"(?<![\w-])(?:{_UP}[\w.-]* ){{0,2}}?(?:{_UP}[\w-]*(?:stra\u00dfe|strasse|str\.|gasse|allee|chaussee|damm|ufer"
    rf"|steig|weg|platz|ring|stieg|promenade)"
    rf"|(?:{_UP}[\w-]+ ){{1,2}}(?:Stra\u00dfe|Strasse|Str\.|Weg|Platz|Allee|Ring|Gasse|Damm|Ufer)"
    rf"|(?:Am|An der|An den|Auf dem|Auf der|Im|In der|In den|Zum|Zur|Unter den|Hinter der"
    rf"|Beim) {_UP}[\w-]+(?: {_UP}[\w-]+)?(?= {_HOUSE},? ?\n?\d{{5}} {_UP})) {_HOUSE}{_GERMAN_TOWN}"
)
_FRENCH_TOWN = rf"(?:,? ?(?:- ?)?\n?\d{{5}},? {_PLACE}(?: cedex(?: \d+)?)?|, {_PLACE})?"
_FRENCH = lazy_pattern(
    rf"(?<![\w.,/-])\d{{1,4}}(?: ?(?:bis|ter|quater))?,? ?(?i:rue|avenue|av\.|boulevard|bd\.?|place|chemin"
    rf"|all\u00e9e|all\u00e9es|impasse|quai|route|cours|square|passage|villa|sentier|faubourg)"
    rf" (?:(?:de la|de l'|des|du|de|d'|la|le|les|l'|aux?|et|sur|en) ?)*{_NAME}(?:(?: (?:de la|de l'|des|du|de|d'|la"
    rf"|le|les|et|sur))?[ -]{_NAME}|[ -]l'{_NAME}){{0,4}}{_FRENCH_TOWN}"
)
_SPANISH_TOWN = rf"(?:(?:, ?|,? ?\n| -? ?)(?:CP ?)?\d{{5}},? {_PLACE}|, {_PLACE})?"
_SPANISH = lazy_pattern(
    rf"(?<![\w-])(?:(?:Calle|calle|Avenida|avenida|Avda\.?|Av\.|Plaza|plaza|Pza\.?|Pl\.|Paseo|paseo|P\.\u00ba|Camino"
    rf"|Carrer|Ronda|Traves\u00eda|Rambla|Carretera|Ctra\.?|Gran V\u00eda) |C/ ?)"
    rf"(?:(?:de la|de los|de las|del|de|la|el|los|las|d'|i|y) ?)*(?:{_NAME}(?: (?:de la|de los|de las|del|de|la|el"
    rf"|los|las|y|i))? ){{0,4}}?{_NAME},? ?(?:n\.?\u00ba ?|n\u00famero |num\.? ?|no\.? ?)?\d{{1,4}}"
    rf"(?![\w%]|[.:]\d| ?(?:\u20ac|euros)\b)(?:,? ?(?:piso |planta |puerta "
    rf"|esc\.? ?)?\d{{1,2}}(?:\.?[\u00ba\u00aao])? ?-?(?:[A-Z]|izq\w*|dcha?|der\w*)?\b\.?)?{_SPANISH_TOWN}"
)
_POSTCODE = lazy_pattern(r"[A-PR-UWYZ][A-HK-Y]?\d[A-HJKPS-UW\d]? \d[ABD-HJLNP-UW-Z]{2}(?![\w-])")
_ENGLISH_WORDS = (
    *("street", "st", "road", "rd", "avenue", "ave", "lane", "ln", "drive", "dr", "boulevard", "blvd", "court", "ct"),
    *(
        "way",
        "close",
        "crescent",
        "cres",
        "terrace",
        "place",
        "pl",
        "square",
        "sq",
        "parkway",
        "pkwy",
        "highway",
        "hwy",
    ),
    *("circle", "cir", "loop", "trail", "row", "gardens", "gdns", "grove", "mews", "hill", "walk", "crossing", "alley"),
    *("quay", "esplanade"),
)
_GERMAN_WORDS = (
    *(
        "stra\u00dfe ",
        "strasse ",
        "str. ",
        "gasse ",
        "allee ",
        "chaussee ",
        "damm ",
        "ufer ",
        "steig ",
        "weg ",
        "platz ",
        "ring ",
        "stieg ",
        "promenade ",
    ),
    *("am ", "an de", "auf de", "im ", "in de", "zum ", "zur ", "unter den ", "hinter der ", "beim "),
)
_FRENCH_WORDS = (
    *(
        "rue ",
        "avenue ",
        "av. ",
        "boulevard ",
        "bd ",
        "bd. ",
        "place ",
        "chemin ",
        "all\u00e9e",
        "impasse ",
        "quai ",
        "route ",
        "cours ",
        "square ",
    ),
    *("passage ", "villa ", "sentier ", "faubourg "),
)
_SPANISH_WORDS = (
    *(
        "calle ",
        "avenida ",
        "avda",
        "av. ",
        "plaza ",
        "pza",
        "pl. ",
        "paseo ",
        "p.\u00ba ",
        "camino ",
        "carrer ",
        "ronda ",
        "traves\u00eda ",
    ),
    *("rambla ", "carretera ", "ctra", "gran v\u00eda ", "c/"),
)
_RULES = (
    (_GERMAN_WORDS, _GERMAN, 50, 80),
    (_FRENCH_WORDS, _FRENCH, 12, 120),
    (_SPANISH_WORDS, _SPANISH, 5, 120),
    (("box ", "postfach ", "apartado ", "bp "), _BOX, 10, 60),
)


def find_streets(text: str, words: Words) -> Iterator[tuple[int, int]]:
    """Yield the places of postal addresses in the normalised `text`, whose words are `words`."""
    for start, end in words.windows(_ENGLISH_WORDS, before=50, after=100, whole=True):
        for found in (*_ENGLISH().finditer(text, start, end), *_LOOSE().finditer(text, start, end)):
            yield found.span()
    for phrases, pattern, before, after in _RULES:
        for start, end in words.windows(phrases, before=before, after=after):
            yield from (found.span() for found in pattern().finditer(text, start, end))
    for found in _POSTCODE().finditer(text):
        letter = text[found.start() - 1 : found.start()]
        if not (letter.isalnum() or letter in {"-", "_"}):
            yield found.span()
