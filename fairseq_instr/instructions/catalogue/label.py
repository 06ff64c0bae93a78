"""A label in front of the translation, in the target language."""

from __future__ import annotations

from typing import Mapping, Optional, Tuple

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

NOTE = {
    "de": "Hinweis",
    "en": "Note",
    "es": "Nota",
    "fr": "Remarque",
    "it": "Nota",
    "nl": "Opmerking",
    "pt": "Nota",
    "ro": "Notă",
}
PICTURE = {
    "de": "Bild",
    "en": "Picture",
    "es": "Imagen",
    "fr": "Image",
    "it": "Immagine",
    "nl": "Afbeelding",
    "pt": "Imagem",
    "ro": "Imagine",
}
TRANSLATION = {
    "de": "Übersetzung",
    "en": "Translation",
    "es": "Traducción",
    "fr": "Traduction",
    "it": "Traduzione",
    "nl": "Vertaling",
    "pt": "Tradução",
    "ro": "Traducere",
}


def _label(name: str, words: Mapping[str, str], phrases: Tuple[str, ...]) -> Instruction:
    def prefix(context: Context) -> str:
        return f"{words[context.language]}: "

    def obeys(output: str, context: Context) -> bool:
        output = output.strip()
        start = prefix(context)
        return output.lower().startswith(start.lower()) and len(output) > len(start)

    def rewrite(text: str, context: Context) -> Optional[str]:
        return prefix(context) + text if text.strip() else None

    def unwrap(output: str, context: Context) -> str:
        if not obeys(output, context):
            return output
        return output.strip()[len(prefix(context)) :].strip()

    return Instruction(
        name,
        "label",
        phrases,
        obeys=obeys,
        rewrite=rewrite,
        unwrap=unwrap,
        layer=Layer.LABEL,
        languages=frozenset(words),
    )


INSTRUCTIONS = [
    _label(
        "note-label",
        NOTE,
        (
            "labelled as a note",
            "as a note",
            "with the word note in front",
            "put the word note before it",
            "start with the label note",
            "mark it as a note",
        ),
    ),
    _label(
        "picture-label",
        PICTURE,
        (
            "labelled as a picture",
            "as the text of a picture",
            "with the word picture in front",
            "put the word picture before it",
            "start with the label picture",
            "mark it as a picture",
        ),
    ),
    _label(
        "translation-label",
        TRANSLATION,
        (
            "labelled as a translation",
            "with the word translation in front",
            "say that it is a translation",
            "put the word translation before it",
            "start with the label translation",
            "mark it as a translation",
        ),
    ),
]
