"""Which language a text is in, as far as the reader must know it: one of four that it reads, or another.

Promises: no model and no data file; a short note without a telling word is not called foreign; a single sentence in a
language that the reader cannot read is enough to say so, since nobody would have assessed it.
Does not: tell other languages apart. Source: the commonest function words of each language, chosen by hand.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import chain

from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.records import Language

__all__ = ["is_function_word", "language_of"]

MIN_WORDS = 5
"""Fewest words of a sentence that can show that it is foreign."""
MIN_HITS = 3
"""Fewest words of a language among them."""
MIN_LETTERS = 8
"""Fewest letters of another script that make a sentence foreign."""
MIN_UNKNOWN = 20
"""Fewest words without one that we know, in plain prose, that show a language of which we know nothing."""

_READ: dict[Language, str] = {
    "en": """a about after all also am an and any are as at back be because been before but by can could did do does
        don't for from get go had has have he her him his how i i'm if in into is isn't it it's its just
        know like me more my no not now of on one or our out over really she should so some than that
        the their them then there they this to too up us very was we were what when which who will with
        would you your""",
    "de": """aber alle als am an auch auf aus bei bin bis da damit das dass dem den der des dich die diese dir du
        durch ein eine einem einen einer er es etwas für gegen habe haben hat hatte ich ihm ihn ihr im
        in ist ja jetzt kann kein keine mal man mehr mein meine meinem meinen meiner mich mir mit muss
        nach nicht noch nur ob oder ohne schon sehr sein sich sie sind so über um und uns unser vom von
        vor war warum was weil wenn wer werde werden wie wieder will wir wird würde zu zum zur""",
    "fr": """à ai au aux avec avoir c'est ce ces cette comme d'un d'une dans de des donc du elle en est et été être
        fait il ils j'ai je la le les leur lui ma mais me même mes moi mon n'est ne nous on ont ou où
        par pas peu peut plus pour qu'il que qui sa sans se ses si son sont suis sur ta te toi ton
        toujours tout très tu un une vous""",
    "es": """a al algo así aunque bien como con cuando de del desde donde el ella ellos en era eres es esa ese eso
        esta está estaba estoy este esto fue ha hacer hay he la las le les lo los más me mi mis mucho
        muy nada ni no nos o para pero por porque puede que qué se ser si sí sin sobre son soy su sus
        también te tengo tiene todo tu un una uno y ya yo""",
}
_OTHER_LIST = """
che di non è per una sono ho hai ha abbiamo anche questo questa della delle degli nel nella gli mi ti ci come
più ma quando perché molto fatto essere stato /
não uma um com para que do da dos das em no na nos é eu você ele ela mas mais foi muito tem está isso meu minha
seu sua também porque quando fazer são /
het een van ik niet dat is op te zijn voor maar met hij ze wij we ook als bij naar nog wel heb heeft kan mijn
deze dit er geen moet omdat worden werd wordt /
nie się to jest na do że jak ale po co tak za od przez już tylko mnie mam był była było są dla ten ta czy gdy
bardzo moja mój może jestem /
och att det som en på är jag inte av för med till den har de om men ett var han hon vi kan från när eller mycket
mig min mitt ska varit /
og at det er jeg ikke på til med som av for den har en de men et var han hun vi kan fra når eller meget meg mig
min mitt skal være været /
bir ve bu da de için çok ne ben sen o biz var yok ama daha gibi kadar olarak değil ile mi her şey benim bana
sonra olan oldu /
je se na to že v do ale jak tak jsem jsou byl bylo není pro když už jen mi mě po ve který protože také není /
și nu este în la cu pe din că un o de am ai are mai pentru dar sunt să fi fost ce când foarte mea meu care /
ja on ei se että en olen oli hän minä mutta kun niin mitä tämä kuin ovat myös vain minun sinä olla joka /
és nem hogy az egy is van ez meg de volt csak még már nagyon mint én vagy lehet kell ha mert nekem /
yang dan di tidak ini itu untuk dengan saya ada akan dari ke pada juga bisa kamu dia sudah kami karena apa
mereka /
không là và của có tôi một những được cho với này trong người đã khi như cũng nhưng rất làm anh em chị /
na ya wa kwa ni la katika za hii kuwa sana mimi yake lakini hiyo kama wangu yangu hapa leo nina sina /
ng ang sa na ko mo ako ka hindi ito mga ay po kami siya lang pero kasi naman yung kung para wala may
"""
"""Italian, Portuguese, Dutch, Polish, Swedish,
Danish and Norwegian, Turkish, Czech, Romanian, Finnish, Hungarian, Indonesian, Vietnamese, Swahili, Tagalog."""
_OTHER = tuple(_OTHER_LIST.split("/"))
_WORD = lazy_pattern(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_LATIN = "LATIN"


@cache
def _vocabulary() -> dict[str, tuple[int, ...]]:
    """Return, for each word, the numbers of the languages that have it; those we read come first."""
    found: dict[str, list[int]] = {}
    for number, words in enumerate(chain(_READ.values(), _OTHER)):
        for word in dict.fromkeys(words.split()):
            found.setdefault(word, []).append(number)
    return {word: tuple(numbers) for word, numbers in found.items()}


def is_function_word(word: str) -> bool:
    """Tell whether a word in small letters is among the commonest of a language that is known here."""
    return word in _vocabulary()


def language_of(sentences: Iterable[str]) -> Language:
    """Return the language of most of the normalised `sentences`; `other` if one is in no language that we read."""
    totals: Counter[Language] = Counter()
    for sentence in sentences:
        language, words = _language(sentence)
        if language == "other":
            return "other"
        if language:
            totals[language] += words
    return totals.most_common(1)[0][0] if totals else ""


def _language(sentence: str) -> tuple[Language, int]:
    """Return the language of one sentence, empty if nothing tells it, and how many of its words told it."""
    if not sentence.isascii() and _is_foreign(sentence):
        return "other", 0
    words = _WORD().findall(sentence.lower())
    vocabulary = _vocabulary()
    hits = [0] * (len(_READ) + len(_OTHER))
    known = 0
    for word in words:
        numbers = vocabulary.get(word)
        if numbers:
            known += 1
            for number in numbers:
                hits[number] += 1
    read = max(range(len(_READ)), key=hits.__getitem__)
    other = max(range(len(_READ), len(hits)), key=hits.__getitem__)
    clearly = hits[other] >= MIN_HITS and hits[other] > hits[read] + 1 and hits[other] * 4 >= len(words)
    if len(words) >= MIN_WORDS and clearly:
        return "other", hits[other]
    if known == 0 and len(words) >= MIN_UNKNOWN and _is_prose(sentence):
        return "other", 0
    return (tuple(_READ)[read], hits[read]) if hits[read] else ("", 0)


def _is_prose(sentence: str) -> bool:
    plain = sum(character.isalpha() or character in " ,.'" for character in sentence)
    return plain * 20 >= len(sentence) * 19 and sum(map(str.islower, sentence)) * 10 >= len(sentence) * 7


def _is_foreign(sentence: str) -> bool:
    """Tell whether much of a sentence is in a script that is not Latin: more than a name or an address."""
    letters = [letter for letter in sentence if letter.isalpha()]
    foreign = sum(letter > "\u024f" and not _is_latin(letter) for letter in letters)
    return foreign >= MIN_LETTERS and foreign * 2 > len(letters)


@cache
def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, _LATIN).startswith(_LATIN)
