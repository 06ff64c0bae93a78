"""Marks around the sentence: quotation marks, brackets, markup, list items.

One pair stands around all of it: `(a) Ein Mann (b)` is not in brackets. What stands around is
compared without regard to case, so that a model that writes `<B>` when it is also asked for
capitals is not called disobedient.
"""

from __future__ import annotations

import re
from typing import Callable, Iterator, Optional, Tuple

from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.text.languages import facts
from fairseq_instr.text.letters import has_words

Pair = Tuple[str, str]


def _turns(text: str, before: str, after: str) -> Iterator[int]:
    """1 for every mark in a text that opens, -1 for every mark that closes."""
    for found in re.finditer(f"{re.escape(before)}|{re.escape(after)}", text, re.IGNORECASE):
        left, right = text[: found.start()][-1:], text[found.end() :][:1]
        if found.group() in "'’" and left.isalnum() and right.isalnum():
            continue  # an apostrophe
        if before == after:
            opens = left.isspace() or not left.isalnum() and right.isalnum()
        else:
            opens = found.group().lower() == before
        yield 1 if opens else -1


def _is_one_pair(inner: str, before: str, after: str) -> bool:
    """Whether no mark inside closes what was opened outside, and none stays open."""
    depth = 0
    for turn in _turns(inner, before, after):
        depth += turn
        if depth < 0:
            return False
    return depth == 0


def _wrap(
    name: str,
    axis: str,
    layer: Layer,
    before: str,
    after: str,
    phrases: str,
    *others: Pair,
    written: Optional[Callable[[str], Pair]] = None,
) -> Instruction:
    """Put marks around the sentence, or `before` it alone; pairs of `others` obey too.

    Args:
        written: language -> the pair that it writes, where that is not (before, after).
    """

    def inside(output: str) -> Optional[str]:
        """What a pair stands around, or None."""
        text = output.strip()
        for start, end in ((before, after), *others):
            inner = text[len(start) : len(text) - len(end)]
            around = text[: len(start)].lower() == start and text[len(start) :].lower().endswith(
                end
            )
            if around and has_words(inner) and (not end or _is_one_pair(inner, start, end)):
                return inner.strip()
        return None

    def rewrite(text: str, context: Context) -> Optional[str]:
        start, end = written(context.language) if written else (before, after)
        rewritten = f"{start}{text}{end}"
        return rewritten if inside(rewritten) == text.strip() else None

    def unwrap(output: str, context: Context) -> str:
        inner = inside(output)
        return output if inner is None else inner

    return Instruction(
        name,
        axis,
        phrases,
        obeys=lambda output, context: inside(output) is not None,
        rewrite=rewrite,
        unwrap=unwrap,
        layer=layer,
    )


INSTRUCTIONS = [
    _wrap(
        "double-quotes", "quotation", Layer.QUOTATION, '"', '"',
        "in double quotation marks; in quotes; quoted; put it in quotation marks;"
        "with double quotes around it; use double quotes",
        ("“", "”"),
    ),
    _wrap(
        "guillemets", "quotation", Layer.QUOTATION, "»", "«",
        "in guillemets; in angle quotes; in pointed quotation marks; put it in guillemets;"
        "with guillemets around it; use angle quotes",
        ("«", "»"), written=lambda language: facts(language).guillemets,
    ),
    _wrap(
        "html-bold", "markup", Layer.MARKUP, "<b>", "</b>",
        "in HTML bold; between <b> tags; bold in HTML; wrap it in <b> tags;"
        "make it bold with HTML; use the <b> element",
    ),
    _wrap(
        "html-paragraph", "markup", Layer.MARKUP, "<p>", "</p>",
        "as an HTML paragraph; between <p> tags; in a <p> element; wrap it in <p> tags;"
        "make it an HTML paragraph; use the <p> element",
    ),
    _wrap(
        "markdown-bold", "markup", Layer.MARKUP, "**", "**",
        "in Markdown bold; between double asterisks; bold in Markdown;"
        "wrap it in double asterisks; make it bold with Markdown; use two asterisks on each side",
    ),
    _wrap(
        "list-item", "structure", Layer.STRUCTURE, "- ", "",
        "as a list item; with a dash in front; as a bullet point; make it a list item;"
        "put a dash before it; write a bullet point",
    ),
    _wrap(
        "single-quotes", "quotation", Layer.QUOTATION, "'", "'",
        "in single quotation marks; between single quotes; in simple quotes;"
        "put it in single quotation marks; with single quotes around it; use single quotes",
        ("‘", "’"), ("‚", "‘"),
    ),
    _wrap(
        "low-high-quotes", "quotation", Layer.QUOTATION, "„", "“",
        "in German quotation marks; between low and high quotes; with quotes as in German print;"
        "put it in German quotation marks; with German quotes around it; use low and high quotes",
        ("„", "”"),
    ),
    _wrap(
        "parentheses", "brackets", Layer.BRACKETS, "(", ")",
        "in parentheses; between round brackets; as a parenthesis; put it in parentheses;"
        "with round brackets around it; use parentheses",
    ),
    _wrap(
        "square-brackets", "brackets", Layer.BRACKETS, "[", "]",
        "in square brackets; between square brackets; bracketed with [ and ];"
        "put it in square brackets; with square brackets around it; use square brackets",
    ),
    _wrap(
        "html-italic", "markup", Layer.MARKUP, "<i>", "</i>",
        "in HTML italics; between <i> tags; italic in HTML; wrap it in <i> tags;"
        "make it italic with HTML; use the <i> element",
    ),
    _wrap(
        "html-heading", "markup", Layer.MARKUP, "<h1>", "</h1>",
        "as an HTML heading; between <h1> tags; in an <h1> element; wrap it in <h1> tags;"
        "make it an HTML heading; use the <h1> element",
    ),
    _wrap(
        "markdown-code", "markup", Layer.MARKUP, "`", "`",
        "as Markdown code; between backticks; in a Markdown code span; wrap it in backticks;"
        "make it code with Markdown; use a backtick on each side",
    ),
    _wrap(
        "numbered-item", "structure", Layer.STRUCTURE, "1. ", "",
        "as the first item of a numbered list; with the number one and a dot in front;"
        "as a numbered point; make it a numbered item; put 1. before it; number it as a list does",
    ),
]  # fmt: skip
