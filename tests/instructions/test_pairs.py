"""Any two instructions on different axes can be obeyed at once, by some text."""

from __future__ import annotations

import itertools

import pytest

from fairseq_instr.instructions import Context, catalogue, verify
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.instructions.composition import from_inside_out

SENTENCE = {
    "de": "Der Hund lief da hin",
    "en": "The dog ran out there",
    "ru": "Потом Anna вышла из дома",
}
# what a sentence pair needs for an instruction to have something to do: source, target
PARTS = {
    "de": {
        "keep-names": ("near Anna Lee", "bei Anna Lee"),
        "keep-links": ("at https://e.org/x", "auf https://e.org/x"),
        "keep-placeholders": ("of {name}", "von {name}"),
        "keep-tags": ("<b>now</b>", "<b>jetzt</b>"),
        "keep-numbers": ("for 1,200.50", "für 1.200,50"),
        "digits": ("and two", "und zwei"),
        "number-words": ("and 2", "und 2"),
        "iso-dates": ("2019", "am 3. März 2019"),
        "metric": ("miles", "neun Meter"),
        "ascii": ("for", "für alle"),
        "swiss": ("street", "die Straße"),
        "formal": ("you", "mit Ihnen"),
        "informal": ("you", "mit dir"),
        "use-term": ("tree", "am Baum"),
        "subtitles": ("then", "und dann hat er da und da geruht"),
    },
    "en": {
        "keep-names": ("chez Anna Lee", "near Anna Lee"),
        "keep-links": ("https://e.org/x", "at https://e.org/x"),
        "keep-placeholders": ("de {name}", "of {name}"),
        "keep-tags": ("<b>ici</b>", "<b>here</b>"),
        "keep-numbers": ("1,200.50", "for 1.200,50"),
        "digits": ("et deux", "and two"),
        "number-words": ("et 2", "and 2"),
        "iso-dates": ("2019", "on 3 March 2019"),
        "metric": ("miles", "eight metres"),
        "british": ("gris", "gray"),
        "american": ("gris", "grey"),
        "use-term": ("arbre", "at the Baum"),
        "subtitles": ("puis", "and then it slept in the sun and ran home"),
    },
    "ru": {
        "keep-names": ("near Anna Lee", "около Anna Lee"),
        "keep-links": ("at https://e.org", "у https://e.org,"),
        "keep-placeholders": ("of {name}", "от {name}"),
        "keep-tags": ("<b>now</b>", "<b>потом</b>"),
        "keep-numbers": ("for 1,200.50", "сказал, что это 1.200,50"),
        "use-term": ("tree", "и сказала, что это Baum"),
        "subtitles": ("then", "и так долго гуляла в саду"),
    },
}
ARGUMENTS = {"avoid": "Katze", "use-term": "x=Baum", "at-most": "300"}
SOURCE_LENGTHS = {"short": 2, "isometric": 1, "long": 0}
"""Lengths of the source as a multiple of the output's."""


def instructions(language):
    arguments = {**ARGUMENTS, "begin-with": SENTENCE[language].split()[1]}  # the article may go
    verified = (i for i in catalogue().values() if i.obeys and i.serves(language))
    return [
        i.bind(arguments[i.name]) if i.name in arguments else i
        for i in (look_up(f"to:{language}"), *verified)
    ]


def written(pair, language):
    """A text made for two instructions, and the context that it is judged in."""
    names = [i.name for i in pair]
    parts = [PARTS[language][name] for name in names if name in PARTS[language]]
    source = " ".join(["It", *(part for part, _ in parts)])
    text = " ".join([SENTENCE[language], *(part for _, part in parts)]) + "."
    if "begin-with" in names:
        text = text.partition(" ")[2]
    context = Context(source, language)
    length = len(unwrapped(pair, composed(pair, text, context), context))
    for name in set(names) & set(SOURCE_LENGTHS):
        wanted = max(len(source), SOURCE_LENGTHS[name] * length)
        context = Context((source + " and so on" * 100)[:wanted], language)
    return composed(pair, text, context), context


def composed(pair, text, context):
    for instruction in from_inside_out(pair):
        rewritten = instruction.rewrite(text, context) if instruction.rewrite else None
        text = text if rewritten is None else rewritten
    return text


def unwrapped(pair, text, context):
    for instruction in reversed(from_inside_out(pair)):
        text = instruction.unwrap(text, context)
    return text


@pytest.mark.parametrize("language", sorted(PARTS))
def test_some_text_obeys_both(language):
    unsatisfied = []
    for pair in itertools.combinations(instructions(language), 2):
        if pair[0].axis != pair[1].axis:
            text, context = written(pair, language)
            verdict = verify(pair, text, context)
            if not all(verdict.values()):
                unsatisfied.append((verdict, context.source, text))
    assert unsatisfied == []
