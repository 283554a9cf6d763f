r"""The phrases by which people tell of suicidal thoughts, self-harm or low mood, about themselves or somebody else.

Promises: data only, in our own words, from no published collection; English first, then a smaller list in
German, French and Spanish. Each line is an anchor (letters that must occur, checked first because it is
cheap), two blanks or more, and a pattern over folded text: small letters, no accents, single blanks; an indented
line continues the one above. `{i}` is a first person, `{they}` somebody else, `{w3}` up to three words,
`{start}` a first person or the beginning of a clause.
Does not: cover harm to others or medical emergencies, or of abuse more than blows and threats at home; measure itself
(tests and benchmarks do).
"""

from __future__ import annotations

from edge_runtime.core.reader.crisis_languages import IDIOMS_ELSEWHERE, OTHER_ELSEWHERE, SELF_ELSEWHERE
from edge_runtime.core.reader.crisis_signs import OTHER_SIGNS, SELF_SIGNS
from edge_runtime.core.reader.crisis_wording import DENIALS, OTHER_WORDING, SELF_WORDING

__all__ = ["IDIOMS", "MACROS", "OTHER_CRISIS", "OTHER_LOW_MOOD", "SELF_CRISIS", "SELF_LOW_MOOD", "Phrase"]

Phrase = tuple[str, str]
"""An anchor and a pattern."""


def _phrases(data: str) -> tuple[Phrase, ...]:
    """Return the phrases of a data block."""
    lines: list[str] = []
    for line in filter(None, data.splitlines()):
        if line.startswith(" "):
            lines[-1] += line.strip()
        else:
            lines.append(line)
    pairs = (line.split("  ", 1) for line in lines)
    return tuple((anchor, pattern.strip()) for anchor, pattern in pairs)


_KIN = (
    "friend|mate|colleague|co[- ]?worker|team ?mate|sister|brother|sibling|mother|mum|mom|father|dad|son|daughter"
    "|child|kid|wife|husband|partner|spouse|boyfriend|girlfriend|cousin|uncle|aunt|niece|nephew|manager|boss|lead"
    "|mentee|mentor|coachee|client|student|pupil|apprentice|intern|trainee|report|flat ?mate|room ?mate"
    "|man|woman|guy|teenager|neighbou?r|employee|learner|grandfather|grandmother|ex"
)
_WORDS = r"(?:(?!i\b)[\w'-]+,? ){{0,{n}}}"

MACROS = {
    "i": r"\bi(?:'?m|'?ve|'?d|'?ll)?",
    "start": r"(?:\bi(?:'?m|'?ve|'?d|'?ll)? (?:[\w'-]+ ){0,4}|(?:^|[.!?;:,(-]) ?"
    r"|\b(?:and|but|just|really|honestly|so) )",
    "feel": r"(?:\bi(?:'?m| am| was| feel| felt|'?ve been| have been|'?ve felt|'?m feeling| keep feeling))"
    r" (?:[\w'-]+ ){0,3}",
    "they": rf"\b(?:(?:he|she|they|someone|somebody)(?:'s|'re|'ve|'d|'ll)?"
    rf"|(?:my|our|his|her|their|an?|the|this|that|another) (?:[\w'-]+ ){{0,2}}(?:{_KIN})s?(?:'s)?)",
    "w2": _WORDS.format(n=2),
    "w3": _WORDS.format(n=3),
    "w6": _WORDS.format(n=6),
    "w8": _WORDS.format(n=8),
    "kill": r"(?:kill|killing|killed|hang|hanging|hanged|hung|shoot|shooting|shot|drown|drowning|unalive|unaliving)",
    "harm": r"(?:hurt|hurting|harm|harming|cut|cutting|burn|burning|starve|starving)",
    "home": r"\b(?:husband|wife|partner|boyfriend|girlfriend|dad|da|father|stepdad|stepfather|brother|ex|fiance|he"
    r"|she) (?:\w+ ){0,2}?",
    "blow": r"(?=[.,!?;]|$| again| and (?:i|he|she|says)| when (?:he|she)| every (?:night|day|week|evening)"
    r"| in front of| last night| this morning| yesterday| on (?:\w+day))"
    r"(?![^.!?;|]{0,40}\b(?:chess|tennis|squash|darts|cards|padel|quiz|pong|game|scrabble)\b)",
    "unwanted": r"\b(?:don't|dont|no longer|not) {w3}(?:want|wanna|belong|deserve|wish) (?:\w+ ){0,3}?",
    "not_place": r"(?! (?:in|with|near|at|on|off|here|there|abroad|alone|up|closer|far"
    r"|so far|too far|out|from|through)\b)",
    "not_work": r"(?! (?:in|at|for|with|on|as|if|until|till|after|past|than|under|when|once)\b)",
    "not_harm": r"(?! (?:short|off|out|some|a|shaving|loose|down|from|lifting|running|playing|skiing|on|with|in the"
    r"|at the gym|at work|at football)\b)",
}

IDIOMS = _phrases(
    r"""
suicid          \b(?:career|political|commercial|professional|social|brand|corporate|financial|economic) suicide
suicid          \bsuicide[- ](?:prevention|awareness|squad|mission|sprints?|runs?|hotline|helpline|line|policy
                |statistics|research|rates?|training|workshop|webinar|burns?|doors?|bid)
suicid          \b(?:schedule|deadline|pace|plan|timeline|roadmap) (?:\w+ )?suicidal\b
kill            \b(?:character|protagonist|hero|heroine|villain) (?:\w+ ){0,2}kill(?:s|ed)? (?:him|her
                |them)sel(?:f|ves)
wants to die    \b(?:laptop|battery|phone|server|machine|build|printer|pc|computer|app|car) (?:just )?wants to die
suicid          \bsuicidal (?:schedule|deadline|pace|plan|timeline|strategy|pricing|roadmap|move)
sel             \bkill(?:ed|ing|s)? (?:my|him|her|them)sel(?:f|ves) (?:laughing|with (?:work|overtime|laughter)
                |at work|at the gym|over (?:this|that|the|these|a|an|my|some)|for (?:this|that|the|a|an)\b
                |(?:trying )?to (?:meet|finish|hit|deliver|ship|close|reach|please|impress|fit|catch|be on time))
sel             \b(?:shoot|shot|shooting|shoots) (?:my|him|her|them)sel(?:f|ves) in the (?:foot|leg)
sel             \bdrown(?:ing|ed|s)? (?:my|him|her|them)sel(?:f|ves) in (?!the (?:river|lake|sea|bath))
rather          \brather (?:die|be dead|shoot myself|kill myself|cut myself) than
die             \bdie (?:on (?:this|that|the|any|every) hill|wondering|hard|trying|laughing|down|off|out|for (?:a
                |an|some|that))
die             \bdie (?:of|from) (?:shame|embarrassment|boredom|laughter|laughing|curiosity|cringe|hunger|thirst
                |cold|heat)
end it          \bend it (?:early|here|there|well|properly|politely|with|on a|on time|at \d|by|after|before|when
                |once)
ending it       \bending it (?:early|here|there|well|properly|politely|with|on a|on time|at \d|by|after|before
                |when|once)
overdos         \boverdos\w* (?:on|of) (?:coffee|caffeine|meetings|spreadsheets|news|slack|e-?mail|zoom|sugar
                |slides|data)
umbringen       \bumbringen (?:vor lachen|fur (?:diesen|den|einen) (?:job|kaffee))
mour            \bmourir de (?:rire|faim|honte|soif|chaud|froid|fatigue|peur|ennui)
tuer            \btuer (?:au travail|a la tache|au boulot)
mor             \bmorir(?:me)? de (?:risa|hambre|verguenza|sueno|sed|calor|frio|ganas|aburrimiento|cansancio)
matar           \bmatar(?:me|se) (?:a trabajar|trabajando|de risa|estudiando)
en finir avec   \ben finir avec (?!la vie|tout|ma vie|sa vie)
acabar con todo  \bacabar con todo (?:el|lo|este|ese|esto)\b
sel             \b(?:hang|hung|hanging) (?:my|him|her|them)sel(?:f|ves) (?:up|out)\b
"""
    + DENIALS
    + IDIOMS_ELSEWHERE
)

SELF_CRISIS = _phrases(
    r"""
myself          \b{kill} ?myself\b
my              \b(?:end|ending|take|taking|took) my (?:own )?life\b(?! (?:back|into|in a|to the|to a|seriously
                |forward|insurance|partner|story|as|coach)\b)
it all          \b(?:end|ending) it all\b
end             {i} {w6}(?:think\w*|thought\w*|plan\w*|consider\w*|going|want\w*|ready|tempted|tried
                |urge) (?:about |of |on |to )?end(?:ing)? (?:it|things)\b(?! (?:with|early|by|at|on|in|for|after
                |before|here|there)\b)
die             {start}(?:want(?:ed)?|wanna|wish(?:ed)?|going|gonna|ready|plan\w*|deserve|need|hope|hoping|prefer
                |like) (?:to |2 |i |i'd )?(?:just |really |simply |could |only )?die\b(?! (?:for|to|on(?! my))\b)
dying           {i} {w3}(?:thinking (?:about|of)|feel like|felt like|fantasi\w+ about|dream\w* of
                |think about) dying\b
dead            \bwish(?:ed)? (?:that )?i (?:was|were|am|had been|could be) (?:just )?dead\b|\b(?:rather
                |better off|want to) be dead\b
better off dead  {i} {w3}better off dead\b
i               \bwish(?:ed)? (?:that )?i (?:wasn'?t|weren'?t|was not|were not) (?:even )?(?:alive
                |here\b{not_work}|around\b{not_work})
born            \b(?:wish|better if) (?:that )?i(?:'d| had| was| were)? (?:never|not) (?:been )?(?:born|existed)\b
live            {start}(?:don'?t|do not|no longer|never|not) (?:really |even |think i )?(?:want|wanna|wish
                |care) (?:to )?live\b{not_place}
to              {start}(?:don'?t|do not|no longer|never|not) (?:really |even |think i )?(?:want|wish
                |care) to (?:be alive|exist|go on living|keep living|carry on living|live in this world
                |be on this (?:earth|planet))\b
want to be      {start}(?:don'?t|do not|no longer|not sure i|not) (?:really |even )?(?:want
                |wanna) (?:to )?be (?:here|around) (?:any ?more|any longer)\b{not_work}
                |{i} no longer want to be (?:here|around)\b{not_work}
wak             {start}(?:don'?t|do not|didn'?t|never) (?:really )?want to wake up(?: any ?more| tomorrow| again
                | in the morning| ever)?(?=[.,!?;]|$)|\b(?:wish|hope|hoping|want
                |pray)\w* (?:[\w']+ ){0,6}(?:never|not|don'?t|didn'?t|wouldn'?t) (?:have to )?wake up\b(?! to\b)
                |\b(?:sleep|bed) and (?:never|not) wak(?:e|ing) up
worth           \b(?:not|isn'?t|never|hardly|wasn'?t) (?:be )?worth living\b|\bmy life (?:isn'?t|is not
                |is no longer) worth it\b
living          \b(?:no|any|much|what'?s the|see the) (?:reason|point|sense) (?:in |of |to )?(?:living
                |being alive|keep living)\b
live            \b(?:no|any|much) (?:reason|point) (?:left )?(?:for me )?to (?:live|stay alive|be alive)\b
                |\bnothing (?:left )?to live for\b
without me      \b(?:everyone|everybody|they|world|family|kids|children|wife|husband|partner|parents|people|you
                |all|friends|mum|mom)(?:'d|'ll)? {w3}better (?:off|place) without me\b
if i            \b(?:better|easier|happier|favou?r|relieved|care|mind|matter|notice
                |miss me)(?: off)? if i (?:just )?(?:(?:wasn'?t|weren'?t|was not) (?:here|around|alive)
                |didn'?t wake up|never woke up|(?:was|were) (?:gone|dead)|died|disappeared|stopped existing
                |got (?:hit by|run over))\b
myself          \b(?:want\w*|going|gonna|urges?|thinking|think|thoughts?|keep|kept|start|started|afraid|scared
                |might|stop|may|could|been|tempted|impulse) {w3}{harm} myself\b{not_harm}
harm            {i} {w6}self[- ]?harm(?:ing|ed)?\b(?! (?:policy|training|prevention|awareness))|\bmy self[- ]?harm
overdos         {i} {w6}overdos(?:e|ed|ing)\b
wrist           \b(?:slit|slitting|cut|cutting) my (?:own )?wrists?\b
l               \b(?:take|taking|took|taken|swallow\w*) (?:all|a handful|a bunch
                |too many) (?:of )?(?:the |my |those |these )?(?:[\w]+ )?(?:pills|tablets|meds|sleeping pills)\b
jump            {i} (?:[\w'-]+ ){0,8}jump(?:ing|ed)? (?:off|from) (?:a|the|that|this|my) (?:\w+ )?(?:bridge|roof
                |building|balcony|cliff|tower)\b(?! (?:team|project|group))
front of        {i} (?:[\w'-]+ ){0,8}(?:jump|step|walk|throw|run|driv|l[iy]|fall)\w*(?: myself
                | out)? in front of (?:a|the|that) (?:\w+ )?(?:train|bus|car|truck|lorry|tram|traffic)
driv            {i} {w6}driv(?:e|ing) (?:my car |the car )?(?:into|off) (?:a|the|that)? ?(?:tree|wall|bridge
                |oncoming traffic|cliff)
suicidal        {i} {w6}suicidal\b|\bmy suicidal\b
suicide         {i} {w8}(?:commit\w*|attempt\w*|consider\w*|contemplat\w*|plan\w*|tried|(?:think|thought|thinking
                |dream)\w* {w2}(?:about|of)) (?:committing )?suicide\b|\bmy (?:own )?suicide\b
                |{i} {w6}suicide note\b
goodbye         \b(?:goodbye|farewell) (?:letter|note)s? (?:to|for) my (?:kids|children|family|wife|husband
                |parents|partner|son|daughter|mum|mom)
kms             \b(?:want\w*|wanna|going|gonna|might|just|will|could) (?:to )?kms\b
disappear       \b(?:want\w*|wish|like|ready|could) (?:to |i could )?(?:just )?disappear (?:for ?ever|for good
                |from this (?:world|life|earth))
of              {start}(?:tired|sick|exhausted|enough) of (?:living|being alive|life|existing)\b{not_place}
life            \b(?:given|give|giving) up on life\b|{i} {w3}(?:done with|finished with
                |had enough of) (?:this )?life\b(?! (?:in|at|as))
liv             \b(?:can'?t|cannot|no way i can|how to) (?:go on|keep on|keep|carry on) living\b|\bcan(?:'?t
                |not) live (?:like this|any ?more|another day)\b
pain            \b(?:want|need|wish|make) (?:all )?(?:the |this |my )?pain (?:to |would |will )?(?:just )?(?:stop
                |end|be over|go away for ever)\b
all to          \bwant (?:it|this) all to (?:just )?(?:stop|end)\b(?! (?:being|by|at|on|with)\b)
                |\bwant everything to (?:just )?(?:stop|end)\b(?! (?:being|by|at|on|with|changing)\b)
to die          {i} {w8}ways to die\b
life            \bcan'?t do (?:this )?life\b
all             \bwish (?:it|this|everything) (?:would|could) all (?:just )?(?:end|stop)\b(?! (?:being|by|at|on
                |with)\b)
for             \bwant\w* to (?:just )?(?:go to )?sleep for ?ever\b
end myself      \bend myself\b
myself          \b{harm} myself (?:on purpose|deliberately|again)\b|\bdo(?: something)? to myself\b
                |\bnot safe (?:with|from) myself\b
my              \b(?:cut|cutting|burn|burned|burning|slash\w*) my (?:own )?(?:arms?|legs?|thighs?|skin)\b(?! off)
cutting         \bi(?:'?ve| have) (?:been|started) cutting(?: again)?(?=[.,!?;]|$)
living          \b(?:don'?t|do not) feel like living\b{not_place}
i should        \bi should (?:just )?(?:be dead|die)\b
hope i          \bhope i (?:get hit by|get run over|crash|die)\b
edge            \bi(?:'?m| am) (?:\w+ )?(?:on|at) the (?:edge|railing) of (?:the|a) (?:bridge|roof|building
                |platform)\b
to end it       \b(?:pills|tablets|rope|gun|razor|knife) to end it\b
alive           \bwhy am i (?:even |still )?alive\b|\bcan'?t see myself (?:being )?alive\b|\b(?:don'?t
                |won'?t) (?:plan (?:on |to )|expect to )?(?:being|be) alive\b
around          {i} {w3}plan (?:on being|to be) around (?:next|much longer|any ?more)
th              {i} {w6}(?:thinking|think|thoughts?) (?:a lot )?(?:about|of) (?:my own )?(?:death|dying)\b(?! march)
alive           (?:not|n't|hate\w*|stop|no longer|reason|point|tired|sick|deserve\w*)\b[^.!?;|]{0,30}\b(?:be
                |being|am|stay|staying|i'm) (?:even |still )?alive\b
dead            \b(?:happier|better off|rather be|want to be) dead\b
my              {i} {w8}(?:plan|imagin|think|thought|fantasi|dream|pictur)\w* (?:\w+ ){0,2}my (?:own )?(?:death
                |funeral)\b
i               \b(?:care|matters?|mind)\b (?:\w+ ){0,3}(?:if|whether) i (?:live|die|wake up)\b
to die          {i} {w3}(?:decided|meant|supposed|longing|begging|praying|choose|chose) to die\b
exist           \bi should(?:n'?t| not) (?:exist|be alive)\b|\b(?:better|relief|easier
                |nicer) (?:for me )?not to exist\b
pills           \b(?:stash\w*|hoard\w*|saved up|collect\w*) (?:of |my |some |enough )?(?:\w+ )?pills\b
jumping         {i} {w6}(?:thought|think|thinking) (?:about|of) jumping\b(?! (?:on|in|at|to|into|ship|teams?
                |jobs?|straight|back|ahead|over)\b)
my life         \bgiv(?:e|ing) up my life\b(?! (?:in|as|savings)\b)
way out         \bonly way (?:out|forward|left) (?:is|seems to be|would be|for me is) (?:death|dying|to die
                |suicide|killing)
worth living    \bnothing (?:\w+ ){0,2}worth living\b
mich            \bmich (?:selbst )?(?:um(?:zu)?bringen|toten|zu toten|erhangen|zu erhangen|erschiessen
                |vor (?:einen|den) zug)\b
bring           \bich (?:bringe?|brachte) mich um\b
leben           \bich (?:\w+ ){0,3}nicht mehr (?:weiter ?)?leben\b|\bmir (?:\w+ ){0,2}das leben (?:zu )?nehmen\b
leben           \bmeinem leben (?:\w+ ){0,2}ein ende\b|\bmein leben (?:zu )?beenden\b
                |\bleben hat (?:\w+ ){0,2}keinen sinn mehr\b
sterben         \bich (?:\w+ ){0,3}(?:will|mochte|moechte|wollte|wunschte|wuensche) (?:\w+ ){0,3}sterben\b(?! vor)
nicht mehr      \bich (?:\w+ ){0,3}(?:will|mochte|moechte) (?:\w+ ){0,2}nicht mehr (?:da|hier|am leben
                |aufwachen) ?(?:sein)?(?=[.,!?;]|$)
mord            \b(?:ich|mein\w*|mich|mir) (?:\w+ ){0,6}(?:selbstmord|selbstmordgedanken
                |suizidgedanken)\b(?! ?kommando)
suizid          \b(?:ich|mein\w*|mich|mir) (?:\w+ ){0,6}(?:suizid\w*)\b
ohne mich       \b(?:alle|allen|familie|kinder|welt) (?:\w+ ){0,4}ohne mich (?:\w+ ){0,2}besser\b
                |\bohne mich (?:\w+ ){0,3}besser dran\b
mich            \bich (?:\w+ ){0,3}(?:ritze|ritzen|verletze|verletzen) mich (?:selbst|wieder|absichtlich)\b
                |\bmich (?:selbst )?(?:zu )?(?:ritzen|verletzen)\b
mourir          \bje (?:\w+ ){0,3}(?:veux|voudrais|prefere(?:rais)?|souhaite) (?:\w+ )?mourir\b|\b(?:j'ai
                |ai) (?:\w+ ){0,2}envie de mourir\b
suicid          \b(?:me suicider|m'etre suicidee?|pens\w+ au suicide|idees suicidaires|suis suicidaire
                |mon suicide)\b
tuer            \b(?:veux|vais|voudrais|envie de|pense a|penser a) me tuer\b
fin             \bmettre fin a (?:mes jours|ma vie)\b|\b(?:veux|envie d'|pense a
                |voudrais) ?en finir(?: avec (?:la vie|tout|ma vie))?(?=[.,!?;]|$| ce soir)
vivre           \bje (?:ne |n')?(?:veux|peux|ai) (?:plus|pas) (?:envie de )?vivre\b|\bplus (?:envie|la force
                |aucune raison) de vivre\b
mal             \b(?:me faire du mal|me fais du mal|me scarifi\w+|me mutil\w+)\b
sans moi        \b(?:mieux|plus heureux) sans moi\b
mori            \b(?:me )?quiero morir(?:me)?\b|\b(?:ganas|deseos) de morir(?:me)?\b|\bquisiera (?:morir(?:me)?
                |estar muert[oa])\b
mat             \b(?:quiero|voy a|pienso en|pensado en|ganas de|pensando en) matarme\b|\bme (?:quiero|voy a) matar\b
suicid          \b(?:suicidarme|me (?:quiero|voy a) suicidar|mi suicidio|pens\w+ en (?:el )?suicidi\w+
                |ideas suicidas)\b
vida            \b(?:quitarme la vida|acabar con mi vida|terminar con mi vida|mi vida (?:ya )?no (?:tiene sentido
                |vale la pena))\b
vivir           \b(?:ya )?no (?:quiero|tengo ganas de|puedo) (?:seguir )?(?:vivir|viviendo)\b(?! en| con| aqui| tan
                | solo| sola| lejos)
acabar con todo  \b(?:quiero|voy a|ganas de|pienso en) acabar con todo\b
mi              \b(?:mejor|mas felices) sin mi(?=[.,!?;]|$)
me              \b(?:hacerme dano|me hago dano|cortarme (?:las venas|los brazos)|me corto los brazos
                |autolesion\w+)\b
"""
    + SELF_SIGNS
    + SELF_WORDING
    + SELF_ELSEWHERE
)

OTHER_CRISIS = _phrases(
    r"""
sel             \b(?:{kill}|kills|hangs|shoots|drowns) ?(?:himself|herself|themselves|themself)\b
li              \b(?:end|ends|ending|take|takes|taking|took|taken) (?:his|her|their) (?:own )?li(?:fe
                |ves)\b(?! (?:back|in|into|to|seriously))
die             \bwants to (?:just )?die\b|{they} {w6}(?:want|wants|wanted|wishes|wished|ready|hopes|threatened
                |going|deserves) to (?:just )?die\b
it all          {they} {w6}(?:end|ending) it all\b
dead            {they} {w6}(?:wish\w*|rather|better off|wants?|wanted) {w3}(?:be |was |were )?dead\b
live            \b(?:doesn'?t|does not|didn'?t|no longer) (?:want|wants|wanted) to (?:live\b{not_place}|be alive
                |exist|wake up(?=[.,!?;]|$| any| again))
to              \b(?:doesn'?t|does not|didn'?t|no longer) wants? to (?:be alive|exist|go on living|keep living)\b
to be           {they} {w3}(?:doesn'?t|don'?t|does not|didn'?t|no longer) wants? to be (?:here|around
                |alive)(?: any ?more| any longer)\b{not_work}
suicidal        \b(?:is|he's|she's|they're|feels|seems|seemed|sounds|sounded) {w2}suicidal\b|{they} {w6}suicidal\b
suicide         {they} {w8}(?:attempt\w*|commit\w*|consider\w*|contemplat\w*|threaten\w*|plan\w*|tried
                |talk\w* (?:about|of)|spok\w+ (?:about|of)|mention\w*|think\w* (?:about
                |of)) (?:committing )?suicide\b|\b(?:his|her|their) suicide\b|{they} {w6}suicide (?:attempt|note)\b
sel             \b(?:wants?|wanted|might|will|going|could|been|keeps?|started|is|are|about|worried|afraid|scared
                |threaten\w*|may|of) {w6}(?:{harm}|do something to) (?:himself|herself|themselves
                |themself)\b{not_harm}
harm            {they} {w6}self[- ]?harm(?:s|ing|ed)?\b(?! (?:policy|training|prevention|awareness))|\b(?:his|her
                |their) self[- ]?harm
overdos         {they} {w6}overdos(?:e|ed|ing|es)\b
jump            {they} {w8}jump(?:ing|ed|s)? (?:off|from) (?:a|the|that|this) (?:\w+ )?(?:bridge|roof|building
                |balcony|cliff|tower)\b(?! (?:team|project|group))
front of        {they} {w8}(?:jump|step|walk|throw)\w*(?: himself| herself| themselves)? in front of (?:a
                |the) (?:\w+ )?(?:train|bus|car|truck|tram)
without         {they} {w6}(?:everyone|everybody|world|family|kids|children)(?:'d
                |'ll)? {w3}better off without (?:him|her|them)\b
liv             {they} {w8}(?:worth living|(?:reason|point) (?:in |of |to )?(?:live|living)
                |nothing (?:left )?to live for|tired of (?:living|life))\b
life            {they} {w6}(?:given|gave|giving) up on life\b
wish            \bwish(?:es|ed) (?:he|she|they)(?:'d)? (?:was |were |had )?(?:never (?:been )?born|dead|not alive)\b
cut             \b(?:cut|cuts|cutting) (?:his|her|their) (?:own )?(?:arms?|wrists?|legs?)\b(?! off)
would           \b(?:nobody|no one|no-one) would {w2}(?:miss|notice|care)(?: him| her| them)? if (?:he|she
                |they) (?:was|were|died|disappeared)
alive           {they} {w8}(?:not|n't|hate\w*|stop|no longer|reason|point|tired|sick|deserve\w*)\b[^.!?;
                |]{0,30}\b(?:be|being|am|stay|staying|i'm) (?:even |still )?alive\b
sel             \b(?:cuts|burns|harms|hurts|starves) (?:himself|herself|themselves|themself)\b{not_harm}
sich            \bsich (?:selbst )?(?:\w+ ){0,2}(?:um(?:zu)?bringen|umgebracht|erhangt|das leben (?:zu )?nehmen
                |das leben genommen|toten will)\b
leben           \b(?:er|sie|freund|freundin|schwester|bruder|kollege|kollegin|mutter|vater|tochter
                |sohn) (?:\w+ ){0,4}nicht mehr leben\b
sterben         \b(?:er|sie|freund|freundin|schwester|bruder|kollege|kollegin|mutter|vater|tochter
                |sohn) (?:\w+ ){0,3}(?:will|mochte|wolle|wollte) (?:\w+ )?sterben\b
i               \b(?:er|sie|freund|freundin|schwester|bruder|kollege|kollegin) (?:\w+ ){0,6}(?:selbstmord|suizid
                |suizidal|suizidgedanken|selbstmordgedanken)\b
ritzt           \b(?:ritzt sich|verletzt sich selbst)\b
suicid          \b(?:se suicider|s'est suicidee?|parle de suicide|est suicidaire|son suicide)\b
tuer            \b(?:veut|va|voulait|menace de|envie de) se tuer\b
fin             \bmettre fin a (?:ses jours|sa vie)\b|\b(?:il|elle|ami|amie|soeur|frere
                |collegue) (?:\w+ ){0,3}(?:veut|voulait) en finir\b
mourir          \b(?:il|elle|ami|amie|soeur|frere|collegue|mere|pere) (?:[\w']+ ){0,4}(?:veut|voulait
                |envie de) mourir\b
vivre           \b(?:il|elle|ami|amie|soeur|frere|collegue|mere|pere) (?:[\w']+ ){0,4}(?:veut plus
                |plus envie de) vivre\b
suicid          \b(?:suicidarse|se (?:quiere|va a) suicidar|se suicido|habla de(?:l)? suicidi\w+|su suicidio)\b
mat             \b(?:quiere|va a|queria|amenaza con) matarse\b|\bse (?:quiere|va a|queria) matar\b
mori            \b(?:se quiere morir|quiere morir(?:se)?|queria morir(?:se)?)\b
vi              \b(?:quitarse la vida|acabar con su vida|se quito la vida|(?:ya )?no quiere (?:seguir )?vivi(?:r
                |endo))\b(?! en| con| aqui| sol[oa])
"""
    + OTHER_SIGNS
    + OTHER_WORDING
    + OTHER_ELSEWHERE
)

SELF_LOW_MOOD = _phrases(
    r"""
l               {feel}(?:hopeless|worthless|depressed|in despair|desperate|numb|empty inside|so alone
                |so lonely)\b(?! (?:at|with|for|to|about)\b)
idees noires    \b(?:j'ai|avoir|avec|toujours|encore) (?:\w+ ){0,2}idees noires\b
hate my         \bhate (?:myself|my life)\b
can             \bcan(?:'?t|not) (?:take|do|bear|stand) (?:it|this) any ?(?:more|longer)\b
can             \bcan(?:'?t|not) (?:go on|keep going|carry on)(?: like this)?(?: any ?(?:more|longer))?(?=[.,!?;]
                |$)|\bcan(?:'?t|not) cope(?: any ?more)?(?=[.,!?;]|$)
out of bed      \b(?:can(?:'?t|not)|couldn'?t|barely|hardly|struggl\w+ to) (?:even )?(?:get|drag myself
                |make it) out of bed\b
cry             {start}(?:cry|crying|cried) (?:every (?:day|night|morning)|all (?:day|night)|most (?:days|nights)
                |myself to sleep)
any             \bnothing (?:matters|makes sense|means anything) (?:to me )?any ?more\b|\bwhat'?s the point (?:of
                |in) anything\b
hope            {i} {w3}(?:lost|given up|giving up) (?:all )?hope\b|\bno hope left\b
future          \bno future for me\b|\b(?:can'?t|cannot|don'?t) see (?:a|any) future for (?:me|myself)\b
miss me         \b(?:nobody|no one|no-one) (?:would|will) (?:even )?miss me\b
burden          {i} {w3}(?:just )?a burden (?:to|on|for) (?:everyone|everybody|my|them|others|people|you)
disappear       {i} {w3}(?:want\w*|wish i could) (?:to )?(?:just )?disappear\b(?! (?:in|into|to|on|for a)\b)
falling apart   \bi(?:'?m| am) (?:completely |totally |slowly )?falling apart\b(?! at)
panic           {i} {w3}(?:having|had|have|get|getting) (?:\w+ )?panic attacks?\b
way out         {i} {w3}(?:see no|don'?t see a|can'?t see a|no) way out\b(?! of (?:this|the) (?:contract|meeting
                |deal|lease|task))
hoffnung        \bich (?:\w+ ){0,3}(?:keine hoffnung|hoffnungslos)\b
ich             \bich kann (?:einfach )?nicht mehr(?=[.,!?;]|$)|\bich (?:bin
                |fuhle mich) (?:\w+ ){0,2}(?:depressiv|wertlos|hoffnungslos|verzweifelt)\b
je              \bje n'en peux plus(?=[.,!?;]|$)|\bje (?:suis|me sens) (?:\w+ ){0,2}(?:deprimee?|desesperee?
                |inutile|vide)\b
no puedo mas    \b(?:ya )?no puedo mas(?=[.,!?;]|$)
i               \b(?:me siento|estoy) (?:\w+ ){0,2}(?:deprimid[oa]|desesperad[oa]|inutil|vaci[oa])\b(?! por| de)
"""
)

OTHER_LOW_MOOD = _phrases(
    r"""
l               {they} {w2}(?:is|was|feels|felt|seems|been|are|feel|feeling) {w2}(?:hopeless|worthless|depressed
                |in despair|so alone)\b(?! (?:at|with|for|to|about)\b)
depressed       \b(?:he|she|they)'(?:s|re) {w2}(?:depressed|hopeless|worthless|in despair)\b(?! (?:at|with|for|to
                |about)\b)
hates           \bhates (?:himself|herself|themselves|themself|his life|her life|their life)\b
out of bed      {they} {w3}(?:can'?t|cannot|couldn'?t|barely|hardly) (?:even )?(?:gets?|makes? it) out of bed\b
cr              {they} {w2}(?:cries|crying|cried|cry) (?:every (?:day|night|morning)|all (?:day|night)|(?:him|her
                |them)sel(?:f|ves) to sleep)
hope            {they} {w3}(?:lost|given up|giving up|lose) (?:all )?hope\b
"""
)
