r"""The phrases of `crisis_phrases` in German, French and Spanish: disclosures about oneself and about somebody else.

Promises: data only, in our own words, in the form that `crisis_phrases` describes, over folded text (no accents, `ss`
for sharp s). Does not: cover other languages, or low mood beyond what stands in `crisis_phrases`.
"""

from __future__ import annotations

__all__ = ["IDIOMS_ELSEWHERE", "OTHER_ELSEWHERE", "SELF_ELSEWHERE"]

IDIOMS_ELSEWHERE = r"""
tot             \bklinisch tot\b|\bmehr tot als lebendig\b
aufwachen       \bnicht mehr aufwachen bis\b
matar           \bmatar a trabajar\b
verguenza       \bmorir(?:me)? de la verguenza\b
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
d'adieu         \blettres? d'adieu\b(?! (?:a|aux?|pour) (?:l'|le |la |les |mes )?(?:equipe|collegue|entreprise
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
welt            \bnicht mehr auf (?:der|dieser) (?:welt|erde)\b(?! (?:zu hause|bekannt))
                |\bgehor\w* nicht auf die(?:se)? welt\b
existier        \b(?:ich|lieber|liebsten)\b[^.!?;|]{0,40}\bnicht mehr (?:zu )?existieren\b
geboren         \bich (?:\w+ ){0,4}nie geboren\b
leb             \b(?:wozu|warum|wofur) (?:\w+ ){0,2}?leb(?:e)? ich (?:\w+ ){0,2}?(?:noch|uberhaupt)\b
                |\b(?:wozu|wofur|warum) (?:noch )?weiterleben\b|\bkann (?:\w+ ){0,2}nicht (?:mehr )?weiterleben\b
am leben        \bnicht mehr am leben (?:sein|bleiben|zu sein)\b|\bverdient am leben zu sein\b|\bverdient, am leben
beenden         \bmein leben (?:\w+ ){0,2}(?:zu )?beenden\b
antu            \bmir (?:\w+ ){0,3}(?:etwas|was|nichts) antu(?:e|n)?\b
aus dem leben   \baus dem leben (?:\w+ ){0,2}(?:geh\w*|scheid\w*|zu gehen|nehm\w*|treten)\b
tot             \b(?:wunsch\w*|lieber|stelle mir vor|stell mir vor)\b[^.!?;|]{0,12}\btot (?:zu )?sein\b
                |\btot sein (?:war|ware)\b
                |\b(?:war|ware) (?:ich )?lieber tot\b|\bwar ich nur tot\b
sterben         \b(?:lass|lasst) mich (?:einfach |bitte )?sterben(?=[.,!?;]|$)|\b(?:beschlossen|entschieden
                |entschlossen) zu
                sterben\b
verletz         \bmich (?:\w+ ){0,3}(?:selbst|selber) (?:zu )?verletz\w*
ritz            \bwieder geritzt\b
es mich         \b(?:gibt|gab|gabe) es mich (?:\w+ ){0,2}nicht mehr\b
                |\bes mich (?:\w+ ){0,3}nicht(?: mehr)? (?:gibt|gabe)\b
                |\bhatte es mich nie gegeben\b
nicht mehr      \bwenn ich nicht mehr lebe\b|\bnicht mehr leben (?:zu )?(?:wollen|will)\b|\b(?:da
                |dann) leb(?:e)? ich nicht mehr\b
bring           \bich bringe? mich (?:\w+ ){1,2}um(?=[.,!?;]|$)
tot             \bwunschte,? (?:dass )?ich (?:ware )?(?:\w+ )?tot\b
lebenswill      \b(?:ich|habe) (?:\w+ ){0,2}keinen lebenswillen\b
me corto        \bme corto (?:cuando nadie|a escondidas|en secreto)\b
sentido a       \bno le (?:veo|encuentro) (?:el |ningun )?sentido a (?:vivir|la vida|seguir viviendo)\b
                (?! (?:en|con|aqui|alli|tan)\b)
lebensmud       \bich bin (?:\w+ ){0,2}lebensmud\w*
kraft           \bkeine kraft (?:mehr )?zu leben\b|\bkeine lust (?:mehr )?zu leben\b
schluss mit mir  \bschluss mit mir\b
mich            \b(?:mann|freund|frau|freundin|vater|bruder|partner|er) (?:\w+ )?(?:schlagt|verprugelt
                |wurgt) mich(?=[.,!?;]|$
                | (?:wieder|und|wenn|jeden|fast)\b)(?![^.!?;|]{0,40}\b(?:im|beim) \w*(?:tennis|schach|kicker|spiel))
hat mich        \b(?:mann|freund|frau|freundin|vater|bruder|partner
                |er) hat mich (?:wieder |gestern |heute |schon ){0,2}(?:geschlagen
                |gewurgt|verprugelt)\b(?![^.!?;|]{0,25}\b(?:im|beim) \w*(?:tennis|schach|kicker|spiel))
droh            \bmit dem tod\w* gedroht\b|\bdroht\w*[^.!?;|]{0,25}\b(?:mich umzubringen|er mich umbringt)\b
                |\bgedroht, dass er mich umbringt\b
vivre           \b(?:marre|fatigue\w*|tanne\w*|las|lasse|n'en peux plus|j'en peux plus
                |degoute\w*) de vivre\b(?! (?:ici|avec|chez
                |dans|en|a|sans|comme|ensemble|seule?)\b)|\bvivre ne m'interesse plus\b|\bmerite (?:pas
                |plus) de vivre\b
                |\ba quoi bon (?:continuer a )?vivre\b|\bde ne plus vivre(?=[.,!?;]|$)|\bjvx plus vivre\b
                |\bla force de vivre, ni
en vie          \b(?:pas|plus|pourquoi)\b[^.!?;|]{0,20}\b(?:rester|etre|serai) (?:encore )?en vie\b
                |\benvie d'etre en vie\b
de ce monde     \bplus (?:etre )?de ce monde\b|\bm'en (?:vais|aller) de ce monde\b
terre           \bplus (?:etre |rester )?sur (?:cette )?terre\b
exist           \bsi je n'existais (?:pas|plus)\b|\b(?:j'|je |envie de |mieux )[^.!?;|]{0,20}\bne plus exister\b
jours           \b(?:mettre )?fin a mes jours\b
fin a ma vie    \bfin a ma vie\b
tuer            \b(?:essaye|tente|dire que je pense|songe) (?:\w+ ){0,2}(?:de|a) me tuer\b(?! (?:au|a la))
supprimer       \b(?:pense|penser|songe|envie|idee)\w* (?:\w+ ){0,2}?(?:a|de) me supprimer\b
si j            \bsi (?:j'etais morte?|je mourais)\b(?! (?:de|pour)\b)
mourir          \b(?:tente|essaye|decide|choisi|voulu) de mourir\b|\blaissez? moi mourir\b(?! de)
                |\bvraiment voulu mourir\b
en finir        \ben finir avec (?:la|ma) vie\b
du mal          \bje me suis (?:\w+ ){0,2}fait du mal\b
recoupe         \bje me suis recoupee?(?=[.,!?;]|$)
me frappe       \b(?:mari|conjoint|compagnon|copain|pere|frere|il|elle) (?:\w+ )?me frappe
                (?=[.,!?;]|$| (?:et|depuis|encore|presque|quand)\b)
                (?! [^.!?;|]{0,30}\baux? (?:ping|tennis|echecs|jeu))
me bat          \b(?:mari|conjoint|compagnon|copain|pere|frere|il|elle) (?:\w+ )?me bat
                (?=[.,!?;]|$| (?:et|depuis|encore|presque|quand)\b)
                (?! [^.!?;|]{0,30}\baux? (?:ping|tennis|echecs|jeu))
me cogne        \b(?:mari|conjoint|compagnon|copain|pere|frere|il|elle) (?:\w+ )?me cogne
                (?=[.,!?;]|$| (?:et|depuis|encore|presque|quand)\b)
                (?! [^.!?;|]{0,30}\baux? (?:ping|tennis|echecs|jeu))
m'a             \b(?:mari|conjoint|compagnon|copain|pere|frere|il|elle) m'a encore (?:frappee?|etranglee?
                |battue?|cognee?)\b
me tuer         \bmenac\w* de me tuer\b|\bqu'il me tuerait\b|\bil me tuera si je (?:pars|parle)\b
viv             \b(?:no|ni|por que|para que) (?:\w+ ){0,2}(?:estar|seguir|sigo|seguire|estare) viv[oa]\b
                |\bganas de estar viv[oa]\b
                |\bno (?:tengo derecho a|merezco) (?:seguir )?(?:vivir|viviendo|viv[oa])\b|\bno vivir mas\b
de vivir        \b(?:hart[oa]|cansad[oa]) de vivir\b(?! (?:aqui|con|en|sin|asi|lejos)\b)
de existir      \b(?:hart[oa]|cansad[oa]) de existir\b
este mundo      \b(?:irme|me voy|me ire|marcharme|ir) de este mundo\b|\bno quiero (?:\w+ ){0,2}(?:estar|seguir
                |vivir) en este mundo\b
exist           \bsi (?:yo )?no existiera(?=[.,!?;]|$| mas)|\b(?:preferiria|prefiero|quiero|quisiera
                |mas facil) (?:dejar de
                |no) existir\b
mori            \b(?:solo pienso en|deseo|intente|decidido|permiso para) (?:\w+ )?morir(?:me)?\b(?! (?:de|por)\b)
                |\b(?:dejadme|dejenme|dejame) morir\b(?! de)|\bintente morir\w*
me muriera      \bsi (?:yo )?me muriera\b(?! de)|\bcuando yo me muera\b|\bsi yo estuviera muert[oa]\b
mi vida         \b(?:terminar|acabar|acabo) con mi vida\b
la vida         \bme quito la vida\b
matarme         \bmatarme es\b
despert         \b(?:ojala|espero|quisiera)\b[^.!?;|]{0,20}\bno (?:me )?desperta?(?:ra|r)\b(?! (?:al|a la|a los
                |a nadie)\b)
dano            \bme (?:volvi a|he vuelto a) hacer dano\b
cortar          \bme volvi a cortar(?=[.,!?;]|$)
me pega         \b(?:pareja|marido|mujer|novio|padre|hermano|el|ella) (?:\w+ )?me pega
                (?=[.,!?;]|$| (?:y|desde|casi|cuando|cada)\b)
me golpea       \b(?:pareja|marido|mujer|novio|padre|hermano|el|ella) (?:\w+ )?me golpea
                (?=[.,!?;]|$| (?:y|desde|casi|cuando|cada)\b)
volvio a pegar  \bme volvio a pegar\b(?! (?:el|la|un|una)\b)
matarme         \bamenaz\w+ con matarme\b
hubiera nacido  \bojala no hubiera nacido\b
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
