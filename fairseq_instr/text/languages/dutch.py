"""Dutch."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language(
    "nl",
    name="Dutch",
    greeting="Goedendag",
    thanks="Bedankt",
    note="Opmerking",
    picture="Afbeelding",
    translation="Vertaling",
    months="januari februari maart april mei juni "
    "juli augustus september oktober november december",
    numbers="twee drie vier vijf zes zeven acht negen tien elf twaalf",
    larger_numbers=r"(?:der|veer|vijf|zes|zeven|acht|negen)tien|\w*(?:twin|der|veer|vijf|zes|zeven"
    r"|tach|negen)tig|honderd|duizend",
    articles="de het een",
    pronouns=r"\bhet(?=\s+(?:is|was|zijn|waren|wordt|werd|heeft|had|kan|kon|moet|zal|zou|gaat|lijkt"
    r"|regent|sneeuwt|duurt|blijft|komt|maakt|niet|ook|er|te|erg|zo|heel|eerst|meest|liefst)\b)"
    r"|(?:\A\W*|[.!?]\s+\W*)het(?=\s+\w+t\b)",
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
