"""Marks around the sentence: quotation marks, markup, list items.

What stands around is compared without regard to case, so that a model that writes `<B>` when
it is also asked for capitals is not called disobedient.
"""

from __future__ import annotations

from typing import Optional, Tuple

from fairseq_instr.instructions.instruction import Context, Instruction, Layer


def wrap(
    name: str, axis: str, layer: Layer, before: str, after: str, phrases: Tuple[str, ...]
) -> Instruction:
    """An instruction that puts `before` and `after` around the sentence."""

    def has_words(text: str) -> bool:
        return any(c.isalnum() for c in text)

    def obeys(output: str, context: Context) -> bool:
        folded = output.strip().lower()
        inner = folded[len(before) : len(folded) - len(after)]
        return (
            folded.startswith(before.lower())
            and folded.endswith(after.lower())
            and len(folded) >= len(before) + len(after)
            and has_words(inner)
        )

    def rewrite(text: str, context: Context) -> Optional[str]:
        return f"{before}{text}{after}" if has_words(text) else None

    def unwrap(output: str, context: Context) -> str:
        if not obeys(output, context):
            return output
        output = output.strip()
        return output[len(before) : len(output) - len(after)].strip()

    return Instruction(
        name, axis, phrases, obeys=obeys, rewrite=rewrite, unwrap=unwrap, layer=layer
    )


INSTRUCTIONS = [
    wrap(
        "double-quotes", "quotation", Layer.QUOTATION, '"', '"',
        ("in double quotation marks", "in quotes", "quoted"),
    ),
    wrap(
        "guillemets", "quotation", Layer.QUOTATION, "»", "«",
        ("in guillemets", "in angle quotes", "in pointed quotation marks"),
    ),
    wrap(
        "html-bold", "markup", Layer.MARKUP, "<b>", "</b>",
        ("in HTML bold", "between <b> tags", "bold in HTML"),
    ),
    wrap(
        "html-paragraph", "markup", Layer.MARKUP, "<p>", "</p>",
        ("as an HTML paragraph", "between <p> tags", "in a <p> element"),
    ),
    wrap(
        "markdown-bold", "markup", Layer.MARKUP, "**", "**",
        ("in Markdown bold", "between double asterisks", "bold in Markdown"),
    ),
    wrap(
        "list-item", "structure", Layer.STRUCTURE, "- ", "",
        ("as a list item", "with a dash in front", "as a bullet point"),
    ),
]  # fmt: skip
