"""The words: one row a concept, with the forms that each language needs.

To add a word, add a row to `NOUNS`, `VERBS`, `ADJECTIVES`, `PEOPLE`, `PLACES` or `TIMES`.
To add a language, add it to `LANGUAGES`, name the forms that it needs in `COLUMNS`, fill
it in on every row, and write its realiser in `fairseq_instr.sample.languages`.

Forms are separated by spaces, in the order of `COLUMNS`; `_` stands for a space inside
a form. Whole phrases (people, places, times, remarks) are written out instead: where
they differ, `informal / formal` address on either side of a slash, and on either side
of a bar `as a subject | after a preposition`; `-` is a pronoun left unsaid.

The realisers rely on two things that a new row should respect: verbs are deliberate
(they can be asked of somebody), and French words in h- have a silent one (l'homme).
"""

# ruff: noqa: C408 -- a row reads better as language="forms" than with quotes on both sides.

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Mapping

LANGUAGES = ("en", "de", "fr", "it", "nl", "ro")

# Genders: m, f, n. An Italian or Romanian n is masculine in the singular and feminine in
# the plural (uovo, uova); Dutch has c (de) and n (het). 1s ... 3p are the persons of the
# present tense. The French and Romanian formal imperative is 2p; the German plural is
# also the infinitive and the polite form; the Dutch stem is also the imperative.
COLUMNS = {
    "en": {"noun": "singular plural", "verb": "base 3s", "adjective": "base"},
    "de": {
        "noun": "gender singular plural",
        "verb": "1s 2s 3s plural imperative particle",
        "adjective": "stem",
    },
    "fr": {
        "noun": "gender singular plural",
        "verb": "1s 2s 3s 1p 2p 3p infinitive imperative",
        "adjective": "position m f mp fp",
    },
    "it": {
        "noun": "gender singular plural",
        "verb": "1s 2s 3s 1p 3p infinitive imperative polite",
        "adjective": "m f mp fp",
    },
    "nl": {
        "noun": "gender singular plural",
        "verb": "stem 2s 3s plural particle",
        "adjective": "base inflected",
    },
    "ro": {
        "noun": "gender singular plural definite definite_plural",
        "verb": "1s 2s 3s 1p 2p 3p subjunctive imperative",
        "adjective": "m f mp fp",
    },
}


@dataclass(frozen=True)
class Noun:
    """Something to buy, read or eat; `kinds` decide which verbs and adjectives fit it."""

    kinds: str
    forms: Mapping[str, str]


@dataclass(frozen=True)
class Verb:
    """A transitive verb. `kinds`: of its objects; `adjuncts`: those that make sense with it."""

    kinds: str
    adjuncts: str
    forms: Mapping[str, str]


@dataclass(frozen=True)
class Adjective:
    """An adjective for the nouns of these `kinds`."""

    kinds: str
    forms: Mapping[str, str]


@dataclass(frozen=True)
class Person:
    """Who acts or benefits: `person` is 1s, 2s, 3s, 1p or 3p; `gender` is m, f or unsaid."""

    person: str
    gender: str
    forms: Mapping[str, str]


@dataclass(frozen=True)
class Time:
    """When. A `habit` goes with the plain present; a plan needs a modal or a request."""

    habit: bool
    forms: Mapping[str, str]


@dataclass(frozen=True)
class Predicate:
    """What a second sentence says of the subject; `complement` may be `m f plural`.

    `gendered`: the complement agrees with the subject, which must have a known gender.
    """

    verb: str
    gendered: bool
    complement: Mapping[str, str]


NOUNS = {
    "apple": Noun("food coloured", dict(
        en="apple apples", de="m Apfel Äpfel", fr="f pomme pommes", it="f mela mele",
        nl="c appel appels", ro="n măr mere mărul merele")),
    "orange": Noun("food", dict(
        en="orange oranges", de="f Orange Orangen", fr="f orange oranges",
        it="f arancia arance", nl="c sinaasappel sinaasappels",
        ro="f portocală portocale portocala portocalele")),
    "cake": Noun("food", dict(
        en="cake cakes", de="m Kuchen Kuchen", fr="m gâteau gâteaux", it="f torta torte",
        nl="c taart taarten", ro="n tort torturi tortul torturile")),
    "egg": Noun("food", dict(
        en="egg eggs", de="n Ei Eier", fr="m œuf œufs", it="n uovo uova",
        nl="n ei eieren", ro="n ou ouă oul ouăle")),
    "book": Noun("text coloured", dict(
        en="book books", de="n Buch Bücher", fr="m livre livres", it="m libro libri",
        nl="n boek boeken", ro="f carte cărți cartea cărțile")),
    "letter": Noun("text", dict(
        en="letter letters", de="m Brief Briefe", fr="f lettre lettres",
        it="f lettera lettere", nl="c brief brieven",
        ro="f scrisoare scrisori scrisoarea scrisorile")),
    "newspaper": Noun("text", dict(
        en="newspaper newspapers", de="f Zeitung Zeitungen", fr="m journal journaux",
        it="m giornale giornali", nl="c krant kranten",
        ro="n ziar ziare ziarul ziarele")),
    "key": Noun("thing coloured", dict(
        en="key keys", de="m Schlüssel Schlüssel", fr="f clé clés", it="f chiave chiavi",
        nl="c sleutel sleutels", ro="f cheie chei cheia cheile")),
    "chair": Noun("thing coloured", dict(
        en="chair chairs", de="m Stuhl Stühle", fr="f chaise chaises",
        it="f sedia sedie", nl="c stoel stoelen",
        ro="n scaun scaune scaunul scaunele")),
    "bag": Noun("thing coloured", dict(
        en="bag bags", de="f Tasche Taschen", fr="m sac sacs", it="f borsa borse",
        nl="c tas tassen", ro="f geantă genți geanta gențile")),
    "flower": Noun("plant coloured", dict(
        en="flower flowers", de="f Blume Blumen", fr="f fleur fleurs",
        it="m fiore fiori", nl="c bloem bloemen",
        ro="f floare flori floarea florile")),
    "mirror": Noun("thing", dict(
        en="mirror mirrors", de="m Spiegel Spiegel", fr="m miroir miroirs",
        it="m specchio specchi", nl="c spiegel spiegels",
        ro="f oglindă oglinzi oglinda oglinzile")),
    "shoe": Noun("thing coloured", dict(
        en="shoe shoes", de="m Schuh Schuhe", fr="f chaussure chaussures",
        it="f scarpa scarpe", nl="c schoen schoenen",
        ro="m pantof pantofi pantoful pantofii")),
}  # fmt: skip

VERBS = {
    "buy": Verb("food text thing plant", "recipient place", dict(
        en="buy buys",
        de="kaufe kaufst kauft kaufen kauf",
        fr="achète achètes achète achetons achetez achètent acheter achète",
        it="compro compri compra compriamo comprano comprare compra compri",
        nl="koop koopt koopt kopen",
        ro="cumpăr cumperi cumpără cumpărăm cumpărați cumpără cumpere cumpără")),
    "sell": Verb("food text thing plant", "place", dict(
        en="sell sells",
        de="verkaufe verkaufst verkauft verkaufen verkauf",
        fr="vends vends vend vendons vendez vendent vendre vends",
        it="vendo vendi vende vendiamo vendono vendere vendi venda",
        nl="verkoop verkoopt verkoopt verkopen",
        ro="vând vinzi vinde vindem vindeți vând vândă vinde")),
    "look for": Verb("food text thing plant", "recipient place", dict(
        en="look_for looks_for",
        de="suche suchst sucht suchen such",
        fr="cherche cherches cherche cherchons cherchez cherchent chercher cherche",
        it="cerco cerchi cerca cerchiamo cercano cercare cerca cerchi",
        nl="zoek zoekt zoekt zoeken",
        ro="caut cauți caută căutăm căutați caută caute caută")),
    "find": Verb("food text thing plant", "recipient place", dict(
        en="find finds",
        de="finde findest findet finden finde",
        fr="trouve trouves trouve trouvons trouvez trouvent trouver trouve",
        it="trovo trovi trova troviamo trovano trovare trova trovi",
        nl="vind vindt vindt vinden",
        ro="găsesc găsești găsește găsim găsiți găsesc găsească găsește")),
    "bring": Verb("food text thing plant", "recipient", dict(
        en="bring brings",
        de="bringe bringst bringt bringen bring mit",
        fr="apporte apportes apporte apportons apportez apportent apporter apporte",
        it="porto porti porta portiamo portano portare porta porti",
        nl="breng brengt brengt brengen mee",
        ro="aduc aduci aduce aducem aduceți aduc aducă adu")),
    "choose": Verb("food text thing plant", "recipient place", dict(
        en="choose chooses",
        de="wähle wählst wählt wählen wähl aus",
        fr="choisis choisis choisit choisissons choisissez choisissent choisir choisis",
        it="scelgo scegli sceglie scegliamo scelgono scegliere scegli scelga",
        nl="kies kiest kiest kiezen uit",
        ro="aleg alegi alege alegem alegeți aleg aleagă alege")),
    "take": Verb("food text thing plant", "recipient", dict(
        en="take takes",
        de="nehme nimmst nimmt nehmen nimm",
        fr="prends prends prend prenons prenez prennent prendre prends",
        it="prendo prendi prende prendiamo prendono prendere prendi prenda",
        nl="neem neemt neemt nemen",
        ro="iau iei ia luăm luați iau ia ia")),
    "draw": Verb("food thing plant", "recipient place", dict(
        en="draw draws",
        de="zeichne zeichnest zeichnet zeichnen zeichne",
        fr="dessine dessines dessine dessinons dessinez dessinent dessiner dessine",
        it="disegno disegni disegna disegniamo disegnano disegnare disegna disegni",
        nl="teken tekent tekent tekenen",
        ro="desenez desenezi desenează desenăm desenați desenează deseneze desenează")),
    "eat": Verb("food", "place", dict(
        en="eat eats",
        de="esse isst isst essen iss",
        fr="mange manges mange mangeons mangez mangent manger mange",
        it="mangio mangi mangia mangiamo mangiano mangiare mangia mangi",
        nl="eet eet eet eten",
        ro="mănânc mănânci mănâncă mâncăm mâncați mănâncă mănânce mănâncă")),
    "read": Verb("text", "place", dict(
        en="read reads",
        de="lese liest liest lesen lies",
        fr="lis lis lit lisons lisez lisent lire lis",
        it="leggo leggi legge leggiamo leggono leggere leggi legga",
        nl="lees leest leest lezen",
        ro="citesc citești citește citim citiți citesc citească citește")),
}  # fmt: skip

# Only the present tense of these is said. Romanian "trebuie" never changes.
MODALS = {
    "can": dict(
        en="can can", de="kann kannst kann können", fr="peux peux peut pouvons pouvez peuvent",
        it="posso puoi può possiamo possono", nl="kan kunt kan kunnen",
        ro="pot poți poate putem puteți pot"),
    "have to": dict(
        en="have_to has_to", de="muss musst muss müssen",
        fr="dois dois doit devons devez doivent",
        it="devo devi deve dobbiamo devono", nl="moet moet moet moeten",
        ro="trebuie trebuie trebuie trebuie trebuie trebuie"),
    "want to": dict(
        en="want_to wants_to", de="will willst will wollen",
        fr="veux veux veut voulons voulez veulent",
        it="voglio vuoi vuole vogliamo vogliono", nl="wil wilt wil willen",
        ro="vreau vrei vrea vrem vreți vor"),
}  # fmt: skip

# The verbs of `PREDICATES`; English "be" stands with third persons only.
COPULAS = {
    "work": dict(
        en="work works", de="arbeite arbeitest arbeitet arbeiten",
        fr="travaille travailles travaille travaillons travaillez travaillent",
        it="lavoro lavori lavora lavoriamo lavorano", nl="werk werkt werkt werken",
        ro="lucrez lucrezi lucrează lucrăm lucrați lucrează"),
    "have": dict(
        en="have has", de="habe hast hat haben", fr="ai as a avons avez ont",
        it="ho hai ha abbiamo hanno", nl="heb hebt heeft hebben",
        ro="am ai are avem aveți au"),
    "be": dict(
        en="are is", de="bin bist ist sind", fr="suis es est sommes êtes sont",
        it="sono sei è siamo sono", nl="ben bent is zijn",
        ro="sunt ești este suntem sunteți sunt"),
}  # fmt: skip

ADJECTIVES = {
    "big": Adjective("food text thing plant", dict(
        en="big", de="groß", fr="before grand grande grands grandes",
        it="grande grande grandi grandi", nl="groot grote", ro="mare mare mari mari")),
    "small": Adjective("food text thing plant", dict(
        en="small", de="klein", fr="before petit petite petits petites",
        it="piccolo piccola piccoli piccole", nl="klein kleine", ro="mic mică mici mici")),
    "expensive": Adjective("food text thing plant", dict(
        en="expensive", de="teur", fr="after cher chère chers chères",
        it="caro cara cari care", nl="duur dure", ro="scump scumpă scumpi scumpe")),
    "new": Adjective("text thing", dict(
        en="new", de="neu", fr="before nouveau nouvelle nouveaux nouvelles",
        it="nuovo nuova nuovi nuove", nl="nieuw nieuwe", ro="nou nouă noi noi")),
    "red": Adjective("coloured", dict(
        en="red", de="rot", fr="after rouge rouge rouges rouges",
        it="rosso rossa rossi rosse", nl="rood rode", ro="roșu roșie roșii roșii")),
    "green": Adjective("coloured", dict(
        en="green", de="grün", fr="after vert verte verts vertes",
        it="verde verde verdi verdi", nl="groen groene", ro="verde verde verzi verzi")),
}  # fmt: skip

PEOPLE = {
    "I": Person("1s", "", dict(
        en="I | me", de="ich | mich", fr="je | moi", it="- | me", nl="ik | mij",
        ro="- | mine")),
    "you": Person("2s", "", dict(
        en="you", de="du | dich / Sie", fr="tu | toi / vous", it="- | te / Lei",
        nl="je | jou / u", ro="- | tine / dumneavoastră")),
    "we": Person("1p", "", dict(
        en="we | us", de="wir | uns", fr="nous", it="- | noi", nl="we | ons",
        ro="- | noi")),
    "Anna": Person("3s", "f", dict.fromkeys(LANGUAGES, "Anna")),
    "Paul": Person("3s", "m", dict.fromkeys(LANGUAGES, "Paul")),
    "woman": Person("3s", "f", dict(
        en="the woman", de="die Frau", fr="la femme", it="la donna", nl="de vrouw",
        ro="femeia | femeie")),
    "man": Person("3s", "m", dict(
        en="the man", de="der Mann | den Mann", fr="le homme", it="l'uomo", nl="de man",
        ro="bărbatul | bărbat")),
    "children": Person("3p", "m", dict(
        en="the children", de="die Kinder", fr="les enfants", it="i bambini",
        nl="de kinderen", ro="copiii | copii")),
    "my mother": Person("3s", "f", dict(
        en="my mother", de="meine Mutter", fr="ma mère", it="mia madre",
        nl="mijn moeder", ro="mama mea")),
    "your mother": Person("3s", "f", dict(
        en="your mother", de="deine Mutter / Ihre Mutter", fr="ta mère / votre mère",
        it="tua madre / Sua madre", nl="je moeder / uw moeder",
        ro="mama ta / mama dumneavoastră")),
    "my brother": Person("3s", "m", dict(
        en="my brother", de="mein Bruder | meinen Bruder", fr="mon frère",
        it="mio fratello", nl="mijn broer", ro="fratele meu")),
    "your brother": Person("3s", "m", dict(
        en="your brother", de="dein Bruder | deinen Bruder / Ihr Bruder | Ihren Bruder",
        fr="ton frère / votre frère", it="tuo fratello / Suo fratello",
        nl="je broer / uw broer", ro="fratele tău / fratele dumneavoastră")),
    "my parents": Person("3p", "m", dict(
        en="my parents", de="meine Eltern", fr="mes parents", it="i miei genitori",
        nl="mijn ouders", ro="părinții mei")),
    "your parents": Person("3p", "m", dict(
        en="your parents", de="deine Eltern / Ihre Eltern", fr="tes parents / vos parents",
        it="i tuoi genitori / i Suoi genitori", nl="je ouders / uw ouders",
        ro="părinții tăi / părinții dumneavoastră")),
}  # fmt: skip

PLACES = {
    "market": dict(
        en="at the market", de="auf dem Markt", fr="au marché", it="al mercato",
        nl="op de markt", ro="la piață"),
    "park": dict(
        en="in the park", de="im Park", fr="dans le parc", it="nel parco",
        nl="in het park", ro="în parc"),
    "garden": dict(
        en="in the garden", de="im Garten", fr="dans le jardin", it="in giardino",
        nl="in de tuin", ro="în grădină"),
    "station": dict(
        en="at the station", de="am Bahnhof", fr="à la gare", it="alla stazione",
        nl="op het station", ro="la gară"),
    "school": dict(
        en="at school", de="in der Schule", fr="à l'école", it="a scuola",
        nl="op school", ro="la școală"),
    "street": dict(
        en="in the street", de="auf der Straße", fr="dans la rue", it="per strada",
        nl="op straat", ro="pe stradă"),
    "office": dict(
        en="at the office", de="im Büro", fr="au bureau", it="in ufficio",
        nl="op kantoor", ro="la birou"),
    "home": dict(
        en="at home", de="zu Hause", fr="à la maison", it="a casa", nl="thuis",
        ro="acasă"),
}  # fmt: skip

TIMES = {
    "every day": Time(True, dict(
        en="every day", de="jeden Tag", fr="tous les jours", it="ogni giorno",
        nl="elke dag", ro="în fiecare zi")),
    "every morning": Time(True, dict(
        en="every morning", de="jeden Morgen", fr="tous les matins", it="ogni mattina",
        nl="elke ochtend", ro="în fiecare dimineață")),
    "every evening": Time(True, dict(
        en="every evening", de="jeden Abend", fr="tous les soirs", it="ogni sera",
        nl="elke avond", ro="în fiecare seară")),
    "every Monday": Time(True, dict(
        en="every Monday", de="jeden Montag", fr="tous les lundis", it="ogni lunedì",
        nl="elke maandag", ro="în fiecare luni")),
    "spring": Time(True, dict(
        en="in spring", de="im Frühling", fr="au printemps", it="in primavera",
        nl="in de lente", ro="primăvara")),
    "summer": Time(True, dict(
        en="in summer", de="im Sommer", fr="en été", it="in estate", nl="in de zomer",
        ro="vara")),
    "today": Time(False, dict(
        en="today", de="heute", fr="aujourd'hui", it="oggi", nl="vandaag", ro="astăzi")),
    "tomorrow": Time(False, dict(
        en="tomorrow", de="morgen", fr="demain", it="domani", nl="morgen", ro="mâine")),
    "tonight": Time(False, dict(
        en="tonight", de="heute Abend", fr="ce soir", it="stasera", nl="vanavond",
        ro="diseară")),
}  # fmt: skip

# What a second sentence may say: of the subject, or the same whoever the subject is.
PREDICATES = {
    "works a lot": Predicate("work", False, dict(
        en="a_lot", de="viel", fr="beaucoup", it="molto", nl="veel", ro="mult")),
    "has time": Predicate("have", False, dict(
        en="time", de="Zeit", fr="le_temps", it="tempo", nl="tijd", ro="timp")),
    "is happy": Predicate("be", True, dict(
        en="happy", de="glücklich", fr="heureux heureuse heureux",
        it="felice felice felici", nl="gelukkig", ro="fericit fericită fericiți")),
}  # fmt: skip

REMARKS = {
    "important": dict(
        en="That is important.", de="Das ist wichtig.", fr="C'est important.",
        it="È importante.", nl="Dat is belangrijk.", ro="Este important."),
    "thanks": dict(
        en="Thank you!", de="Danke!", fr="Merci !", it="Grazie!",
        nl="Dank je wel! / Dank u wel!", ro="Mulțumesc!"),
}  # fmt: skip

# The Romanian two and twelve have a feminine (and neuter) form after the bar.
NUMBERS = {
    "en": "two three four five six seven eight nine ten eleven twelve",
    "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "fr": "deux trois quatre cinq six sept huit neuf dix onze douze",
    "it": "due tre quattro cinque sei sette otto nove dieci undici dodici",
    "nl": "twee drie vier vijf zes zeven acht negen tien elf twaalf",
    "ro": "doi|două trei patru cinci șase șapte opt nouă zece unsprezece doisprezece|douăsprezece",
}
SMALLEST_NUMBER, LARGEST_NUMBER = 2, 12


@functools.lru_cache(maxsize=None)
def forms(language: str, category: str, word: str) -> Mapping[str, str]:
    """The forms of a `noun`, `verb` or `adjective` by the names of `COLUMNS`.

    Forms at the end of a row may be missing (a verb without a particle); they are "".

    Example: forms("de", "noun", "apple") -> {"gender": "m", "singular": "Apfel", ...}
    """
    if category == "noun":
        row = NOUNS[word].forms
    elif category == "adjective":
        row = ADJECTIVES[word].forms
    else:
        row = VERBS[word].forms if word in VERBS else {**MODALS, **COPULAS}[word]
    columns = COLUMNS[language][category].split()
    found = [form.replace("_", " ") for form in row[language].split()]
    return dict(zip(columns, found + [""] * (len(columns) - len(found))))


@functools.lru_cache(maxsize=None)
def phrase(text: str, formality: str | None = None, after_preposition: bool = False) -> str:
    """One form of a written-out phrase: see the module's docstring for its notation.

    Example: phrase("du | dich / Sie", "informal", True) -> "dich"
    """
    addresses = text.split(" / ")
    chosen = addresses[-1] if formality == "formal" else addresses[0]
    cases = chosen.split(" | ")
    chosen = cases[-1] if after_preposition else cases[0]
    return "" if chosen == "-" else chosen


def person(language: str, key: str, formality: str | None, after_preposition: bool = False) -> str:
    """Somebody as a subject or after a preposition; "" for a pronoun left unsaid."""
    return phrase(PEOPLE[key].forms[language], formality, after_preposition)


def number(language: str, value: int, in_digits: bool, feminine: bool = False) -> str:
    """A number, in digits or in words.

    Example: number("ro", 12, False, feminine=True) -> "douăsprezece"
    """
    if in_digits:
        return str(value)
    genders = NUMBERS[language].split()[value - SMALLEST_NUMBER].split("|")
    return genders[-1] if feminine else genders[0]


def complement(language: str, predicate: str, subject: str) -> str:
    """What follows the verb of a predicate, in agreement with the subject.

    Example: complement("ro", "is happy", "Anna") -> "fericită"
    """
    agreeing = PREDICATES[predicate].complement[language].split()
    who = PEOPLE[subject]
    index = 0 if len(agreeing) == 1 else 2 if who.person == "3p" else "mf".index(who.gender)
    return agreeing[index].replace("_", " ")
