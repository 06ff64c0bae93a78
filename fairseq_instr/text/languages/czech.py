"""Czech."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language(
    "cs",
    name="Czech",
    folded=r"muz[ie]?|zen[ay]|ze|pri|pred|pres|kter[yae]|kteri|neni|deti|dite|divk[ay]|muze|uz|jiz|svuj"
    r"|vsech\w*|nekolik|mlad[ya]|bil\w+|cern\w+|cerven\w+|modre[mj]?|lide|\w{2,}(?:eni|ani|edi|oji"
    r"|ych|ymi|aji|uji|eho|iho|ovem)",
)
