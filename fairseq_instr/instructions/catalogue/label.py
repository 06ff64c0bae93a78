"""A label in front of the translation, in the target language."""

from __future__ import annotations

from typing import Mapping, Optional, Tuple

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

NOTE = {
    "de": "Hinweis",
    "en": "Note",
    "fr": "Remarque",
    "it": "Nota",
    "nl": "Opmerking",
    "ro": "Notă",
}
PICTURE = {
    "de": "Bild",
    "en": "Picture",
    "fr": "Image",
    "it": "Immagine",
    "nl": "Afbeelding",
    "ro": "Imagine",
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
    _label("note-label", NOTE, ("labelled as a note", "as a note", "with the word note in front")),
    _label(
        "picture-label",
        PICTURE,
        ("labelled as a picture", "as the text of a picture", "with the word picture in front"),
    ),
]
