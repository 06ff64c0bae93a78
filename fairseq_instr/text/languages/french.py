"""French."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language(
    "fr",
    name="French",
    greeting="Bonjour|Bonsoir|Salut|Coucou",
    thanks="Merci",
    note="Remarque",
    picture="Image",
    translation="Traduction",
    guillemets=("« ", " »"),
    spaced_marks="!?:",
    months="janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    # new, and short for September
    numbers="deux trois quatre cinq six (sept) huit (neuf) dix onze douze",
    larger_numbers=r"(?:trei|quator|quin|sei)ze|dix-(?:sept|huit|neuf)|quatre-vingt(?:s|-\w+)*"
    r"|(?:vingt|trente|quarante|cinquante|soixante)(?:-\w+)*|cents?|mille",
    long_word=8,
    units={
        "mile": "miles mile",
        "foot": "pieds pied",
        "inch": "pouces pouce",
        "yard": "yards yard",
        "gallon": "gallons gallon",
        "kilometre": "kilomètres kilomètre km",
        "metre": "mètres mètre m",
        "centimetre": "centimètres centimètre cm",
        "gram": "grammes gramme g",
        "litre": "litres litre l",
    },
    folded=r"ete|etes|etre|etaient|etait|tres|apres|pres|deja|meme|memes|ca|cote|derriere|soeurs?"
    r"|velos?|noel|cles?|bebes?|cafe|ecole|eglise|equipe|ecran|numero|francais\w*|garcons?|facon"
    r"|recu|vetus?|vetements?|batiments?|desole|plait|bientot|plutot|age|ages|ile|ou est|voila"
    r"|\w+(?:[^e]ees?|[ivlnpr]eres?|[^e]mes?mes?|[bcft]etes?|[ct]enes?|iemes?|[pi]eces?|[lg]eges?)"
    r"|\w+(?:erature|ecurite|erieure?s?|ametres?)|(?:pre|re|de)ferer?",
    formal=r"(?i:\b(?:vous|votre|vos|vôtres?)\b)",
    perhaps_formal=r"(?i:\b(?!chez\b|assez\b|nez\b|rez\b|fez\b))[A-Z]?[a-zéèêâîôûç]+ez\b",
    informal=r"(?i:\b(?:tu|te|toi|ta|tes|tiens|tien|tiennes?)\b|(?<![\w-])t['’](?=\w)"
    r"|(?<!\ble )(?<!\bun )(?<!\bdu )(?<!\bce )(?<!\bau )(?<!\bquel )\bton\b)",
)
