"""Spanish."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language(
    "es",
    name="Spanish",
    greeting="Hola|Buenos días|Buen día|Buenas tardes|Buenas noches",
    thanks="Gracias",
    note="Nota",
    picture="Imagen",
    translation="Traducción",
    opening_marks={"!": "¡", "?": "¿"},
    months="enero febrero marzo abril mayo junio "
    "julio agosto septiembre octubre noviembre diciembre",
    long_word=8,
    folded=r"\w{2,}ion|tambien|segun|dias?|anos?|nin[oa]s?|senor\w*|espanol\w*|asi|aqui|alli|ahi|adios"
    r"|despues|ademas|detras|arbol(?:es)?|telefono|paginas?|lineas?|rapid[oa]s?|facil|dificil"
    r"|musica|policia|pais|habian?|tenian?|podrian?|serian?|estan|jovenes|manana|pequen\w*|futbol"
    r"|ultim[oa]s?|public[oa]s?|numeros?|aun|codigo|informo|politic[oa]s?|unic[oa]s?|\w+gia",
)
