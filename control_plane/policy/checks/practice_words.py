"""What a coaching assistant must never be asked to do, as words: practices, and what negates them, in four languages.

English, German, French and Spanish are looked for in every text, whatever its locale. The words are patterns over text
in small letters without accents, compiled when they are first looked for: a server compiles none of them to start. A
pair is an act on a thing ("detect ... emotion"); a phrase is forbidden as it stands; members are names that an output
must not have, because filling them is the practice itself.

Source: Regulation (EU) 2024/1689, Art. 5(1)(a) manipulation, 5(1)(f) emotions at work and in education, Annex III 4(b)
decisions about workers; the coaching associations' rules against diagnosis by an assistant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["NEGATIONS", "PRACTICES", "UNDOES_NEGATION", "Practice"]


@dataclass(frozen=True, slots=True)
class Practice:
    """One prohibited practice: how people call it, its acts and things, phrases, and names of members."""

    name: str
    pair: str
    phrase: str
    member: str


_NOTHING = r"(?!)"
_BETWEEN = r"(?:\W+\w+){0,5}?\W+"


def _practice(name: str, *, acts: str, things: str, phrases: str, members: str) -> Practice:
    act, thing = rf"\b(?:{_alternatives(acts)})\b", rf"\b(?:{_alternatives(things)})\b"
    pair = rf"{act}{_BETWEEN}{thing}" if acts else _NOTHING
    return Practice(
        name,
        pair,
        rf"\b(?:{_alternatives(phrases)})\b" if phrases else _NOTHING,
        rf"(?:^|_)(?:{_alternatives(members)})(?:_|$)",
    )


def _alternatives(words: str) -> str:
    return "|".join(part for part in re.split(r"\s*\|\s*|\n+", words.strip()) if part)


_ASSESSES = r"""
infer|deduce|detect|recogni[sz]e|classify|analy[sz]e|assess|measure|rate|score|estimate|gauge|identify|determine
predict
erkenne[n]?|erschliess[e]?(?:n)?|ableiten|leite|bestimme[n]?|bewerte[n]?|beurteile[n]?|analysiere[n]?|messe[n]?|miss
schatze[n]?|ermittle|ermitteln|klassifiziere[n]?
deduis|deduire|detecte[rz]?|reconnais|reconnaitre|classe[rz]?|analyse[rz]?|evalue[rz]?|mesure[rz]?|estime[rz]?
identifie[rz]?
deduce|deducir|detecta|detectar|reconoce|reconocer|clasifica|clasificar|analiza|analizar|evalua|evaluar|mide|medir
estima|estimar|identifica|identificar
"""

PRACTICES = (
    _practice(
        "emotion inference",
        acts=_ASSESSES,
        things=r"""
emotions?|emotional states?|feelings?|moods?|sentiments?|stress levels?|mental states?|states? of mind
emotion(?:en)?|gefuhle?|gefuhlslage|stimmung(?:en)?|gemutszustand|stresspegel|stressniveau
sentiments?|humeur|etats? emotionnels?|etat d.esprit|niveau de stress
emocion(?:es)?|sentimientos?|estados? de animo|estados? emocional(?:es)?|nivel de estres
""",
        phrases=r"""
emotion recognition|emotion detection|sentiment analysis|emotional analysis|mood detection
emotionserkennung|stimmungsanalyse|sentimentanalyse|gefuhlserkennung
reconnaissance des emotions|analyse de sentiments?|analyse des emotions
reconocimiento de emociones|analisis de sentimientos?
""",
        members=r"""
emotions?|emotional|feelings?|moods?|sentiments?|affect|valence|arousal|stress|anxiety|anger|frustration
gefuhle?|stimmung|humeur|emociones?|emocion|animo|estres
""",
    ),
    _practice(
        "diagnosis",
        acts=_ASSESSES + "|check|screen|test|suggest|prufe[n]?|testen?|verifie[rz]?|comprueba|comprobar",
        things=r"""
depression|burn-?out|adhd|autism|anxiety disorders?|(?:mental|personality|psychological) disorders?
mental illness(?:es)?
psychische storung(?:en)?|personlichkeitsstorung(?:en)?|angststorung(?:en)?|depression(?:en)?|autismus|adhs
troubles? (?:mentaux|mental|psychique|psychiques|de la personnalite|anxieux)|tdah|autisme
trastornos? (?:mental|mentales|psicologicos?|de personalidad|de ansiedad)|depresion|autismo
""",
        phrases=r"""
diagnose|diagnoses|diagnosing|make a diagnosis|give a diagnosis|a diagnosis of
diagnostiziere[n]?|stell[e]? eine diagnose|eine diagnose stellen
diagnostique[rz]?|pose[rz]? un diagnostic|etabli[rs]+ un diagnostic
diagnostica|diagnosticar|diagnostique|haz un diagnostico|hacer un diagnostico
""",
        members=r"""
diagnos[ei]s|diagnos(?:is|tic|tico|e)|disorders?|symptoms?|illness|pathology|depression|burnout|mental_health
storung|symptome?|trouble|trastorno|sintomas?
""",
    ),
    _practice(
        "manipulation",
        acts=r"""
exploit|prey on|take advantage of|nutze|nutzen|ausnutzen|exploite[rz]?|profite[rz]? de|explota|explotar|aprovecha
""",
        things=r"""
weakness(?:es)?|vulnerabilit(?:y|ies)|fears?|insecurit(?:y|ies)|lonel(?:y|iness)|schwachen?|angste?
unsicherheit(?:en)?
faiblesses?|vulnerabilites?|peurs?|debilidad(?:es)?|vulnerabilidad(?:es)?|miedos?
""",
        phrases=r"""
without (?:them|the (?:learner|user|person|employee|mentee)) (?:noticing|realis?z?ing|knowing)|subliminal(?:ly)?
make (?:them|the (?:learner|user|person)) feel (?:guilty|ashamed|afraid)|guilt[- ]trip|shame (?:them|the learner) into
pretend (?:to be|that you are) (?:a )?(?:human|person|real)|claim to be (?:a )?human
say (?:that )?you are (?:a )?human
deny (?:being|that you are) an? (?:ai|assistant|machine|bot)
(?:never|do not|don.t) (?:reveal|admit|say|disclose) that you are an? (?:ai|assistant|machine|bot)
create (?:a )?(?:false )?(?:sense of )?urgency|pressure (?:them|the (?:learner|user|person|employee)) (?:into|to)
ohne dass (?:sie|er|es|die person|der lernende) (?:es )?(?:merkt|merken|bemerkt)|unterschwellig
schuldgefuhle? (?:machen|erzeugen|wecken)
gib dich als mensch aus|als mensch ausgeben|unter druck setzen|setze? .{0,30} unter druck
sans (?:qu.(?:il|elle)s? (?:s.en )?(?:apercoive|rende compte)|que .{0,30} (?:s.en apercoive|le remarque))
subliminal\w*|culpabilise[rz]?
fais-toi passer pour (?:un humain|une personne)|se faire passer pour (?:un humain|une personne)
mets? .{0,30} sous pression
sin que (?:se de cuenta|lo note|lo sepa)|hazte pasar por (?:un humano|una persona)
hacerse pasar por (?:un humano|una persona)
haz(?:le)? sentir culpable|presiona (?:al|a la)
""",
        members=r"vulnerabilit(?:y|ies)|weak_?spots?|persuasion|leverage|susceptibility|manipulation",
    ),
    _practice(
        "employment decisions",
        acts=r"""
recommend|decide|determine|predict|rank|score|rate|shortlist|select|assess|evaluate|flag
empfiehl|empfehle[n]?|entscheide[n]?|beurteile[n]?|bewerte[n]?|ordne|vorhersage[n]?|prognostiziere[n]?
recommande[rz]?|decide[rz]?|juge[rz]?|evalue[rz]?|predi[st]|predire|classe[rz]?|note[rz]?
recomienda|recomendar|decide|decidir|juzga|juzgar|evalua|evaluar|predice|predecir|clasifica|clasificar|puntua|puntuar
""",
        things=r"""
(?:be )?(?:hired|promoted|dismissed|fired|demoted)|hire|hiring|promote|promotion|dismissal|dismiss them
fire them|pay rise|bonus(?:es)?
(?:flight|attrition|resignation) risks?|(?:employees|candidates|applicants|staff)|job performance
performance ratings?|suitability for (?:a|the) (?:job|role|position)
einstellen|einstellung von|eingestellt|befordern|befordert|beforderung|kundigen|gekundigt|entlassen|entlassung
gehaltserhohung|mitarbeiter(?:innen)?|bewerber(?:innen)?|kundigungsrisiko
embaucher|embauche|promouvoir|promotion|licencier|licenciement|augmentation de salaire|candidats?|employes?
risque de depart
contratar|contratacion|ascender|ascenso|despedir|despido|aumento de sueldo|candidatos?|empleados?|riesgo de fuga
""",
        phrases=r"""
rank(?:ing)? of (?:employees|people|learners|candidates)|performance (?:appraisal|rating) of the (?:employee|learner)
rangliste der (?:mitarbeiter|lernenden)|leistungsbeurteilung|classement des (?:employes|candidats)
clasificacion de (?:empleados|candidatos)
""",
        members=r"""
hire|hiring|hired|promote|promotion|promotable|dismiss|dismissal|termination|fire|rank|ranking|league
(?:flight|attrition|churn|resignation|people|employee|learner)_?(?:risk|score|rating)|risk_?(?:score|level|rating)?
performance_?(?:score|rating|level|review)|employability|suitability
salary_?(?:recommendation|decision|increase)|rating|score
einstellung|beforderung|kundigung|entlassung|rangliste|bewertung|embauche|licenciement|classement|contratacion
ascenso|despido|puntuacion
""",
    ),
)

NEGATIONS = (
    r"\b(?:not|never|no|nor|neither|without|avoid|refuse|cannot|can.t|don.t|doesn.t|isn.t|must not|mustn.t"
    r"|won.t|nothing|instead of|rather than|stop"
    r"|nicht|nie|niemals|kein|keine|keinen|keiner|keinem|weder|ohne|vermeide|vermeiden|statt|unterlasse"
    r"|ne|n|pas|jamais|aucun|aucune|sans|ni|evite|evitez|eviter|plutot que"
    r"|nunca|jamas|ningun|ninguna|sin|evita|evite|evitar|tampoco|en lugar de)\b"
)
"""What makes a practice that follows in the same clause something that is not to be done."""

UNDOES_NEGATION = (
    r"\b(?:(?:never|not|don.t) (?:fail|forget|hesitate|omit|stop|refuse|avoid)|not only|no doubt|no matter"
    r"|without (?:fail|hesitation|hesitating)"
    r"|nicht nur|vergiss nicht|zogere nicht|ohne zu zogern|nicht vergessen"
    r"|n.oublie(?:z)? pas|n.hesite(?:z)? pas|sans hesiter|pas seulement|ne manque(?:z)? pas"
    r"|no olvides|no dudes|sin dudar|no solo|no dejes)\b"
)
"""What looks like a negation and is none."""
