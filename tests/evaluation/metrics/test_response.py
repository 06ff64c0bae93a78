from __future__ import annotations

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics.quality import chrf2
from fairseq_instr.evaluation.metrics.response import (
    applicable_lines,
    measure_response,
    unwrapped,
)
from fairseq_instr.instructions import Context, catalogue

SOURCES = ["Two dogs are running.", "A man reads.", "Three women are talking in the street."]
REFERENCES = ["Zwei Hunde rennen.", "Ein Mann liest.", "Drei Frauen reden auf der Straße."]
CONTEXTS = [Context(source, "de") for source in SOURCES]


def named(*names):
    return [catalogue()[name] for name in names]


@pytest.mark.parametrize(
    "names, expected",
    [
        # only lines that the instruction changes count
        (["digits"], {0: "2 Hunde rennen.", 2: "3 Frauen reden auf der Straße."}),
        # both rules of a pair must apply
        (["digits", "swiss"], {2: "3 Frauen reden auf der Strasse."}),
        # what is found counts where the reference obeys: 18 characters for 21 are short
        (["short"], {0: REFERENCES[0], 2: REFERENCES[2]}),
        (["short", "digits"], {0: "2 Hunde rennen.", 2: "3 Frauen reden auf der Straße."}),
    ],
)
def test_lines_and_their_references(names, expected):
    assert dict(applicable_lines(named(*names), SOURCES, REFERENCES, "de")) == expected


def test_rate_and_adequacy_on_literal_outputs():
    lines = applicable_lines(named("uppercase"), SOURCES, REFERENCES, "de")
    references = [text for _, text in lines]
    outputs = ["ZWEI HUNDE RENNEN.", "Ein Mann liest.", "DREI FRAUEN REDEN AUF DER STRASSE."]
    response = measure_response(named("uppercase"), CONTEXTS, references, outputs, 80.0)
    assert (response.lines, response.rate) == (3, pytest.approx(2 / 3))
    assert response.chrf2 == pytest.approx(chrf2(outputs, references))
    assert response.adequacy == pytest.approx(response.chrf2 / 80.0)


def test_a_pair_is_obeyed_when_both_are():
    outputs = ["<b>ZWEI HUNDE</b>", "<b>Ein Mann</b>", "DREI FRAUEN"]
    names = named("html-bold", "uppercase")
    response = measure_response(names, CONTEXTS, REFERENCES, outputs, 50.0)
    assert response.rate == pytest.approx(1 / 3)


def test_no_line_at_all_is_refused():
    with pytest.raises(InputError, match="uppercase"):
        measure_response(named("uppercase"), [], [], [], 50.0)


# -- adequacy: what an output says, without what its instruction put around it -----------------

TEXT = [
    ("A man in a blue shirt stands on a ladder.", "Ein Mann im blauen Hemd steht auf der Leiter."),
    ("Three children are playing with a red ball.", "Drei Kinder spielen mit einem roten Ball."),
    ("The girl drinks two glasses of cold water.", "Das Mädchen trinkt zwei Gläser kaltes Wasser."),
    ("Several people wait for the bus in the rain.", "Mehrere Leute warten im Regen auf den Bus."),
]  # fmt: skip
BY_RULE = [i.name for i in catalogue().values() if i.rewrite and i.serves("de")]
PLAIN = [reference.replace(" im ", " mit ").replace("zwei", "zehn") for _, reference in TEXT]


def adequacy(name, texts):
    """Adequacy of texts that the instruction's own rule has put into its form."""
    (instruction,) = named(name)
    sources, references = zip(*TEXT)
    lines = applicable_lines([instruction], sources, references, "de")
    if not lines:
        pytest.skip(f"{name} changes none of these lines")
    at = [i for i, _ in lines]
    outputs = []
    for i in at:
        context = Context(source=sources[i], language="de")
        outputs.append(instruction.rewrite(texts[i], context) or texts[i])
    response = measure_response(
        [instruction], [Context(sources[i], "de") for i in at], [text for _, text in lines],
        outputs, chrf2([PLAIN[i] for i in at], [references[i] for i in at]),
    )  # fmt: skip
    return response.adequacy


@pytest.mark.parametrize("name", BY_RULE)
def test_adequacy_counts_what_is_said_and_not_the_wrapper(name):
    """One word scores low, another line's reference low, a rewrapped plain translation 1."""
    references = [reference for _, reference in TEXT]
    assert adequacy(name, ["Ein"] * len(TEXT)) < 0.3
    assert adequacy(name, references[1:] + references[:1]) < 0.6
    assert adequacy(name, PLAIN) == pytest.approx(1, abs=0.07)


@pytest.mark.parametrize("name", ["bilingual", "xml", "json", "repeated"])
def test_a_wrapped_word_says_one_word(name):
    (instruction,) = named(name)
    context = Context(source="A dog.", language="de")
    assert unwrapped([instruction], instruction.rewrite("Ein", context), context) == "Ein"
    assert unwrapped([instruction], "Ein", context) == "Ein"


def test_layers_are_taken_off_from_the_outside():
    names = named("uppercase", "html-bold", "json")
    wrapped = '{"translation": "<b>EIN HUND</b>"}'
    assert unwrapped(names, wrapped, Context(source="A dog.", language="de")) == "EIN HUND"
