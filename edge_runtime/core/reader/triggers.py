"""Words that give orders to an assistant, in four languages, as data: where they are disguised, the disguise is undone.

Promises: data only. A word here is no finding: it only decides which spelling is read as well.
Does not: judge a sentence. That is the encoder's work.
"""

from __future__ import annotations

__all__ = ["SMALL_WORDS", "TRIGGERS"]

_TRIGGER_LIST = """
access act admin administrator answer anything assistant bypass confidential context credentials debug delete developer
disable disclose disregard dump email erase everything execute export filter filters follow forget forward guardrails
guidelines hidden ignore initial injection instead instruction instructions jailbreak keys leak message messages mode
moderation now obey output override passcode password passwords policy pretend previous print prior private prompt
prompts repeat reply respond restrictions reveal role roleplay rules safety secret secrets send show system tell token
unfiltered uncensored unlock unrestricted
anweisung anweisungen befehl befehle geheim gib ignoriere ignorieren passwort regeln systemprompt vergiss verrate
vorherige vorherigen zeige
affiche divulgue ignorez ignorer instructions montre oublie oubliez precedentes regles revele secrets
anteriores contrasena ignora ignorar instrucciones muestra olvida olvide reglas revela
"""
TRIGGERS = frozenset(_TRIGGER_LIST.split())
_SMALL_LIST = """
a above about all alle allen alles an and any anything are as at be before below de der die das do el en et for from i
is it kill la las le les los me mes mir my myself mich nicht no not of on or our out para que sans sin te the their them
these this those to todas tous toutes und us user want was what with you your yourself
"""
SMALL_WORDS = frozenset(_SMALL_LIST.split())
"""Words that stand between triggers: they help to part letters that were all written apart."""
