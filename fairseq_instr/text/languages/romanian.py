"""Romanian.

Its address is not told: there is no labelled text to measure a list of words on.
"""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language(
    "ro",
    name="Romanian",
    greeting="Salut|Bună ziua|Bună dimineața|Bună seara",
    thanks="Merci",
    note="Notă",
    picture="Imagine",
    translation="Traducere",
    guillemets=("«", "»"),
    months="ianuarie februarie martie aprilie mai iunie "
    "iulie august septembrie octombrie noiembrie decembrie",
    # agrees in gender; nouă is also new
    # second, and new
    numbers="două|doi|(doua) trei patru cinci șase șapte opt (nouă) zece unsprezece "
    "douăsprezece|doisprezece",
    larger_numbers=r"\w+sprezece|(?:două|trei|patru|cinci|șai|șapte|opt|nouă)zeci|sut[ăe]|mii",
    long_word=8,
    folded=r"si|in|sapte|sase|doua|intr[eo]?|dupa|daca|cand|cat|fara|langa|inainte|impotriva|inca|astazi|tan[ae]r\w*"
    r"|barbat\w*|masina|pana|atat|mai mult|\w+(?:tii|tie|tia|eaza|ati|esti|oti|eti|uta|asca|arca)",
)
