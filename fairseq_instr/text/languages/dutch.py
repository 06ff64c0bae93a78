"""Dutch."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language(
    "nl",
    name="Dutch",
    greeting="Goedendag|Goedemorgen|Goedemiddag|Goedenavond|Hallo|Hoi",
    thanks="Bedankt",
    note="Opmerking",
    picture="Afbeelding",
    translation="Vertaling",
    months="januari februari maart april mei juni "
    "juli augustus september oktober november december",
    # celebrate, to sieve, attention, and an elf
    numbers="twee drie (vier) vijf zes (zeven) (acht) negen tien (elf) twaalf",
    larger_numbers=r"(?:der|veer|vijf|zes|zeven|acht|negen)tien|\w*(?:twin|der|veer|vijf|zes|zeven"
    r"|tach|negen)tig|honderd|duizend",
    articles="de het een",
    # het regent, ik zie het nu, een van de
    pronouns=r"\bhet(?=\s+(?:is|was|zijn|waren|wordt|werd|heeft|had|kan|kon|moet|zal|zou|gaat|lijkt"
    r"|regent|sneeuwt|duurt|blijft|komt|maakt|bent|mag|wilt|deed|doet|werkt|kost|bevat|niet|ook|er|te"
    r"|erg|zo|heel|eerst|meest|liefst|de|het|een|geen|dat|dit|die|deze|iets|niets|alles|ik|me|mij|je"
    r"|jij|u|hij|hem|haar|ze|zij|we|wij|ons|jullie|hun|hen|zich|zelf|aan|af|al|als|bij|daar|dan|door"
    r"|eens|en|hier|in|maar|met|na|naar|net|nodig|nog|nooit|nu|of|om|op|over|soms|terug|toch|toe|tot"
    r"|uit|vaak|van|voor|waar|weer|wel|zonder)\b)"
    r"|\been(?=\s+(?:van|of|op\s+de|voor\s+een)\b)|(?:\A\W*|[.!?]\s+\W*)het(?=\s+\w+t\b)",
    long_word=9,
    units={
        "mile": "mijl",
        "foot": "voet",
        "inch": "inch inches",
        "yard": "yards yard",
        "gallon": "gallons gallon",
        "kilometre": "kilometer km kilometers",
        "metre": "meter m meters",
        "centimetre": "centimeter cm centimeters",
        "gram": "gram g",
        "litre": "liter l liters",
    },
    # `u` also stands for uur: 12.55 u, 800 km/u
    formal=r"(?i:(?<![\w./'’])(?<!\d )(?:u|uw|uwe|uzelf)\b(?![’']|\.\w))",
    informal=r"(?i:\b(?:je|jij|jou|jouw|jouwe|jezelf|jullie)\b)",
)
