"""Crisis phrases: every disclosure in these tables is found, no everyday idiom is taken for one.

All sentences are our own. The tables are a floor, not a measurement of recall: that belongs to the benchmarks.
"""

from __future__ import annotations

import pytest

from edge_runtime.core.reader.crisis import classify_crisis
from edge_runtime.core.reader.normalise import normalise
from tests.core.reader.crisis_sentences import DISCLOSURES, EVERYDAY, FRESH_DISCLOSURES, FRESH_EVERYDAY

SELF = [
    "I don't want to be here any more.",
    "I have been thinking about ending it.",
    "Lately I keep thinking about ending it all, and it scares me.",
    "Honestly I just want to die.",
    "I wish I was dead.",
    "I wish I had never been born",
    "some days i want to kill myself",
    "i cant stop thinking about killing myself",
    "I'm feeling suicidal again and did not know whom to tell.",
    "I have been having suicidal thoughts since the reorganisation.",
    "Last month I thought about suicide more than once.",
    "I tried to commit suicide when I was nineteen and the feelings are back.",
    "I want to end my life.",
    "I nearly took my own life in spring.",
    "My family would be better off without me.",
    "everyone'd be better off without me anyway",
    "There is no point in living like this.",
    "I have no reason to live.",
    "I have nothing left to live for.",
    "Life is not worth living at the moment.",
    "I do not want to live any more",
    "I don\u2019t want to wake up tomorrow.",
    "I go to bed hoping I never wake up.",
    "I wish I could fall asleep and never wake up.",
    "I've started cutting myself again.",
    "I get the urge to hurt myself after these meetings.",
    "I've been self-harming for a while now.",
    "I took an overdose two weeks ago.",
    "I am thinking of taking all my sleeping pills, I could swallow all of my tablets tonight.",
    "On the way home I imagine how I jump off the bridge.",
    "I picture myself and how I step in front of a train.",
    "I'm so tired of being alive.",
    "I have given up on life.",
    "I can't go on living with this.",
    "I just want the pain to stop.",
    "nobody would even notice if I was gone.. no one would care if i died",
    "I want to disappear for good.",
    "gonna kms if this goes on",
    "Everything hurts. Don't want to live anymore.",
    "I have written a goodbye letter to my children.",
    "I'd be better off dead.",
    "I do not want to exist.",
    "I want to die, and I do not want to talk about the sprint.",
    "k\u200billing myse\u200blf is all I think about",
    "I am planning to end my life this weekend.",
    "I want to hang myself.",
    "I might as well slit my wrists.",
    "it would be easier if i wasn't around",
    "Part of me wants out: I don't want to be around anymore.",
    "Ich will nicht mehr leben.",
    "Ich denke oft daran, mich umzubringen.",
    "Ich m\u00f6chte einfach nur noch sterben.",
    "Ich habe Selbstmordgedanken.",
    "Ohne mich w\u00e4ren alle besser dran.",
    "Ich will mir das Leben nehmen.",
    "Je veux mourir.",
    "J'ai envie de mourir tous les soirs.",
    "Je pense \u00e0 me suicider.",
    "Je ne veux plus vivre.",
    "Parfois je veux en finir.",
    "Me quiero morir.",
    "Quiero suicidarme.",
    "Ya no quiero vivir.",
    "Pienso en quitarme la vida.",
]
OTHER = [
    "My sister says she will kill herself.",
    "My colleague told me he wants to die.",
    "A friend of mine is suicidal and I do not know what to do.",
    "One of my team attempted suicide last week; my intern attempted suicide.",
    "She said she doesn't want to live any more.",
    "He told me he has nothing to live for.",
    "My mentee talks about suicide in our sessions.",
    "I am worried that he might hurt himself tonight.",
    "My brother took an overdose on Sunday.",
    "My flatmate keeps cutting herself.",
    "She texted that everyone would be better off without her.",
    "My partner is threatening to take his own life.",
    "Someone in my team said they want to end it all.",
    "My dad doesn't want to be here anymore.",
    "My friend says life isn't worth living.",
    "Tom says he is going to kill himself.",
    "Mein Bruder will sich umbringen.",
    "Meine Schwester sagt, sie will nicht mehr leben.",
    "Mon ami veut se suicider.",
    "Elle dit qu'elle a envie de mourir.",
    "Mi hermana quiere suicidarse.",
    "Mi amigo dice que quiere morirse.",
]
LOW_MOOD_SELF = [
    "I feel completely hopeless.",
    "I hate myself for it.",
    "I can't take this any more.",
    "I can barely get out of bed these days.",
    "I cry every night after work.",
    "I've been feeling so depressed this month.",
    "I am just a burden to everyone.",
    "Nothing matters anymore.",
    "I can't go on like this.",
    "I have lost all hope.",
    "Ich kann nicht mehr.",
    "Je n'en peux plus.",
    "Ya no puedo m\u00e1s.",
]
LOW_MOOD_OTHER = [
    "My colleague feels hopeless since the merger.",
    "She hates herself for the mistake.",
    "My wife cries every day.",
    "He's really depressed and nobody asks.",
]
NOTHING = [
    "This deadline is killing me.",
    "I'm dying to see the new dashboard.",
    "Please kill the process and restart it.",
    "That topic is a dead line of enquiry; the dead line printer too.",
    "Shoot me an email when you are free.",
    "I could kill for a coffee.",
    "The battery died during my talk.",
    "My phone is dead.",
    "We are at a dead end with procurement.",
    "I nearly died laughing.",
    "I was killing myself laughing at the retro.",
    "I'm killing myself to finish this report by Friday.",
    "She is killing herself over the quarterly numbers, over that spreadsheet.",
    "He shot himself in the foot with that remark.",
    "I shot myself in the foot by promising Monday.",
    "Publishing that would be career suicide.",
    "It was a suicide mission of a project.",
    "We booked a suicide prevention workshop for managers.",
    "The timeline is suicidal; a suicidal deadline if you ask me.",
    "I'd rather die than present on a Monday.",
    "I wanted to die of embarrassment.",
    "That is not a hill I want to die on; don't make me die on that hill.",
    "I don't want to die wondering whether I could have led the team.",
    "Let's end it here and pick it up tomorrow.",
    "I want to end it on a high note.",
    "I'm thinking about ending it early so people can leave.",
    "We should end the meeting at five.",
    "I plan to end things with the vendor.",
    "I don't want to be here in this meeting longer than needed.",
    "I don't want to be here any more at this company, I want a new job.",
    "I don't want to live in Berlin.",
    "They don't want to live with their parents.",
    "My life is busy but good.",
    "I want to take my life in a new direction.",
    "I want my life back; time to take my life back from e-mail.",
    "It is a matter of life and death for the product, or so sales says.",
    "The feature is dead in the water.",
    "Kill two birds with one stone.",
    "The project was killed by finance.",
    "Our old server finally gave up the ghost.",
    "We need to cut the budget and cut corners less.",
    "I cut myself on the paper tray.",
    "I need to cut myself some slack.",
    "I hurt myself at the gym and will work from home.",
    "He hurt himself playing football.",
    "I burned myself out on the last release and learnt from it.",
    "I overdosed on coffee before the pitch.",
    "That was an overdose of slides.",
    "He jumped off the call early.",
    "I'll jump on a call; I jumped at the chance.",
    "The team is better off without the weekly report.",
    "The team would be better off without him as a reviewer, the client said.",
    "I'm hopeless at spreadsheets.",
    "I am desperate for a holiday.",
    "The market is depressed at the moment.",
    "What's the point of this meeting?",
    "I can't cope with this many tickets in one board.",
    "I can't go on holiday before the release.",
    "I can't wait to wake up without an alarm.",
    "I don't want to wake up at five for the call.",
    "I'm tired of living out of a suitcase.",
    "The run was 5 kms along the river.",
    "I would hang the poster myself.",
    "I drowned myself in work after the launch.",
    "She was drowning in e-mail.",
    "We had to execute the plan and terminate the child process.",
    "The orphaned process killed itself.",
    "Break a leg tomorrow!",
    "I bombed the interview.",
    "My heart sank when the build broke.",
    "It's murder getting a room here.",
    "My manager will kill me if the demo fails.",
    "I want to learn to live with ambiguity.",
    "No one would miss the weekly status mail.",
    "I want to disappear into the mountains next week.",
    "The pain point is the onboarding; I want that to stop costing us users.",
    "Ich lache mich tot \u00fcber das Protokoll.",
    "Die Arbeit bringt mich noch um den Verstand.",
    "Ich sterbe vor Hunger.",
    "Ich will nicht mehr in Berlin leben.",
    "C'est \u00e0 mourir de rire.",
    "Je veux en finir avec ce dossier.",
    "Je meurs de faim.",
    "Me muero de ganas de empezar.",
    "Hay que matar el proceso.",
    "Quiero acabar con todo el papeleo.",
]


@pytest.mark.parametrize("text", SELF)
def test_a_disclosure_about_oneself_is_a_crisis(text: str) -> None:
    """Every first-person disclosure is found, and known to be about the writer."""
    assert classify_crisis(normalise(text).text) == ("crisis", "self")


@pytest.mark.parametrize("text", OTHER)
def test_a_disclosure_about_somebody_else_is_a_crisis(text: str) -> None:
    """Every disclosure about another person is found, and known not to be about the writer."""
    assert classify_crisis(normalise(text).text) == ("crisis", "other")


@pytest.mark.parametrize(("texts", "subject"), [(LOW_MOOD_SELF, "self"), (LOW_MOOD_OTHER, "other")])
def test_low_mood_is_not_a_crisis(texts: list[str], subject: str) -> None:
    """Low mood is told apart from a crisis, and whom it concerns is known."""
    for text in texts:
        assert classify_crisis(normalise(text).text) == ("low_mood", subject), text


@pytest.mark.parametrize("text", NOTHING)
def test_an_everyday_idiom_does_not_fire(text: str) -> None:
    """Work talk full of killing, dying and dead lines stays ordinary work talk."""
    assert classify_crisis(normalise(text).text) == ("none", "")


def test_the_tables_are_large_enough() -> None:
    """At least 40 disclosures and 60 hard negatives stand in the tables."""
    assert len(SELF) + len(OTHER) >= 40
    assert len(NOTHING) >= 60


@pytest.mark.parametrize("text", SELF[:45])
def test_capitals_line_breaks_and_company_hide_nothing(text: str) -> None:
    """A disclosure is found in capitals, wrapped over lines, and in the middle of a work note."""
    for written in (text.upper(), text.replace(" ", "\n"), f"The sprint went well. {text} See you on Monday."):
        assert classify_crisis(normalise(written).text)[0] == "crisis", written


def test_oneself_outranks_somebody_else() -> None:
    """When both are disclosed, the hand-off speaks to the writer."""
    text = "My sister says she will kill herself. I want to die as well."
    assert classify_crisis(text) == ("crisis", "self")


SPELLINGS = [
    "kill my self",
    "kill my-self",
    "k i l l myself",
    "k.i.l.l myself",
    "k.i.l.l. myself",
    "k i l l m y s e l f",
    "k1ll myself",
    "ki11 my5elf",
    "k\u0456ll mys\u0435lf",
    "k\u0131ll myself",
    "K\u0130LL MYSELF",
    "".join(letter + "\u0336" for letter in "kill myself"),
    "<b>kill</b> myself",
    "k<i class='x'>i</i>ll myself",
    "kill<br>myself",
    "kill&nbsp;myself",
    "k&#105;ll my&#8203;self",
    "kill\0myself",
    "kill-myself",
    "kill_myself",
    "kill|myself",
    "kill.myself",
    "killmyself",
    "k*ll myself",
]


@pytest.mark.parametrize("written", SPELLINGS)
def test_a_spelling_hides_nothing(written: str) -> None:
    """What a person still reads as a disclosure is one, however it is spaced, marked up or spelt."""
    assert classify_crisis(normalise(f"Some days I want to {written}").text) == ("crisis", "self")


@pytest.mark.parametrize(
    "text",
    [
        "I want to hurt my self-esteem less.",
        "I want to upskill myself.",
        "I don't want to kill my self confidence.",
        "Do it step-by-step: A B C D E.",
        "if a <b and c> d then kill the process",
        "R&D; Q1 and H1 went well, v1.0.1 too.",
    ],
)
def test_undoing_spellings_makes_no_disclosures(text: str) -> None:
    """Joining words and letters does not turn work talk into a disclosure."""
    assert classify_crisis(normalise(text).text) == ("none", "")


def _count_found(texts: list[str]) -> int:
    return sum(classify_crisis(normalise(text).text)[0] == "crisis" for text in texts)


def test_quiet_disclosures_are_found_and_everyday_talk_is_not() -> None:
    """The sentences that the quieter phrases were made from: all 40 found (6 before), none of 60 everyday ones."""
    assert (_count_found(DISCLOSURES), len(DISCLOSURES)) == (40, 40)
    assert (_count_found(EVERYDAY), len(EVERYDAY)) == (0, 60)


def test_sentences_kept_apart_say_how_far_phrases_reach() -> None:
    """On sentences that no phrase was made from: no false alarm in 30, and only 2 of 20 quiet disclosures found."""
    assert (_count_found(FRESH_EVERYDAY), len(FRESH_EVERYDAY)) == (0, 30)
    assert (_count_found(FRESH_DISCLOSURES), len(FRESH_DISCLOSURES)) == (2, 20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ich mag morgens einfach nicht mehr da sein.", ("crisis", "self")),
        ("Ich habe Angst, dass ich mir heute was antue oder mir etwas anzutun versuche.", ("crisis", "self")),
        ("Ich habe mich am Wochenende wieder geritzt.", ("crisis", "self")),
        ("Mein Bruder hat versucht, sich umzubringen.", ("crisis", "other")),
        ("Je pense au suicide presque tous les soirs.", ("crisis", "self")),
        ("Je me suis encore fait du mal.", ("crisis", "self")),
        ("Ma s\u0153ur dit qu'elle ne veut plus vivre, elle parle de se tuer.", ("crisis", "other")),
        ("No quiero seguir viviendo as\u00ed, bueno, no quiero vivir.", ("crisis", "self")),
        ("Llevo d\u00edas con pensamientos suicidas.", ("crisis", "self")),
        ("Mi hermana intent\u00f3 suicidarse en mayo.", ("crisis", "other")),
        ("Ich bringe mich heute Nacht um.", ("crisis", "self")),
        ("ich w\u00fcnschte ich w\u00e4re tot", ("crisis", "self")),
        ("Ich habe keinen Lebenswillen mehr.", ("crisis", "self")),
        ("Me corto cuando nadie mira.", ("crisis", "self")),
        ("No le veo sentido a vivir.", ("crisis", "self")),
        ("J'ai des id\u00e9es noires.", ("low_mood", "self")),
        ("Ich bringe mich damit um den Schlaf; me corto el pelo; no le veo sentido a vivir en Madrid.", ("none", "")),
        ("Ich will nicht mehr in diesem B\u00fcro sein, der Kaffee bringt mich um den Schlaf.", ("none", "")),
        ("Ohne mich l\u00e4uft das Meeting, ich habe keinen Ausweg aus dem Terminchaos.", ("none", "")),
        ("J'ai envie de dispara\u00eetre une semaine \u00e0 la mer, c'est \u00e0 mourir de rire.", ("none", "")),
        ("No quiero vivir tan lejos; en la novela la protagonista quiere morir.", ("none", "")),
        ("La lettre d'adieu \u00e0 l'\u00e9quipe est pr\u00eate; me muero de ganas de verte.", ("none", "")),
    ],
)
def test_disclosures_in_german_french_and_spanish(text: str, expected: tuple[str, str]) -> None:
    """Direct disclosures are heard in four languages, about oneself and others; ways of speaking are not."""
    assert classify_crisis(normalise(text).text) == expected


@pytest.mark.parametrize(
    ("disclosure", "everyday"),
    [
        ("I can't say whether I want to stay alive.", "I can't say whether I want to stay in sales."),
        ("I've made up my mind to die.", "I've made up my mind to dye it."),
        ("It would be easier not to exist.", "That field ought not to be empty."),
        ("I was sorry that I woke up.", "I was sorry that I woke up the baby."),
        ("My husband beats me when he drinks.", "My husband beats me every night at chess."),
        ("He threatened to kill me.", "He threatened to kill the process."),
        ("I don't belong in this world.", "I don't belong in this meeting."),
        ("There's no wish to live in me, I have no desire to live.", "I have no desire to live in Leeds."),
        ("Ich will nicht mehr auf dieser Welt sein.", "Ich will nicht mehr auf dieser Messe sein."),
        ("Mein Mann schl\u00e4gt mich und ich habe Angst.", "Er hat mich wieder geschlagen, im Schach."),
        ("Je ne serai plus de ce monde.", "Je ne serai plus de ce groupe."),
        ("Si je mourais, ils seraient soulag\u00e9s.", "Si je mourais de faim, je cuisinerais."),
        ("Mi marido me pega y tengo miedo.", "Me pega la risa y tengo hipo."),
        ("Estoy harta de vivir.", "Estoy harta de vivir en Madrid."),
    ],
)
def test_plain_wording_is_found_and_its_everyday_neighbour_is_not(disclosure: str, everyday: str) -> None:
    """A few words decide: the sentence beside each disclosure shares its wording and tells nothing."""
    assert classify_crisis(normalise(disclosure).text) == ("crisis", "self")
    assert classify_crisis(normalise(everyday).text)[0] != "crisis"
