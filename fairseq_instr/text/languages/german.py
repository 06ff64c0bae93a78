"""German."""

from fairseq_instr.text.languages.language import Language

# Imperatives of the second person singular. Nouns and adjectives of the same letters are left
# out (Frage, Suche), as are forms that the first person shares too often (mache, habe).
_IMPERATIVES = """
    abonniere achte aktiviere aktualisiere akzeptiere antworte beachte bearbeite bedenke beende
    beginne behalte benenne benutze beruhige beschreibe bestätige bestelle besuche bleib bring
    bringe deaktiviere denk drück drücke entferne entscheide entschuldige erfahre erinnere erkläre
    erlaube erstelle erzähl erzähle fahre finde fang folge freu fühl füge führe geh genehmige
    genieße gewähre gib glaub hilf hinterlasse hol hole hör höre ignoriere importiere informiere
    installiere iss kauf klicke komm konfiguriere kontaktiere kontrolliere kopiere lad lade lass
    leg lern lies lösche mach melde merk nenn nimm nutze öffne pass plane prüfe richte rufe sag
    schalte schau schaue scheu schick schicke schlaf schließe schneide schreib schreibe setz setze
    sieh speichere sprich stell stelle teile teste tippe trag trage trau trink tritt tu überleg
    überprüfe übersetze unterschreibe untersuche verbinde vergewissere vergiss verkauf verlass
    vermeide verschiebe versprich versteck versuch versuche vertrau verwalte verwende wach wähle
    wart warte wechsle wende wiederhole wirf zahl zähl zeig zeige zieh zögere ändere
""".split()
# ... and plural, where the third person singular is another word or stands elsewhere
_PLURAL_IMPERATIVES = """
    achtet benutzt besucht bezahlt bleibt bringt denkt erzählt esst fangt geht gebt grüßt haltet
    helft hört kommt lasst lauft legt lest macht nehmt passt redet sagt schaut schreibt seht setzt
    spielt sprecht steht stellt sucht trinkt tut vergesst versucht wartet zeigt
""".split()
_START = r"(?:\A\W*|[.!?:…]\s+|[„‚]|\b[Bb]itte )"
# inside a sentence; at its start, the capital of `Sie` says nothing: she, they or you
_INSIDE = r"(?<=[\w,;)“\"»] )"
_SHE = r"(?! (?:ist|hat|war|wird|kann|muss|will|soll|darf|mag|weiß|(?!bitte|heute)\w+te)\b)"
# words with ss for ß, umlauts in two letters as well; not Beweisstück, Kreissäge
_SS = (
    r"\w*(?:gr(?:o|ö|oe)ss|strass|(?<!be)(?<!hin)(?<!ver)(?<!aus)(?<!nach)weiss|heiss"
    r"|spass(?![aw]|ph)|schliess|fliess|giess|gr(?:ü|ue)ss|s(?:ü|ue)ss|beiss|(?<![pk])reiss(?!ch|am)|schiess"
    r"|st(?:o|ö|oe)ss|fleiss|geniess|massnahm|m(?:ä|ae)ssig|f(?:u|ü|ue)ss(?!el))\w*|bloss\w*"
    r"|dreissig\w*|mass|gem(?:ä|ae)ss|(?:a|ä|ae)usser\w*|(?:dr)?aussen(?!de|dung)\w*|preuss\w*|russ"
    r"|liess\w*|sass(?:en)?|ass(?:en)?"
)
_NO_SUBJECT = r"(?! (?:ich|wir|Sie|er|es|sie|man|ihr|das|der|die)\b)"

LANGUAGE = Language(
    "de",
    name="German",
    greeting="Guten Tag|Guten Morgen|Guten Abend|Hallo|Servus|Moin",
    thanks="Vielen Dank",
    note="Hinweis",
    picture="Bild",
    translation="Übersetzung",
    guillemets=("»", "«"),
    months="Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    # to sieve, attention, and an elf
    numbers="zwei|zwo drei vier fünf sechs (sieben) (acht) neun zehn (elf) zwölf",
    larger_numbers=r"(?:\w+und)?(?:zwan|drei|vier|fünf|sech|sieb|acht|neun)(?:zig|ßig|ssig)"
    r"|(?:drei|vier|fünf|sech|sieb|acht|neun)zehn|(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun"
    r"|zehn|zwölf)?(?:hundert|tausend)",
    ordinal_dot=True,
    articles="der die das den dem des ein eine einen einem einer eines",
    # Mann, der läuft; Haus, in dem; das ist; einer der
    pronouns=r",\s+(?:(?:an|auf|aus|bei|durch|für|gegen|hinter|in|mit|nach|neben|ohne|über|um|unter"
    r"|von|vor|zu|zwischen)\s+)?(?:der|die|das|den|dem)\b"
    r"|\b(?:der|die|das|den|dem|ein\w*)(?=\s+(?:bin|ist|sind|war|waren|wird|werden|hat|haben|kann"
    r"|können|muss|müssen|soll|sollen|will|wollen|darf|dürfen|geht|gibt|heißt|kommt|macht|scheint"
    r"|sieht|tut|ich|du|er|sie|es|wir|ihr|man|sich|nicht|auch|alles|von|der|des|dieser|meiner"
    r"|unserer|und|oder)\b)",
    capital_nouns=True,
    long_word=9,
    units={
        "mile": "Meilen Meile",
        "foot": "Fuß Fuss",
        "inch": "Zoll",
        "yard": "Yards Yard",
        "ounce": "Unzen Unze",
        "gallon": "Gallonen Gallone",
        "kilometre": "Kilometer km Kilometern",
        "metre": "Meter m Metern",
        "centimetre": "Zentimeter cm Zentimetern",
        "gram": "Gramm g",
        "litre": "Liter l Litern",
    },
    swiss=_SS,
    # ae, oe and ue for an umlaut; not in neue, Frauen, Quelle, aktuell, zuerst, Statue or Israel
    folded=r"\w*(?:(?<![aeoq])ue(?!s?\b|(?<=[dnstx]ue)ll|nz|(?<=zue)(?:rst|rkenn|inander)|(?<=due)tt"
    r"|(?<=statue)n|(?<=blue)t|f[ai])|(?<!isr|ich|aph)ae(?!mon)"
    rf"|oe(?!sie|t\b|ten\b|nix|ben\b|in|ffiz|xist))\w*|{_SS}",
    misfolded=r"fur|\w*uber\w*|erklar\w*|prasident\w*|behorde\w*|konig\w*|europaisch\w*"
    r"|bevolkerung\w*|geschaft\w*|\w*gebaude\w*|hande|\w*funf\w*|zuruck\w*|konn(?:en|te?n?)|mussen"
    r"|durfen|wahrend\w*|grun\w*|spat\w*|fruh\w*|naturlich\w*|\w*moglich\w*|madchens?|manner\w*"
    r"|hauser\w*|gluck\w*|\w*stuck\w*|brucke\w*|kuche\w*|bucher\w*|turen?|tragt|lauft|schlaft"
    r"|nachst\w*|jungere?[nr]?|hubsch\w*|mude\w*|korper\w*|offnen|\w*flache\w*|zahne?n?|kopfen?",
    formal=rf"{_INSIDE}(?:Sie|Ihr(?:e[mnrs]?)?)\b|/Sie\b|\bIhnen\b|\bIhrerseits\b",
    perhaps_formal=rf"\bSie\b{_SHE}|\bIhre?[mnrs]?\b",
    informal=r"\b(?:[Dd](?:u|ich|ir|ein(?:e[mnrs]?|s)?)|[Ee](?:uch|uer|ure[mnrs]?)|[Ss]eid|[Hh]abt"
    r"|[Ww]isst|[Kk]önnt|[Mm]üsst|[WwSs]ollt|[Dd]ürft|[Ww]erdet|[Ww]ürdet|[Kk]önntet|[Ss]olltet"
    r"|[Hh]ättet|[Ww]ärt|[Hh]attet)\b|\b[Ii]hr (?=[a-zäöü]+t\b)"
    rf"|{_START}\w+t ihr\b(?! (?:\w+e[nrms]? )?[A-ZÄÖÜ])",
    perhaps_informal=rf"{_START}(?i:{'|'.join(_IMPERATIVES)})\b{_NO_SUBJECT}"
    rf"|(?:\bund|\boder|,) (?:{'|'.join(_IMPERATIVES)})\b{_NO_SUBJECT}"
    rf"|{_START}(?i:{'|'.join(_PLURAL_IMPERATIVES)})\b{_NO_SUBJECT}",
)
