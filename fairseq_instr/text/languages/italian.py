"""Italian.

Its address is not told: formal address shares all its words with she, her and it (Lei, La, suo)
and most of its verbs with the third person, which no list of words tells apart.
"""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language(
    "it",
    name="Italian",
    greeting="Buongiorno|Buon giorno|Buonasera|Buona sera|Ciao|Salve",
    thanks="Grazie",
    note="Nota",
    picture="Immagine",
    translation="Traduzione",
    months="gennaio febbraio marzo aprile maggio giugno "
    "luglio agosto settembre ottobre novembre dicembre",
    # you are, sects, and a first name
    numbers="due tre quattro cinque (sei) (sette) (otto) nove dieci undici dodici",
    larger_numbers=r"(?:tre|quattor|quin|se)dici|dicia(?:sette|ssette|nnove)|diciotto|(?:vent|trent"
    r"|quarant|cinquant|sessant|settant|ottant|novant)(?:[ia]|uno|otto|[ia](?:due|tr[eé]|quattro"
    r"|cinque|sei|sette|nove))|cento|mille|\w+mila",
    long_word=8,
    folded=r"piu|puo|gia|cosi|perche|poiche|finche|giu|cioe|caffe|(?:lune|marte|mercole|giove|vener)di"
    r"|citta|attivita|possibilita|qualita|quantita|societa|comunita|realta|verita|liberta|novita"
    r"|universita|difficolta|velocita|eta|proprieta|modalita|identita|autorita|pubblicita|\w+bilita"
    r"|sara|avra|potra|dovra|fara|andra|verra|dara|saro|avro|potro|faro|andro|verro|pero|papa",
)
