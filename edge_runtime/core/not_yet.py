"""What a person reads where a prompt was asked for and this device has not adopted any release yet.

Promises: there is always a text; it is fixed, asks for nothing, and says what will help. Like the hand-off texts it is
part of the program, not of a release: no approved text is there yet. Does not: hear a crisis, which comes first.
"""

from __future__ import annotations

from edge_runtime.core.locales import language_of

__all__ = ["not_yet_text"]

_TEXTS = {
    "de": "Die Texte für diese Begleitung sind noch nicht auf diesem Gerät. Mit einer Internetverbindung kommen sie "
    "an; bis dahin bleibt alles, was du geschrieben hast, hier.",
    "en": "The scripts for this session are not on this device yet. They arrive once it is online; until then what "
    "you wrote stays here.",
    "es": "Los textos de este acompañamiento todavía no están en este dispositivo. Llegarán cuando tenga conexión; "
    "hasta entonces, lo que has escrito se queda aquí.",
    "fr": "Les textes de cet accompagnement ne sont pas encore sur cet appareil. Ils arriveront dès qu’il sera en "
    "ligne ; d’ici là, ce que vous avez écrit reste ici.",
}


def not_yet_text(locale: str) -> str:
    """Return the text for a language tag such as `de-AT`; an unknown language gets English.

    >>> not_yet_text("xx") == not_yet_text("en-GB")
    True
    """
    return _TEXTS.get(language_of(locale), _TEXTS["en"])
