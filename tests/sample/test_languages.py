"""Sentences checked by hand against each language's grammar."""

# ruff: noqa: C408 -- what a case changes reads better as slot="value".

import pytest

from fairseq_instr.sample.content import Content
from fairseq_instr.sample.languages import GRAMMARS


def say(language, formality="informal", **slots):
    """A statement "Anna buys an apple." with some of its slots changed."""
    bare = dict(
        form="statement",
        subject="Anna",
        modal=None,
        recipient=None,
        place=None,
        time=None,
        fronted=False,
        second=None,
        verb="buy",
        noun="apple",
        adjective=None,
        determiner="a",
        number=None,
        in_digits=False,
        plural=False,
    )
    unknown = set(slots) - set(bare)
    assert not unknown, unknown
    return GRAMMARS[language](Content(**{**bare, **slots}), formality).say()


def number(value, **slots):
    return dict(determiner="number", number=value, plural=True, **slots)


HOW_MANY = dict(form="how many", determiner="how many", plural=True)
REQUEST = dict(form="request", subject="you")

CASES = {
    "en": [
        (dict(), "Anna buys an apple."),
        (dict(adjective="red"), "Anna buys a red apple."),
        (dict(adjective="expensive"), "Anna buys an expensive apple."),
        (dict(subject="I", verb="look for"), "I look for an apple."),
        (dict(subject="children", modal="have to"), "The children have to buy an apple."),
        (dict(form="yes-no", modal="have to"), "Does Anna have to buy an apple?"),
        (dict(form="yes-no", modal="can"), "Can Anna buy an apple?"),
        (dict(form="who", subject=None, modal="want to"), "Who wants to buy an apple?"),
        (dict(HOW_MANY, subject="you", place="market"),
         "How many apples do you buy at the market?"),
        (dict(REQUEST, **number(12, in_digits=True)), "Please buy 12 apples."),
        (dict(second="is happy"), "Anna buys an apple. She is happy."),
        (dict(subject="my parents", second="is happy"), "My parents buy an apple. They are happy."),
    ],
    "de": [
        # Accusative: gender in the article, strong and weak adjective endings.
        (dict(adjective="red"), "Anna kauft einen roten Apfel."),
        (dict(adjective="red", determiner="the"), "Anna kauft den roten Apfel."),
        (dict(adjective="red", determiner="the", plural=True), "Anna kauft die roten Äpfel."),
        (dict(adjective="red", determiner="my"), "Anna kauft meinen roten Apfel."),
        (dict(adjective="red", determiner="my", plural=True), "Anna kauft meine roten Äpfel."),
        (dict(number(2, adjective="red")), "Anna kauft zwei rote Äpfel."),
        (dict(noun="book", adjective="big"), "Anna kauft ein großes Buch."),
        (dict(noun="book", adjective="big", determiner="the"), "Anna kauft das große Buch."),
        (dict(noun="bag", adjective="expensive"), "Anna kauft eine teure Tasche."),
        (dict(HOW_MANY, adjective="green"), "Wie viele grüne Äpfel kauft Anna?"),
        # Verb in second place, infinitives and separated particles at the end.
        (dict(time="every day", fronted=True), "Jeden Tag kauft Anna einen Apfel."),
        (
            dict(number(2, time="tomorrow", place="market", modal="have to")),
            "Anna muss morgen auf dem Markt zwei Äpfel kaufen.",
        ),
        (
            dict(determiner="the", time="tomorrow", place="market", modal="have to"),
            "Anna muss den Apfel morgen auf dem Markt kaufen.",
        ),
        (dict(verb="choose", place="street"), "Anna wählt auf der Straße einen Apfel aus."),
        (dict(verb="bring", recipient="my brother"),
         "Anna bringt für meinen Bruder einen Apfel mit."),
        (dict(verb="bring", modal="can"), "Anna kann einen Apfel mitbringen."),
        (dict(subject="my brother", verb="eat"), "Mein Bruder isst einen Apfel."),
        (dict(subject="I", recipient="man"), "Ich kaufe für den Mann einen Apfel."),
        (dict(form="when", subject="we", verb="take"), "Wann nehmen wir einen Apfel?"),
        (dict(subject="my mother", second="works a lot"),
         "Meine Mutter kauft einen Apfel. Sie arbeitet viel."),
        (dict(subject="my parents", second="is happy"),
         "Meine Eltern kaufen einen Apfel. Sie sind glücklich."),
    ],
    "fr": [
        (dict(adjective="red"), "Anna achète une pomme rouge."),
        (dict(adjective="big"), "Anna achète une grande pomme."),
        (dict(noun="key", adjective="expensive", determiner="the", plural=True),
         "Anna achète les clés chères."),
        # Elision, and the masculine possessive before a vowel.
        (dict(noun="egg", determiner="the"), "Anna achète l'œuf."),
        (dict(noun="egg", determiner="the", adjective="small"), "Anna achète le petit œuf."),
        (dict(noun="orange", determiner="my"), "Anna achète mon orange."),
        (dict(noun="orange", determiner="my", adjective="big"), "Anna achète ma grande orange."),
        (dict(subject="I"), "J'achète une pomme."),
        (dict(subject="man", recipient="woman"), "L'homme achète une pomme pour la femme."),
        (dict(form="yes-no"), "Est-ce qu'Anna achète une pomme ?"),
        (dict(HOW_MANY, noun="orange", subject="man"),
         "Combien d'oranges est-ce que l'homme achète ?"),
        (dict(form="why", subject="we", verb="eat"),
         "Pourquoi est-ce que nous mangeons une pomme ?"),
        (dict(noun="newspaper", adjective="new", **number(3)),
         "Anna achète trois nouveaux journaux."),
        (dict(time="every day", fronted=True), "Tous les jours, Anna achète une pomme."),
        (dict(second="is happy"), "Anna achète une pomme. Elle est heureuse."),
        (dict(subject="children", second="has time"),
         "Les enfants achètent une pomme. Ils ont le temps."),
    ],
    "it": [
        (dict(adjective="red"), "Anna compra una mela rossa."),
        (dict(adjective="red", determiner="the", plural=True), "Anna compra le mele rosse."),
        (dict(noun="flower", adjective="green", **number(2)), "Anna compra due fiori verdi."),
        # Articles by the sound that follows.
        (dict(noun="orange"), "Anna compra un'arancia."),
        (dict(noun="orange", determiner="the"), "Anna compra l'arancia."),
        (dict(noun="mirror"), "Anna compra uno specchio."),
        (dict(noun="mirror", determiner="the"), "Anna compra lo specchio."),
        (dict(noun="mirror", determiner="the", plural=True), "Anna compra gli specchi."),
        (dict(noun="mirror", determiner="my"), "Anna compra il mio specchio."),
        # Masculine in the singular, feminine in the plural.
        (dict(noun="egg", adjective="small"), "Anna compra un uovo piccolo."),
        (dict(noun="egg", adjective="small", **number(2)), "Anna compra due uova piccole."),
        (dict(HOW_MANY, noun="egg"), "Quante uova compra Anna?"),
        (dict(HOW_MANY, noun="book", modal="can"), "Quanti libri può comprare Anna?"),
        # Pronouns unsaid, kin without an article in the singular.
        (dict(subject="we", verb="choose"), "Scegliamo una mela."),
        (dict(subject="my mother", recipient="my parents"),
         "Mia madre compra una mela per i miei genitori."),
        (dict(second="works a lot"), "Anna compra una mela. Lavora molto."),
    ],
    "nl": [
        # A bare adjective only before an indefinite het-word in the singular.
        (dict(adjective="red"), "Anna koopt een rode appel."),
        (dict(noun="book", adjective="red"), "Anna koopt een rood boek."),
        (dict(noun="book", adjective="red", determiner="the"), "Anna koopt het rode boek."),
        (dict(noun="book", adjective="red", determiner="my"), "Anna koopt mijn rode boek."),
        (dict(noun="book", adjective="red", **number(2)), "Anna koopt twee rode boeken."),
        # Inversion, and the -t that is lost before je.
        (dict(subject="you"), "Je koopt een appel."),
        (dict(subject="you", time="every day", fronted=True), "Elke dag koop je een appel."),
        (dict(form="yes-no", subject="you", modal="can"), "Kan je een appel kopen?"),
        (dict(form="yes-no", subject="your mother"), "Koopt je moeder een appel?"),
        (dict(verb="bring", recipient="you"), "Anna brengt een appel voor jou mee."),
        (dict(verb="choose", modal="want to", subject="children"),
         "De kinderen willen een appel uitkiezen."),
        (dict(determiner="the", time="every day", place="market"),
         "Anna koopt de appel elke dag op de markt."),
        (dict(time="every day", place="market"), "Anna koopt elke dag op de markt een appel."),
        (dict(place="home", recipient="children"), "Anna koopt thuis een appel voor de kinderen."),
        (dict(subject="we", second="has time"), "We kopen een appel. We hebben tijd."),
    ],
    "ro": [
        # Neuter: masculine in the singular, feminine in the plural.
        (dict(adjective="red"), "Anna cumpără un măr roșu."),
        (dict(adjective="red", **number(2)), "Anna cumpără două mere roșii."),
        (dict(adjective="expensive", **number(12)), "Anna cumpără douăsprezece mere scumpe."),
        (dict(noun="shoe", **number(12)), "Anna cumpără doisprezece pantofi."),
        (dict(noun="shoe", adjective="green", **number(2)), "Anna cumpără doi pantofi verzi."),
        (dict(HOW_MANY, noun="shoe"), "Câți pantofi cumpără Anna?"),
        # The definite article is an ending, the possessive follows it.
        (dict(determiner="the", adjective="small"), "Anna cumpără mărul mic."),
        (dict(determiner="the", plural=True), "Anna cumpără merele."),
        (dict(noun="book", determiner="my", adjective="red"), "Anna cumpără cartea mea roșie."),
        (dict(noun="book", determiner="my", plural=True), "Anna cumpără cărțile mele."),
        (dict(recipient="woman"), "Anna cumpără un măr pentru femeie."),
        # The subjunctive, the verb behind a question word.
        (dict(modal="have to"), "Anna trebuie să cumpere un măr."),
        (dict(subject="I", modal="want to", verb="read", noun="letter"),
         "Vreau să citesc o scrisoare."),
        (dict(form="why", modal="want to"), "De ce vrea Anna să cumpere un măr?"),
        (dict(subject="children", verb="sell"), "Copiii vând un măr."),
        (dict(second="is happy"), "Anna cumpără un măr. Este fericită."),
        (dict(subject="children", second="is happy"), "Copiii cumpără un măr. Sunt fericiți."),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "language, slots, expected",
    [(language, slots, text) for language, cases in CASES.items() for slots, text in cases],
)
def test_grammar(language, slots, expected):
    assert say(language, **slots) == expected


YOUR_BOOK = dict(noun="book", determiner="your")
ADDRESS = [
    ("en", REQUEST, "Please buy an apple.", "Please buy an apple."),
    ("de", REQUEST, "Kauf bitte einen Apfel.", "Kaufen Sie bitte einen Apfel."),
    ("fr", REQUEST, "Achète une pomme, s'il te plaît.", "Achetez une pomme, s'il vous plaît."),
    ("it", REQUEST, "Per favore, compra una mela.", "Per favore, compri una mela."),
    ("nl", REQUEST, "Koop alsjeblieft een appel.", "Koopt u alstublieft een appel."),
    ("ro", REQUEST, "Te rog, cumpără un măr.", "Vă rog, cumpărați un măr."),
    ("de", dict(REQUEST, verb="bring"), "Bring bitte einen Apfel mit.",
     "Bringen Sie bitte einen Apfel mit."),
    ("nl", dict(REQUEST, second="thanks"), "Koop alsjeblieft een appel. Dank je wel!",
     "Koopt u alstublieft een appel. Dank u wel!"),
    ("de", dict(subject="you"), "Du kaufst einen Apfel.", "Sie kaufen einen Apfel."),
    ("fr", dict(subject="you"), "Tu achètes une pomme.", "Vous achetez une pomme."),
    ("it", dict(subject="you"), "Compri una mela.", "Lei compra una mela."),
    ("nl", dict(subject="you", modal="can"), "Je kunt een appel kopen.", "U kunt een appel kopen."),
    ("ro", dict(subject="you"), "Cumperi un măr.", "Dumneavoastră cumpărați un măr."),
    ("ro", dict(subject="you", modal="can"), "Poți să cumperi un măr.",
     "Dumneavoastră puteți să cumpărați un măr."),
    ("it", dict(subject="you", form="where"), "Dove compri una mela?", "Dove compra una mela?"),
    ("ro", dict(subject="you", form="where"), "Unde cumperi un măr?", "Unde cumpărați un măr?"),
    ("de", YOUR_BOOK, "Anna kauft dein Buch.", "Anna kauft Ihr Buch."),
    ("fr", YOUR_BOOK, "Anna achète ton livre.", "Anna achète votre livre."),
    ("it", YOUR_BOOK, "Anna compra il tuo libro.", "Anna compra il Suo libro."),
    ("nl", YOUR_BOOK, "Anna koopt je boek.", "Anna koopt uw boek."),
    ("ro", YOUR_BOOK, "Anna cumpără cartea ta.", "Anna cumpără cartea dumneavoastră."),
    ("de", dict(recipient="your brother"), "Anna kauft für deinen Bruder einen Apfel.",
     "Anna kauft für Ihren Bruder einen Apfel."),
    ("fr", dict(recipient="you"), "Anna achète une pomme pour toi.",
     "Anna achète une pomme pour vous."),
    ("it", dict(recipient="you"), "Anna compra una mela per te.", "Anna compra una mela per Lei."),
]  # fmt: skip


@pytest.mark.parametrize("language, slots, informal, formal", ADDRESS)
def test_address(language, slots, informal, formal):
    assert say(language, "informal", **slots) == informal
    assert say(language, "formal", **slots) == formal
