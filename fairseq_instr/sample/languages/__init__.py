"""One realiser a language: `realise(content, formality)` says a content in its grammar."""

from fairseq_instr.sample.languages import dutch, english, french, german, italian, romanian

REALISERS = {
    "en": english.realise,
    "de": german.realise,
    "fr": french.realise,
    "it": italian.realise,
    "nl": dutch.realise,
    "ro": romanian.realise,
}
