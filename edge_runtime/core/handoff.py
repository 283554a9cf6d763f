"""The human hand-off texts that are compiled into the package (P6): calm words and a way to a person.

Promises: there is always a text, for any locale and situation; the texts are fixed, so the approved copy in the
library can be compared byte for byte; no release, policy or preference reaches this module.
Does not: detect a crisis (see `reader.crisis`) or send anything anywhere.
Source: 112 is the emergency number in the European Union; 988 the Suicide and Crisis Lifeline in the USA and
Canada; 116 123 the European number for emotional support; 3114 and 024 the national lines of France and Spain.
"""

from __future__ import annotations

from typing import Literal

from audit.frozen import frozen
from edge_runtime.core.locales import language_of

__all__ = ["HANDOFF_LOCALES", "HandOff", "handoff_text"]

Situation = Literal["self", "other"]

HANDOFF_LOCALES = ("de", "en", "es", "fr")
"""Languages that have a text; any other gets English."""


@frozen
class HandOff:
    """What the person reads, in which language and for which situation."""

    text: str
    locale: str
    situation: Situation


def handoff_text(locale: str, situation: str) -> HandOff:
    """Return the text for `locale` (a language tag such as `de-AT`) and `situation` (`self` or `other`).

    Total: an unknown language gets English, an unknown situation the text for oneself.
    """
    language = language_of(locale)
    known = language if language in HANDOFF_LOCALES else "en"
    which: Situation = "other" if situation == "other" else "self"
    return HandOff(_TEXTS[known, which], known, which)


_TEXTS: dict[tuple[str, Situation], str] = {
    ("en", "self"): """\
What you wrote sounds very hard, and it matters more than anything we were working on. Coaching has stopped here.

You do not have to carry this alone. Please talk to a person now:

- If you might act on these thoughts, or you are not safe: call your local emergency number. \
EU: 112. UK and Ireland: 999 or 112. USA and Canada: 911.
- USA and Canada: call or text 988, day and night.
- UK and Ireland: call Samaritans on 116 123, day and night, free of charge.
- Elsewhere: your local emergency number can connect you with help near you.
- Somebody you trust can stay with you while you make the call.

Your mentor, or a person from your programme, can be there for you too: it is fine to ask them. \
This assistant has not passed on what you wrote.

You decide what happens next. When you want to, you can go on.
""",
    ("en", "other"): """\
Thank you for taking this seriously. It sounds as if somebody you know may be in danger. Coaching has stopped here.

You do not have to carry this alone, and neither do they. Please talk to a person now:

- If they might act on it soon, or somebody is hurt: call your local emergency number. \
EU: 112. UK and Ireland: 999 or 112. USA and Canada: 911. Stay with them if you can do so safely.
- USA and Canada: call or text 988, day and night. You can call because you are worried about somebody else.
- UK and Ireland: call Samaritans on 116 123, day and night, free of charge.
- Elsewhere: your local emergency number can connect you with help near you.
- You may ask the person directly and calmly, listen, and offer to make the call together.

Your mentor, or a person from your programme, can be there for you too: it is fine to ask them. \
This assistant has not passed on what you wrote.

You decide what happens next. When you want to, you can go on.
""",
    ("de", "self"): """\
Was Sie geschrieben haben, klingt sehr schwer, und es ist wichtiger als alles, woran wir gerade gearbeitet haben. \
Das Coaching ist hier angehalten.

Sie müssen das nicht allein tragen. Bitte sprechen Sie jetzt mit einem Menschen:

- Wenn Sie diesen Gedanken folgen könnten oder nicht in Sicherheit sind: Rufen Sie die örtliche Notrufnummer an, \
in der EU 112, in der Schweiz 112 oder 144.
- Deutschland: TelefonSeelsorge, 116 123, Tag und Nacht, kostenlos.
- Österreich: TelefonSeelsorge, 142. Schweiz: Die Dargebotene Hand, 143. Beide Tag und Nacht.
- Anderswo: Die örtliche Notrufnummer kann Sie mit Hilfe in Ihrer Nähe verbinden.
- Jemand, dem Sie vertrauen, kann bei Ihnen bleiben, während Sie anrufen.

Auch Ihre Mentorin, Ihr Mentor oder ein Mensch aus Ihrem Programm kann für Sie da sein: Sie dürfen darum bitten. \
Dieser Assistent hat nicht weitergegeben, was Sie geschrieben haben.

Sie entscheiden, wie es weitergeht. Wenn Sie möchten, können Sie fortfahren.
""",
    ("de", "other"): """\
Danke, dass Sie das ernst nehmen. Es klingt so, als könnte jemand, den Sie kennen, in Gefahr sein. \
Das Coaching ist hier angehalten.

Sie müssen das nicht allein tragen, und die andere Person auch nicht. Bitte sprechen Sie jetzt mit einem Menschen:

- Wenn bald etwas geschehen könnte oder jemand verletzt ist: Rufen Sie die örtliche Notrufnummer an, in der EU 112, \
in der Schweiz 112 oder 144. Bleiben Sie bei der Person, wenn Sie das gefahrlos können.
- Deutschland: TelefonSeelsorge, 116 123, Tag und Nacht, kostenlos. Sie können auch aus Sorge um jemand anderen anrufen.
- Österreich: TelefonSeelsorge, 142. Schweiz: Die Dargebotene Hand, 143. Beide Tag und Nacht.
- Anderswo: Die örtliche Notrufnummer kann Sie mit Hilfe in Ihrer Nähe verbinden.
- Sie dürfen die Person direkt und ruhig fragen, zuhören und anbieten, gemeinsam anzurufen.

Auch Ihre Mentorin, Ihr Mentor oder ein Mensch aus Ihrem Programm kann für Sie da sein: Sie dürfen darum bitten. \
Dieser Assistent hat nicht weitergegeben, was Sie geschrieben haben.

Sie entscheiden, wie es weitergeht. Wenn Sie möchten, können Sie fortfahren.
""",
    ("fr", "self"): """\
Ce que vous avez écrit semble très lourd, et cela compte plus que tout ce que nous faisions. \
L’accompagnement s’arrête ici.

Vous n’avez pas à porter cela sans aide. Parlez maintenant à une personne, s’il vous plaît :

- Si vous risquez de passer à l’acte ou si vous n’êtes pas en sécurité : appelez le numéro d’urgence de votre pays, \
112 dans l’Union européenne, 911 au Canada.
- France : appelez le 3114, jour et nuit, appel gratuit.
- Canada : appelez le 988 ou envoyez un texto au 988, jour et nuit.
- Ailleurs : le numéro d’urgence local peut vous orienter vers une aide près de chez vous.
- Une personne de confiance peut rester avec vous pendant l’appel.

Votre mentor ou une personne de votre programme peut aussi être là pour vous : vous pouvez le demander. \
Cet assistant n’a pas transmis ce que vous avez écrit.

C’est vous qui décidez de la suite. Quand vous le voudrez, vous pourrez continuer.
""",
    ("fr", "other"): """\
Merci de prendre cela au sérieux. Il semble qu’une personne que vous connaissez soit peut-être en danger. \
L’accompagnement s’arrête ici.

Vous n’avez pas à porter cela sans aide, et cette personne non plus. Parlez maintenant à quelqu’un, s’il vous plaît :

- Si un passage à l’acte est proche ou si quelqu’un est blessé : appelez le numéro d’urgence de votre pays, \
112 dans l’Union européenne, 911 au Canada. Restez auprès de la personne si vous le pouvez sans danger.
- France : appelez le 3114, jour et nuit, appel gratuit. Vous pouvez appeler par inquiétude pour quelqu’un d’autre.
- Canada : appelez le 988 ou envoyez un texto au 988, jour et nuit.
- Ailleurs : le numéro d’urgence local peut vous orienter vers une aide près de chez vous.
- Vous pouvez poser la question directement et calmement, écouter, et proposer d’appeler ensemble.

Votre mentor ou une personne de votre programme peut aussi être là pour vous : vous pouvez le demander. \
Cet assistant n’a pas transmis ce que vous avez écrit.

C’est vous qui décidez de la suite. Quand vous le voudrez, vous pourrez continuer.
""",
    ("es", "self"): """\
Lo que has escrito suena muy duro, y es más importante que todo lo que estábamos haciendo. \
El acompañamiento se detiene aquí.

No tienes que cargar con esto a solas. Por favor, habla ahora con una persona:

- Si podrías hacerte daño o no estás a salvo: llama al número de emergencias de tu país, \
112 en la Unión Europea, 911 en Estados Unidos y Canadá.
- España: llama al 024, día y noche, llamada gratuita.
- Estados Unidos: llama al 988, día y noche, y pulsa 2 para hablar en español.
- En otros lugares: el número de emergencias local puede ponerte en contacto con ayuda cerca de ti.
- Alguien de tu confianza puede quedarse contigo mientras llamas.

Tu mentora, tu mentor o una persona de tu programa también puede estar a tu lado: puedes pedírselo. \
Este asistente no ha pasado a nadie lo que has escrito.

Tú decides qué pasa ahora. Cuando quieras, puedes continuar.
""",
    ("es", "other"): """\
Gracias por tomarte esto en serio. Parece que alguien que conoces puede estar en peligro. \
El acompañamiento se detiene aquí.

No tienes que cargar con esto a solas, y esa persona tampoco. Por favor, habla ahora con alguien:

- Si puede ocurrir pronto o hay alguien herido: llama al número de emergencias de tu país, \
112 en la Unión Europea, 911 en Estados Unidos y Canadá. Quédate con la persona si puedes hacerlo sin peligro.
- España: llama al 024, día y noche, llamada gratuita. Puedes llamar porque te preocupa otra persona.
- Estados Unidos: llama al 988, día y noche, y pulsa 2 para hablar en español.
- En otros lugares: el número de emergencias local puede ponerte en contacto con ayuda cerca de ti.
- Puedes preguntarle directamente y con calma, escuchar y ofrecerte a llamar juntos.

Tu mentora, tu mentor o una persona de tu programa también puede estar a tu lado: puedes pedírselo. \
Este asistente no ha pasado a nadie lo que has escrito.

Tú decides qué pasa ahora. Cuando quieras, puedes continuar.
""",
}
