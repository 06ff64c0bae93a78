"""Portuguese."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language(
    "pt",
    name="Portuguese",
    greeting="Bom dia|Boa tarde|Boa noite|Olá|Oi",
    thanks="Obrigado",
    note="Nota",
    picture="Imagem",
    translation="Tradução",
    months="janeiro fevereiro março abril maio junho "
    "julho agosto setembro outubro novembro dezembro",
    long_word=8,
    folded=r"nao|sao|tao|entao|maos?|caes|mae|pes?|voces?|ja|ha|so|tambem|atras|tras|tres|aguas?"
    r"|areas?|oculos|musicas?|criancas?|cabecas?|calcadas?|calcas?|bebes?|bones?|chapeus?|predios?"
    r"|varios|alguem|ninguem|cafe|familias?|onibus|proxim[ao]s?|public[ao]s?|asiatic[ao]s?|arvores?"
    r"|maquinas?|atraves|oes|\w{2,}(?:ao|oes|aos)",
)
