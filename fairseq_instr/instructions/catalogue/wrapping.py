"""Marks around the sentence: quotation marks, brackets, markup, list items.

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
        (
            "in double quotation marks",
            "in quotes",
            "quoted",
            "put it in quotation marks",
            "with double quotes around it",
            "use double quotes",
        ),
    ),
    wrap(
        "guillemets", "quotation", Layer.QUOTATION, "»", "«",
        (
            "in guillemets",
            "in angle quotes",
            "in pointed quotation marks",
            "put it in guillemets",
            "with guillemets around it",
            "use angle quotes",
        ),
    ),
    wrap(
        "html-bold", "markup", Layer.MARKUP, "<b>", "</b>",
        (
            "in HTML bold",
            "between <b> tags",
            "bold in HTML",
            "wrap it in <b> tags",
            "make it bold with HTML",
            "use the <b> element",
        ),
    ),
    wrap(
        "html-paragraph", "markup", Layer.MARKUP, "<p>", "</p>",
        (
            "as an HTML paragraph",
            "between <p> tags",
            "in a <p> element",
            "wrap it in <p> tags",
            "make it an HTML paragraph",
            "use the <p> element",
        ),
    ),
    wrap(
        "markdown-bold", "markup", Layer.MARKUP, "**", "**",
        (
            "in Markdown bold",
            "between double asterisks",
            "bold in Markdown",
            "wrap it in double asterisks",
            "make it bold with Markdown",
            "use two asterisks on each side",
        ),
    ),
    wrap(
        "list-item", "structure", Layer.STRUCTURE, "- ", "",
        (
            "as a list item",
            "with a dash in front",
            "as a bullet point",
            "make it a list item",
            "put a dash before it",
            "write a bullet point",
        ),
    ),
    wrap(
        "single-quotes", "quotation", Layer.QUOTATION, "'", "'",
        (
            "in single quotation marks",
            "between single quotes",
            "in simple quotes",
            "put it in single quotation marks",
            "with single quotes around it",
            "use single quotes",
        ),
    ),
    wrap(
        "low-high-quotes", "quotation", Layer.QUOTATION, "„", "“",
        (
            "in German quotation marks",
            "between low and high quotes",
            "with quotes as in German print",
            "put it in German quotation marks",
            "with German quotes around it",
            "use low and high quotes",
        ),
    ),
    wrap(
        "parentheses", "brackets", Layer.BRACKETS, "(", ")",
        (
            "in parentheses",
            "between round brackets",
            "as a parenthesis",
            "put it in parentheses",
            "with round brackets around it",
            "use parentheses",
        ),
    ),
    wrap(
        "square-brackets", "brackets", Layer.BRACKETS, "[", "]",
        (
            "in square brackets",
            "between square brackets",
            "bracketed with [ and ]",
            "put it in square brackets",
            "with square brackets around it",
            "use square brackets",
        ),
    ),
    wrap(
        "html-italic", "markup", Layer.MARKUP, "<i>", "</i>",
        (
            "in HTML italics",
            "between <i> tags",
            "italic in HTML",
            "wrap it in <i> tags",
            "make it italic with HTML",
            "use the <i> element",
        ),
    ),
    wrap(
        "html-heading", "markup", Layer.MARKUP, "<h1>", "</h1>",
        (
            "as an HTML heading",
            "between <h1> tags",
            "in an <h1> element",
            "wrap it in <h1> tags",
            "make it an HTML heading",
            "use the <h1> element",
        ),
    ),
    wrap(
        "markdown-code", "markup", Layer.MARKUP, "`", "`",
        (
            "as Markdown code",
            "between backticks",
            "in a Markdown code span",
            "wrap it in backticks",
            "make it code with Markdown",
            "use a backtick on each side",
        ),
    ),
    wrap(
        "numbered-item", "structure", Layer.STRUCTURE, "1. ", "",
        (
            "as the first item of a numbered list",
            "with the number one and a dot in front",
            "as a numbered point",
            "make it a numbered item",
            "put 1. before it",
            "number it as a list does",
        ),
    ),
]  # fmt: skip
