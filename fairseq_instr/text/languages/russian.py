"""Russian."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language(
    "ru",
    name="Russian",
    in_latin=r"chto|eto|etogo|etom|kak|yego|ego|ona|ikh|iz|byl[aoi]?|ne|dlya|ili|uzhe|kotor\w+|svo\w+"
    r"|posle|mozhet|yest|vse|tam|budet|okolo|po|na|v|i|s|k|\w+(?:ogo|yego|ykh|ikh|yye|iye|aya|oye"
    r"|skiy|tsiya|tsii|iya|iyu|iyey|ami|yami|stv[oa]|tsya|lsya|las|ovat|yy)"
    r"|\w*(?:shch|zh[aeiou]|kh[aeiour])\w*",
)
