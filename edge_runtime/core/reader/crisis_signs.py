r"""Quieter disclosures: preparation, passive wishes and signs that others see, as data for `crisis_phrases`.

Promises: data only, in our own words, in the form that `crisis_phrases` describes. A sign that ordinary life also
knows (a tidy desk, a goodbye, a note) counts only together with a second one in the same sentence.
Does not: cover other languages than English, or find what nobody thought of: of 20 quiet disclosures that were kept
apart while these were written, phrases find 2. Finding the rest takes an encoder.
"""

from __future__ import annotations

__all__ = ["OTHER_SIGNS", "SELF_SIGNS"]

SELF_SIGNS = r"""
affairs         \bmy affairs in order\b[^.!?;|]{0,40}\b(?:clean up|after me|without me|(?:i'm|i am) (?:gone|dead))\b
how many        \bhow many (?:\w+ )?(?:painkillers|pills|sleeping tablets|paracetamol|meds)\b[^.!?;|]{0,20}\b(?:takes
                |too many|lethal|fatal|to die|overdose|kill me)
count           {i} {w3}count(?:ed|ing)? (?:out )?(?:the |my |all )?(?:\w+ )?(?:pills|painkillers
                |tablets in the (?:bathroom|medicine|kitchen))\b
do it           \bhow i(?:'d| would|'ll| will) do it\b[^.!?;|]{0,20}\b(?:calms|comforts|soothes|relief|peace)
won             {i} (?:won't|wont) be any(?:one|body)'?s (?:problem|burden)\b
need            \b(?:won't|wont|will not) need (?:it|them|any of (?:it|this)|anything|money) where (?:i'm|im
                |i am) going\b(?! (?:on|for|to|next)\b)
me              \b(?:hop\w+|wish\w*|pray\w*) [^.!?;|]{0,40}\b(?:car|truck|lorry|bus|train|driver)\b[^.!?;|]{0,40}\b(?:
                hits?|kills?|takes?|run) me\b(?! (?:up|home|to|back)\b)
my lane         \b(?:hop\w+|wish\w*|pray\w*) [^.!?;|]{0,60}\binto my lane\b
terminal        \bterminal (?:diagnosis|illness|disease|cancer)\b[^.!?;|]{0,40}\b(?:reliev\w+|relief|welcome|glad)
if i            \b(?:mind|better|easier|relief|relieved) if i (?:just |simply )?(?:didn't|did not|never) (?:come
                |came) back\b(?! (?:to|after|until|till|before|with|for|in|on|at)\b)
step            \b(?:platform|edge|bridge|roof|balcony|cliff|tracks|rails)\b[^.!?;|]{0,60}\b(?:one|a single) step\b
see myself      {i} {w3}(?:don't|dont|can't|cant|cannot) (?:really )?see myself (?:being )?(?:alive|around\b(?! here))
safe            {i} {w3}(?:can't|cant|cannot) (?:promise|guarantee) (?:that )?i(?:'ll| will|'d| would) (?:be|stay|keep
                ) ?(?:myself )?(?:safe|alive)\b|\b(?:can't|cant|cannot) keep myself safe\b
trust myself    \b(?:don't|dont|can't|cant|cannot) trust myself (?:tonight|to be alone|to stay alive)\b
for             \b(?:rope|noose|gun|pistol|razor)\b[^.!?;|]{0,40}\bknow (?:what (?:it is|it's|its) for|what for)\b
d               \b(?:being dead|death|dying|not being alive|not existing) (?:sounds?|seems?|feels?
                |would be) (?:\w+ )?(?:peaceful|a relief|better|easier|restful|comforting)\b
mind            \b(?:wouldn't|would not) mind (?:not existing|being dead|dying|not being alive)\b
thought of      \bthoughts? of (?:dying|death|my death|being dead|suicide) [^.!?;|]{0,30}\b(?:comfort|calm|peace
                |relief|relieve)
goodbyes        \b(?:said|saying) (?:all )?my goodbyes\b(?! (?:to|at)\b)[^.!?;|]{0,30}\b(?:calm|peace|ready to die)
back            \b(?:go to sleep|fall asleep|walk into the (?:sea|river|lake)) and (?:never|not) (?:come|coming) back\b
leav            \bleav(?:e|ing) this (?:world|earth)\b(?! (?:a |of |better|cleaner))
birthday        {i} {w3}(?:don't|dont|won't|wont|not|never) (?:think (?:that )?i(?:'ll| will) )?(?:make it to|live to
                |live to see|be alive (?:at|for|on)) my next birthday\b
read this       \bby the time (?:you|they|anyone) (?:read|reads|find|finds) this[^.!?;|]{0,12} be (?:gone
                |dead)\b(?! (?:for|on|to|until|till|from)\b)
over            \bwant (?:it|it all|everything|this life) (?:all )?to be over (?:for good|for ?ever)\b
my              \bmy (?:own )?death (?:would|will|might|could) (?:\w+ )?(?:solve|help|be|make|free|spare|change)\b
me              \b(?:bridge|roof|ledge|balcony|edge|tracks)\b[^.!?;|]{0,60}\b(?:talked|pulled|brought|got) me (?:down
                |back from)\b
last            \b(?:this|today|tonight|tomorrow|it) (?:is|will be) my last (?:day|night) (?:on earth|alive)\b
existing        {i} {w6}(?:stop|stopped) existing\b
my              \b(?:cuts|scars|burns|burn marks) (?:all )?(?:on|over|along|up) my (?:own )?(?:arms?|wrists?
                |thighs?)\b(?! from)
after           \b(?:wrote|written|writing|left|leaving|recorded) (?:\w+ ){0,2}(?:letters?|notes?|messages?
                |videos?) (?:to|for) [^.!?;|]{0,40}\b(?:for afterwards|for after i|after (?:i'm|i am) (?:gone|dead))\b
gone            \b(?:letters?|notes?|messages?|passwords|instructions) [^.!?;|]{0,40}\bwhen (?:i'm|i am) (?:gone|dead)\b
"""

OTHER_SIGNS = r"""
goodbye         \b(?:giving|gave|given) away (?:all )?(?:his|her|their) (?:\w+ )?\w+[^.!?;|]{0,40}\bgoodbyes?\b
                |\bgoodbyes?\b[^.!?;|]{0,40}\b(?:giving|gave|given) away (?:all )?(?:his|her|their)\b
a plan          {they} {w6}(?:has|have|had) a plan\b[^.!?;|]{0,20}\bbe (?:here|around
                |alive)\b(?! (?:at|in|for|early|late|on)\b)
much longer     {they} {w6}(?:won't|wont|will not) be (?:around|alive) much longer\b(?! (?:at|in|with|on|as)\b)
l               \b(?:cuts|scars|burns|burn marks) (?:all )?(?:on|over|along|up) (?:his|her|their) (?:own )?(?:arms?
                |wrists?|thighs?)\b(?! from)
existing        {they} {w8}(?:stop|stopped) existing\b
how many        {they} {w6}ask\w* (?:me )?how many (?:\w+ )?(?:painkillers|pills|sleeping tablets)\b[^.!?;|]{0,20}\b(?:
                too|takes|lethal|fatal|enough)
note            {they} {w3}left a (?:\w+ )?note\b[^.!?;|]{0,20}\b(?:answering|answer|missing|gone|disappeared
                |can't find|cant find)\b
last            {they} {w8}(?:his|her|their) last (?:day|night) (?:on earth|alive)\b
if              \b(?:better|easier|happier|relieved)(?: off)? if (?:he|she|they) (?:(?:was|were) dead|died
                |(?:wasn't|weren't) alive)\b
"""
