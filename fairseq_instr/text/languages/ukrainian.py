"""Ukrainian."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language(
    "uk",
    name="Ukrainian",
    in_latin=r"shcho|tse|yak|yoho|vona|yikh|iz|buv|bul[aoi]|ne|dlya|abo|vzhe|yak[aiy]\w*|svo\w+|pislya"
    r"|mozhe|ye|vsi|tam|bude|ta|na|v|i|z|u|do|\w+(?:oho|yoho|ykh|ikh|yy|oyi|iyi|tsiya|tsiyi|iya|iyu"
    r"|iyeyu|amy|yamy|stv[oa]|tsya|vsya|las)|\w*(?:shch|zh[aeiou]|kh[aeiour])\w*",
)
