r"""The phrases of `crisis_phrases` in German, French and Spanish: disclosures about oneself and about somebody else.

Promises: data only, in our own words, in the form that `crisis_phrases` describes, over folded text (no accents, `ss`
for sharp s). Does not: cover other languages, or low mood beyond what stands in `crisis_phrases`.
"""

from __future__ import annotations

__all__ = ["IDIOMS_ELSEWHERE", "OTHER_ELSEWHERE", "SELF_ELSEWHERE"]

IDIOMS_ELSEWHERE = r"""
disparaitre     \benvie de disparaitre (?:une?|deux|trois|quelques|le temps|ce|pour (?:le|les|une?)) \w+
die             \b(?:character|protagonist|hero|heroine|villain|man|woman|film|novel
                |story) (?:\w+ ){0,6}who wants to die\b
film            \b(?:film|roman|novela|pelicula|novel|serie)\b[^.!?;|]{0,40}\b(?:nicht mehr leben will|quiere morir
                |veut mourir|sterben will)\b
novela          \bnovela\b[^.!?;|]{0,40}\bquiere morir\b
"""

SELF_ELSEWHERE = r"""
nicht mehr      \b(?:will|mag|mochte|wollte) (?:ich )?(?:\w+ ){0,2}nicht mehr (?:leben|da sein|hier sein|aufwachen
                |sein)\b(?! (?:in|bei|mit|auf)\b)
umbring         \b(?:mich|bring ich mich|bringe ich mich) (?:\w+ ){0,2}um(?:zu)?bringen\b
                |\bbring(?:e)? (?:ich )?mich (?:\w+ ){0,2}um\b
umzubringen     \bmich (?:\w+ ){0,2}umzubringen\b
leben           \bmir das leben (?:zu )?nehmen\b|\b(?:meinem|mein) leben ein ende\b
tot             \bich (?:\w+ ){0,3}tot (?:sein|ware)\b|\b(?:ware|war) ich (?:\w+ ){0,2}tot\b(?! muede)
sterben         \bich (?:will|mochte|wollte|wurde am liebsten|kann nur noch) (?:\w+ ){0,2}sterben\b(?! (?:fur|vor)\b)
ohne mich       \bohne mich (?:\w+ ){0,4}(?:besser|leichter|einfacher)\b(?! (?:das|die|der) (?:meeting|projekt
                |termin))
besser          \b(?:besser|leichter) (?:dran |fur (?:alle|euch|sie) )?ohne mich\b
abschiedsbrief  \babschiedsbriefe?\b
ritz            \b(?:ich|mich) (?:\w+ ){0,4}(?:ritze|geritzt|ritzen)\b
verletz         \b(?:ich )?(?:verletze|schneide) (?:ich )?mich (?:\w+ ){0,2}(?:selbst|selber|wieder)\b
                |\bmich (?:wieder )?(?:selbst|selber) (?:zu )?verletz\w*
tun             \bmir (?:\w+ ){0,2}(?:etwas|was) an(?:zu)?tun\b
tu mir          \btu(?:e)? (?:ich )?mir (?:\w+ ){0,2}(?:etwas|was) an\b
aufwachen       \bnie(?: wieder| mehr)? (?:mehr )?aufwachen\b|\bnicht mehr aufwachen\b
ausweg          \bkeinen ausweg\b[^.!?;|]{0,30}\b(?:schluss|ende|mehr fur mich)\b
schluss         \bich mach(?:e)? (?:\w+ ){0,2}schluss (?:mit (?:allem|mir|dem leben))\b
springen        \b(?:brucke|dach|gleis\w*|balkon)\b[^.!?;|]{0,40}\b(?:springen|gesprungen|runter)\b|\b(?:vor
                |unter) (?:den|einen) zug (?:\w+ ){0,2}(?:springen|werfen|zu werfen|legen)\b
selbstmord      \b(?:ich|mein\w*|mir|mich) [^.!?;|]{0,40}\bselbstmord\w*\b
suizid          \b(?:ich|mein\w*|mir|mich) [^.!?;|]{0,40}\bsuizid\w*\b(?!(?:praventio|berat))
tabletten       \b(?:alle|ganzen|zu viele|uberdosis) (?:\w+ )?tabletten (?:genommen|geschluckt|nehmen|schlucken)\b
plus vivre      \b(?:je )?(?:ne )?(?:veux|voudrais|voulais|peux) plus vivre\b(?! (?:ici|avec|chez|a|dans|en|sans
                |comme))
envie de        \benvie de (?:mourir|vivre plus|me tuer|m'en aller pour (?:de bon|toujours)
                |disparaitre)\b(?! de (?:rire|honte))
plus envie      \bplus (?:aucune )?envie de vivre\b
suicid          \b(?:me|de me|a me|j'ai|je me) (?:\w+ ){0,2}suicid\w*\b|\b(?:pense|penser|songe|idees?
                |pensees?) (?:\w+ ){0,2}(?:au suicide|suicidaires?)\b
me tuer         \b(?:je vais|je veux|envie de|pense a|penser a|voulu) me tuer\b(?! (?:au|a la|a force))
foutre en l'air  \bme foutre en l'air\b
mourir          \bje (?:veux|voudrais|voulais|prefere\w*) (?:\w+ ){0,2}mourir\b(?! (?:de|pour)\b)
etre mort       \b(?:je (?:veux|voudrais|prefere\w*|aimerais) (?:\w+ )?|si j')(?:etre|etais) morte?\b(?! de)
sans moi        \b(?:serai\w*|iraient|irait|vivraient) (?:\w+ ){0,2}(?:mieux|plus (?:facile|simple
                |heureux)) sans moi\b|\bmieux sans moi\b
lettre d'adieu  \blettres? d'adieu\b(?! (?:a|aux?|pour) (?:l'|le |la |les |mes )?(?:equipe|collegue|entreprise
                |client))
du mal          \bje me (?:fais|suis) (?:\w+ ){0,2}(?:fait )?du mal\b(?! a )|\bme faire du mal\b
scarifi         \b(?:je me|me) (?:\w+ )?(?:re)?(?:scarifi\w*|coupe les (?:veines|bras))\b
en finir        \b(?:je (?:vais|veux|voudrais)|envie d'|penser? a|j'ai voulu|autant) (?:\w+ )?en finir(?=[.,!?;]|$
                | avec (?:la vie|tout|ma vie)| pour de bon)
reveiller       \b(?:ne plus|ne jamais|plus jamais) (?:me |m'y )?reveiller\b(?! (?:a|avant|tot|si|pour))
sauter          \b(?:failli |voulu |envie de |pense a )?(?:me jeter|sauter) (?:du (?:pont|toit|balcon)
                |par la fenetre|sous (?:le|un) (?:train|metro|rer))\b
plus la         \bje ne serai plus (?:la|de ce monde)\b[^.!?;|]{0,30}\b(?:decide|c'est mieux|pour personne)\b
medicaments     \b(?:avale|pris|prendre|avaler) (?:tous|toute la boite|trop) (?:\w+ ){0,2}(?:medicaments|cachets
                |comprimes)\b
viv             \bno (?:\w+ )?(?:quiero|deseo|puedo) (?:\w+ )?(?:seguir viviendo|vivir mas|vivir)\b(?! (?:aqui|con|en
                |sin|asi|de|tan|lejos)\b)
ganas de        \b(?:sin|no tengo|ni) (?:\w+ )?ganas de (?:vivir|seguir viviendo)\b|\bganas de (?:morir(?:me)?
                |matarme|desaparecer para siempre)\b(?! de)
suicid          \b(?:suicidarme|mi suicidio|me (?:quiero|voy a|intente) suicid\w*|pensamientos suicidas
                |ideas? (?:de suicidio|suicidas?)|intente suicid\w*)\b
matarme         \b(?:quiero|voy a|pens\w+ en|intente|ganas de|podria) matarme\b(?! (?:a |trabajando|de risa
                |estudiando))
quitarme        \bquitarme (?:la vida|de en medio|del medio)\b
morir           \b(?:quiero|quisiera|querria|deseo|prefiero|preferiria) (?:\w+ )?morir(?:me)?\b(?! (?:de|por)\b)
muert           \b(?:quiero|quisiera|preferiria|ojala|mejor) (?:\w+ )?(?:estar|estuviera|estaria) muert[oa]\b(?! de)
sin mi          \b(?:estarian?|iria\w*|vivirian?|seria) (?:\w+ ){0,3}(?:mejor|mas (?:facil|felices
                |tranquil\w+)) sin mi\b|\bmejor sin mi\b
despedida       \b(?:carta|nota)s? de despedida\b(?! (?:a|al|para) (?:el |la |los |mis )?(?:equipo|companer|empresa
                |cliente))
cortar          \bme (?:he |vuelvo a |volvi a |estoy )?(?:vuelto a )?(?:cortar|cortando|cortado|corto
                |corte) (?=[.,!?;]|$|los brazos|las venas|otra vez|de nuevo)|\bme he vuelto a cortar\b(?! (?:el
                |la) )
autolesion      \b(?:me autolesion\w*|autolesionarme)\b
dano            \bhacerme dano\b|\bme hago dano\b
despertar       \bno (?:volver a )?(?:despertar(?:me)?|despertarme) (?:mas|nunca|jamas)\b
                |\bno volver a despertar\w*\b|\b(?:dormirme|durmiera|dormir) y no (?:volver a |me )?despertar\w*\b
acabar          \bacabar con (?:mi vida|todo(?=[.,!?;]|$))
salida          \bno (?:hay|veo|tengo) (?:\w+ )?salida\b[^.!?;|]{0,30}\b(?:acabar|vivir|final|fin)\b
ar              \b(?:tirarme|lanzarme|saltar) (?:del? (?:puente|balcon|tejado|ventana)|por (?:la ventana|el balcon)
                |a las vias|al (?:tren|metro))\b
pastillas       \b(?:tome|tomarme|tragarme|trague|tomado) (?:todas|demasiadas|un bote de
                |el bote de) (?:\w+ ){0,2}(?:pastillas|las pastillas)\b
"""

OTHER_ELSEWHERE = r"""
tun             \bsich (?:\w+ ){0,2}(?:etwas|was) an(?:zu)?tun\b|\b(?:er|sie) tut sich (?:etwas|was) an\b
umbring         \bsich (?:\w+ ){0,2}um(?:zu)?bringen\b|\bbringt sich um\b|\bsich umgebracht\b
das leben       \bsich das leben (?:zu )?(?:nehmen|genommen)\b
nicht mehr      \b(?:er|sie|sohn|tochter|kolleg\w+|freund\w*|bruder|schwester|mann|frau)\b[^.!?;
                |]{0,40}\bnicht mehr (?:leben|da sein) (?:will|mochte|wolle|wollte)\b|\b(?:er|sie) (?:will
                |mochte) nicht mehr leben\b
sterben         \b(?:er|sie)\b[^.!?;|]{0,30}\bsterben (?:will|mochte|wolle|wollte)\b|\b(?:er|sie) (?:will
                |mochte) sterben\b
ritzt           \britzt sich\b|\bsich (?:\w+ ){0,2}geritzt\b
verletzt sich   \bverletzt sich (?:\w+ )?(?:selbst|selber|absichtlich)\b
suizid          \b(?:er|sie|ihr|sein|sohn|tochter|kolleg\w+|freund\w*|azubi|bruder|schwester|mann|frau|schuler\w*
                |klient\w*)\b[^.!?;|]{0,40}\b(?:suizid\w*|selbstmord\w*)\b
mourir          \b(?:il|elle|qu'il|qu'elle|fils|fille|ami|amie|collegue|soeur|frere) (?:\w+ ){0,3}(?:veut|voulait
                |voudrait|envie de) (?:\w+ )?mourir\b(?! (?:de|pour)\b)
suicid          \b(?:il|elle|qu'il|qu'elle|s'est|se|fils|fille|ami|amie|collegue|soeur|frere|mari|femme|apprenti\w*
                |eleve|stagiaire|client\w*)\b[^.!?;|]{0,40}\b(?:suicid\w*)\b
se tuer         \b(?:il|elle|qu'il|qu'elle) (?:\w+ ){0,3}se tuer\b(?! (?:au|a la))
scarifi         \bse scarifi\w*
se fait du mal  \bse fai(?:t|sait) (?:\w+ )?du mal\b
en finir        \b(?:il|elle|qu'il|qu'elle) (?:\w+ ){0,3}en finir(?=[.,!?;]|$| avec (?:la vie|tout))
plus vivre      \b(?:il|elle|qu'il|qu'elle) (?:\w+ ){0,2}(?:veut|voulait|voudrait) plus vivre\b(?! (?:ici|avec|chez
                |a|dans|en))
suicid          \b(?:el|ella|se|hijo|hija|amig[oa]|companer[oa]|herman[oa]|marido|mujer|alumn[oa]
                |client[ea])\b[^.!?;|]{0,40}\bsuicid\w*
morir           \b(?:quiere|queria|querria) (?:\w+ )?morir(?:se)?\b(?! (?:de|por)\b)
matarse         \b(?:quiere|quiso|intento|va a|piensa en) matarse\b(?! (?:a |trabajando))
quitarse        \bquitarse la vida\b
se corta        \bse (?:corta|cortaba|ha cortado) (?:los brazos|las venas|a proposito|otra vez)\b
                |\bse corta(?=[.,!?;]|$)
vivir           \b(?:el|ella|hij[oa]|amig[oa]|companer[oa]|herman[oa])\b[^.!?;|]{0,30}\bno (?:quiere
                |queria) (?:seguir viviendo|vivir)(?=[.,!?;]|$| mas)
autolesion      \bse autolesion\w*\b
dano            \b(?:hacerse|se hace|se hacia) dano (?:a (?:si|el|ella) mism[oa]|a proposito)\b
"""
