"""Instructions typed before a tab, line by line."""

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.generation.interactive import InstructionField
from fairseq_instr.instructions.composition import compose, parse

FORMAL, UPPERCASE = 2, 0


def positions(lines):
    return [tuple(request.position for request in requests) for requests in lines]


@pytest.fixture
def field(inventory):
    def read(text):
        return compose(parse(text), inventory, origin="--instruct-field")

    return InstructionField(read)


@pytest.mark.parametrize(
    "line, source, instructions",
    [
        ("formal\tw1 w2", "w1 w2", (FORMAL,)),
        ("formal, uppercase\tw1", "w1", (UPPERCASE, FORMAL)),
        (" uppercase ,formal,\tw1", "w1", (UPPERCASE, FORMAL)),
        ("\tw1", "w1", ()),
        ("w1", "w1", ()),
        ("formal\t", "", (FORMAL,)),
        ("", "", ()),
        # only the first tab ends the field: the rest is text
        ("formal\tw1\tuppercase", "w1\tuppercase", (FORMAL,)),
    ],
)
def test_a_line_is_split_at_its_first_tab(field, line, source, instructions):
    assert field.split(line) == source
    assert positions(field.take(1)) == [instructions]


def test_instructions_wait_for_their_sources(field):
    for line in ("formal\ta", "b", "uppercase\tc"):
        field.split(line)
    assert positions(field.take(2)) == [(FORMAL,), ()]
    assert positions(field.take(1)) == [(UPPERCASE,)]


@pytest.mark.parametrize(
    "line, message",
    [
        ("polite\tw1", "--instruct-field: unknown instruction 'polite'; accepted: uppercase, "),
        ("formal,informal\tw1", "--instruct-field: formal and informal exclude"),
    ],
)
def test_bad_instructions_are_refused(field, line, message):
    with pytest.raises(InputError, match=message):
        field.split(line)


def test_it_goes_before_another_tokenizer(field):
    class Upper:
        def encode(self, text):
            return text.upper()

        def decode(self, text):
            return text.lower()

    tokenizer = field.before(Upper())
    assert tokenizer.encode("formal\tw1") == "W1"
    assert tokenizer.decode("W1") == "w1"
    assert positions(field.take(1)) == [(FORMAL,)]
    assert field.before(None).encode("w1") == "w1"
    assert field.before(None).decode("W1") == "W1"


LINES = ["formal\tw1 w2 w3", "w4", "", "uppercase, informal\tw5 w6", "exclaim\tw7 w8"]


@pytest.mark.parametrize(
    "batching", [("--buffer-size", 1), ("--buffer-size", 4, "--max-tokens", 40)]
)
def test_each_line_is_translated_under_its_own(call, data_bin, tuned, tmp_path, batching):
    """As with --instruct: the same source under the same instructions gives the same."""
    arguments = [
        data_bin, "-s", "en", "-t", "de", "--user-dir", "fairseq_instr", "--task",
        "translation_with_instructions", "--path", tuned, "--cpu", "--beam", 2,
        "--max-len-a", 0, "--max-len-b", 8, "--num-workers", 0, "--data-buffer-size", 0,
    ]  # fmt: skip

    def translate(lines, *more):
        path = tmp_path / "input.txt"
        path.write_text("".join(f"{line}\n" for line in lines))
        out = call("interactive", *arguments, "--input", path, *more).splitlines()
        sources = [line.split("\t")[1] for line in out if line.startswith("S-")]
        return sources, [line.split("\t")[2] for line in out if line.startswith("H-")]

    sources, outputs = translate(LINES, "--instruct-field", *batching)
    assert sources == ["w1 w2 w3", "w4", "", "w5 w6", "w7 w8"]
    assert len(outputs) == len(LINES)
    if batching[1] == 1:
        for line, output in zip(LINES, outputs):
            names, tab, source = line.rpartition("\t")
            assert translate([source], "--instruct", names)[1] == [output]
