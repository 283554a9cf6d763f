r"""More wording of plain disclosures about oneself, and of blows and threats at home, as data for `crisis_phrases`.

Promises: data only, in our own words, in the form that `crisis_phrases` describes; English here, the other languages in
`crisis_languages`. A phrase stands here only if no line of the training data that is harmless holds it.
Does not: find hints. A tidy desk, a date or a goodbye alone is for the encoder.
"""

from __future__ import annotations

__all__ = ["DENIALS", "OTHER_WORDING", "SELF_WORDING"]

DENIALS = r"""
no thoughts     \bno thoughts of (?:\w+ ){0,2}(?:harm|hurt|end|kill|dying|death|suicid)\w*(?: (?:my|him|her|them)self
                | (?:my|his|her|their) (?:own )?life)?
to die          \b(?:doesn'?t|does not|didn'?t) want to die\b|\bno wish to die\b|\bdie (?:my|her|his|their) hair\b
deni            \bdeni(?:es|ed) [^.!?;|]{0,20}\b(?:dying|to die|suicid\w*|death)
no to           \bno to thoughts? of (?:dying|death|suicide)
not wake up     \bnot wake up (?:until|till|before)\b
my funeral      \bmy funeral (?:speech|toast)\b
be here         \bbe here any ?more, (?:in )?(?:this|the) (?:department|team|company|office|project|job|firm) i mean\b
burn            \bburn\w* my (?:arm|leg|hand)s? (?:\w+ ){0,2}on (?:the|a) (?:grill|oven|iron|kettle|stove|pan|tin)\b
"""

SELF_WORDING = r"""
alive           \b(?:whether|if) (?:to|i want to|i should|i'll) (?:stay|be|remain|keep) alive\b
alive           \b(?:dont|wont|didnt|cant|havent|without|never|no (?:wish|desire|intention)|stopped wanting
                |can't see how)\b[^.!?;|]{0,30}\b(?:be|being|stay|staying|remain) (?:even |still )?alive\b
alive           {i} {w3}(?:won't|wont|will not|not) {w2}be alive (?:by|on|for|next|to see|much longer|tomorrow)\b
alive           \bnot (?:wanting|sure i want) to (?:be|stay) alive\b|\bhow to stay alive (?:till|until|through)\b
                |\bdone\b[^.!?;|]{0,25}\bwith being alive\b|\bmy last (?:day|night|week|hours?) alive\b
dead            \b(?:want\w*|wanna|like|love|prefer|meant|hope|should|deserve) (?:to )?(?:just )?be dead\b
dead            \b(?:think\w*|thoughts?|dream\w*|daydream\w*|imagin\w*|forward|idea) {w3}(?:of|about|to) being dead\b
being dead      \bbeing dead (?:would|can't|cannot|is|feels)\b
dead            \bworth more (?:to \w+ )?dead\b|\bwith me (?:dead|in (?:a|the) grave)\b
dying           \b(?:thoughts? of|forward to|planning on|think about) dying\b(?! (?:my|her|his|the|it|hair|wool)\b)
way out         \bway out\b[^.!?;|]{0,20}\b(?:but|except|than) (?:dying|death|suicide)\b
to die          \b(?:decided|resolved|chosen|choosing|mind|wish|desire|longing|urge|plan) to die\b
                (?! (?:on|for|of|laughing|trying|hard|down|out|off|a)\b)
wanting to die  \bwanting to die\b(?! (?:of|from|for|on|laughing)\b)
let me die      \b(?:please|pls|plz|just) let me die\b(?! (?:of|from|laughing)\b)
liv             \b(?:no|without|any|stopped|less) (?:more |longer |further )?(?:wish|desire|wanting|longing) to (?:live
                |go on living|be alive|continue living)\b{not_place}
wanting to      \bnot wanting to (?:live|exist|wake up)\b{not_place}
live            {i} {w3}(?:don't|dont|do not|won't|not) (?:\w+ )?(?:intend|plan|mean|want|expect)
                (?:ing)? to live (?:past
                |beyond|much longer|through the (?:winter|summer|year|night|week))\b
to die          \breasons? (?:not )?to die\b(?! (?:on|for|of)\b)
liv             \b(?:not|n't|dont|no longer) (?:feel )?(?:able|want|wish) to (?:keep|go|carry) on living\b{not_place}
live or die     \b(?:if|whether) i live or die\b
living          \bwhy (?:should i |do i )?(?:keep|go on|carry on) living\b{not_place}
no will         \b(?:i have|i've got|there is|there's) no will to live\b
exist           \b(?:want\w*|wanna|like|prefer|wish|love|rather|anything|easier|simpler|kinder|nicer) {w3}not to
                \s(?:have to )?exist\b|\b(?:(?:want|like|wish|love|prefer) to|rather) not exist\b
not existing    \b(?:think\w*|thought) (?:about|of) not existing\b
exist           \bif i (?:just |simply )?(?:didn'?t|did not|don'?t|no longer|never) exist(?:ed)?\b
                |\b(?:dont|don't) (?:really |even )?wanna exist\b|\bnot to exist any\b
suicid          \bmy thoughts\b[^.!?;|]{0,30}\bsuicide\b|\bthoughts of suicide (?:have|are|came|come|since|again)\b
                |(?:^|[.,!?;] )(?:feeling|been|felt) suicidal\b|\bsuicidal again\b
woke up         \b(?:disappointed|sorry|annoyed|cross|sad|regret\w*) (?:\w+ ){0,2}?(?:that )?i woke up\b
                (?! (?:so|late|early|at|before|after|the|my|everyone)\b)
wak             \bnot waking up (?:sounds|seems|feels|would be|again)\b|\b(?:beg
                |pray)\w* (?:\w+ ){0,2}not to wake\b(?! (?:the|my)\b)
life            \b(?:ended|taken|finish|finishing) my (?:own )?life\b
life            \b(?:wish|want\w*|glad if) (?:\w+ ){0,2}?(?:my
                |this) life (?:would |to |was |were |is )?(?:be )?(?:over
                |end|ended|stop)\b
life            \bwant(?:ed)? (?:to get )?out of (?:this )?life\b|\bgive up (?:this|my) life(?=[.,!?;]|$)
life            \b(?:leav\w+|exit\w*|quit\w*) (?:this|my own) life\b(?! (?:behind|of|in|as|for)\b)
liv             {i} {w3}(?:done|finished|through|fed up) with (?:living|being alive|existing)\b
                |\b(?:tired|sick|weary) of being in this (?:world|life)\b
my life         \bmy life(?:'s| is) not worth\b(?! the paper)|\bmy life (?:isn'?t|has no) (?:worth (?:anything
                |the)|value)\b
yself           \b(?:off|offing|yeet|unalive|do away with|doing away with|done away with) myself\b(?! off\b)
unalive         \b(?:wanna|want to|gonna|going to) unalive\b
yself in        \b(?:do|doing) myself in\b(?! (?:at|with|on|by|lifting|running)\b)
own hand        (?<!made )(?<!written )(?<!built )\bby my own hand\b
hurt            \bhurting myself (?:is|helps|so that|every|at night|to feel)\b|\bhurt myself (?:until|to feel|so that
                |at night|every (?:night|evening)|in secret|where (?:no|the))\b
cutting         {i} {w6}(?:relapsed|stop|stopped|started|back to|urge) {w3}cutting(?=[,!?]|$| again| myself)
scratch         \bscratch\w* my (?:own )?(?:arms?|skin|thighs?|legs?)\b[^.!?;|]{0,20}\b(?:open|until|till|to feel)\b
burden          \bi (?:won't|wont|will not) be (?:such )?a burden (?:(?:to|for|on) (?:\w+ or to )?(?:you|them
                |any ?one|anybody|others|every ?one|my \w+) )?(?:for )?(?:much longer|any ?more|any longer)\b
with me gone    \b(?:better|happier|relieved|lighter|easier)\b[^.!?;|]{0,40}\bwith me gone\b(?! (?:on|for|to|until)\b)
if i            \b(?:better|happier|relieved|lighter|easier|kinder|simpler|freer
                |fine)\b[^.!?;|]{0,40}\bif i (?:was|were) (?:dead
                |no more)\b|\b(?:sigh|relief|change|changed)\b[^.!?;|]{0,30}\bif i died\b
be dead         \b(?:when|if|by the time) (?:\w+ ){1,2}(?:read|reads|get|gets|find|finds|open|opens) this
                \b[^.!?;|]{0,25}
                \bbe dead\b
taken my life   \bhave taken my life\b
deserve         {i} {w2}(?:don't|dont|do not|never) deserve to (?:live|be alive|exist|breathe)\b{not_place}
born            \bwish(?:ed)? (?:that )?i (?:hadn'?t|was not|wasn'?t) (?:ever )?been born\b|\bi wish i wasn'?t born\b
                |\bwhy was i (?:even |ever )born\b
stop being      {i} {w6}(?:want|wish|like|love) (?:\w+ )?(?:to )?stop being(?=[.,!?;]|$)
this world      {unwanted}(?:on|in) this world\b(?! (?:cup|of|bank)\b)
this earth      {unwanted}(?:on|in) this earth\b|\b(?:remain|stay) on (?:this )?earth\b
this planet     {unwanted}(?:on|in) this planet\b
heart           \b(?:hop|wish|pray|beg|ask)\w* [^.!?;|]{0,30}\bmy heart (?:would |will |just |simply |to )*(?:stop
                |gives? (?:out|up)|packs? (?:in|up))
take me         \bpray\w* [^.!?;|]{0,12}\b(?:god|lord|allah|him) to take me(?=[.,!?;]|$)|\b(?:god|the lord|allah
                |jesus|him
                |he)\b (?:would |will |to |should )(?:just )?take me (?:home |now |away
                )?(?:in my sleep|early|from this|tonight)\b|\bbegging god to take me\b
myself          {i} {w6}(?:risk|danger) to (?:no ?body but )?(?:me|myself)(?=[.,!?;]|$| and)
                |\bscared of myself\b|\bdo(?:ing)? (?:something |anything )(?:terrible |bad |stupid |awful )to myself\
                b
safe            \b(?:not|n't|nt) feel safe with myself\b|\b(?:not
                |n't) (?:feel |feeling )?safe (?:alone with my thoughts|by myself tonight|with my own thoughts)\b
tried to        {i} {w3}tried to (?:die|end (?:things|my life))(?=[.,!?;]|$| (?:last|on|in|again|and)\b)
ground          {i} {w6}(?:want|like|rather|sooner|prefer|wish|hope) {w3}be (?:in|under) the ground\b
grave           {i} {w6}(?:want|like|rather|sooner|prefer|wish|hope) {w3}be in (?:a|my) (?:grave|coffin)\b
trust myself    \b(?:don't|dont|can't|cant|cannot|do not) trust myself (?:near|on|at|by) (?:\w+ )?(?:balcony
                |bridge|platform
                |roof|window|edge|station|railing|tracks|heights)\b
with me in it   \bcan(?:'t|not|t) see (?:\w+ ){1,5}with me in it\b
myself out of   \btak(?:e|ing) myself out of (?:the way|(?:this|the) world|this life)\b(?! (?:more|when|a bit|of)\b)
liv             \b(?:let go of|say goodbye to|said goodbye to|checked out of|check out of|logging out of|log out of
                |resign from|bow out of) (?:life|being alive|living)(?=[.,!?;]|$)
dying           \bdying (?:is all i|is the (?:only|loving|kindest)|seems|sounds like rest)\b
death           \bdeath is the only (?:thing|peace|way)\b(?! certain)|\bdeath feels like the only\b
s me            {home}(?:hits|beats|batters|chokes|punches) me{blow}
d me            {home}(?:choked|strangled|slapped|punched) me{blow}
hit me          {home}hit me{blow}
threaten        \bthreaten\w* to (?:kill|murder|stab) me\b
my throat       \bhands? (?:\w+ )?(?:around|round|at) my throat\b
my neck         \bhands? (?:\w+ )?(?:around|round|at) my neck\b
by the throat   \b(?:held|holds|grabs|grabbed|had) me by the throat\b
for my life     \b(?:scared|afraid|frightened|terrified) for my life\b
"""

OTHER_WORDING = r"""
wanting to die  {they} {w8}wanting to die\b
"""
