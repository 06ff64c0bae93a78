"""English."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language(
    "en",
    name="English",
    greeting="Hello|Hi|Hey|Good morning|Good afternoon|Good evening|Good day",
    thanks="Thank you",
    note="Note",
    picture="Picture",
    translation="Translation",
    months="January February March April May June July August September October November December",
    numbers="two three four five six seven eight nine ten eleven twelve",
    larger_numbers=r"(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh"
    r"|nine)ty(?:-\w+)?|hundred|thousand",
    articles="the a an",
    long_word=7,
    units={
        "mile": "miles mile",
        "foot": "feet foot ft",
        "inch": "inches inch",
        "yard": "yards yard",
        "ounce": "ounces ounce oz",
        "gallon": "gallons gallon",
        "kilometre": "kilometres kilometre kilometers kilometer km",
        "metre": "metres metre meters meter m",
        "centimetre": "centimetres centimetre centimeters centimeter cm",
        "gram": "grams gram g",
        "litre": "litres litre liters liter l",
    },
)
