"""Instructions typed before a tab, line by line."""

import pytest
from omegaconf import OmegaConf

from fairseq_instr.errors import InputError
from fairseq_instr.generation.interactive import InstructionField
from fairseq_instr.instructions.asking import parse
from fairseq_instr.instructions.composition import compose
from fairseq_instr.text.subwords import train

FORMAL, UPPERCASE = 2, 0


def positions(lines):
    return [tuple(request.position for request in requests) for requests in lines]


@pytest.fixture
def field(inventory):
    def read(text):
        return compose(parse(text), inventory)

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
    "line, reason",
    [
        ("polite\tw1", "polite"),
        ("formal,informal\tw1", "axis formality"),
        # fairseq strips lines: a tab with no source behind it is gone
        ("uppercase", "no tab"),
        ("formal, uppercase", "no tab"),
    ],
)
def test_a_wrong_line_is_answered_by_its_error_and_the_others_go_on(
    inventory, field, capsys, line, reason
):
    assert [field.split(text) for text in ("formal\ta", line, "b")] == ["a", "", "b"]
    assert positions(field.take(3)) == [(FORMAL,), (), ()]
    told = capsys.readouterr().err
    assert "--instruct-field, line 2" in told and reason in told and told.count("\n") == 1
    strict = InstructionField(field.read, strict=True)
    with pytest.raises(InputError, match=f"--instruct-field, line 1: .*{reason}"):
        strict.split(line)


def test_a_source_that_reads_as_instructions_can_be_translated(field):
    assert field.split(",\tuppercase") == "uppercase"
    assert positions(field.take(1)) == [()]


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


LINES = ["formal\tw1 w2 w3", "w4", "", "polite\tw9", "uppercase, informal\tw5 w6", "exclaim\tw7 w8"]


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
    assert sources == ["w1 w2 w3", "w4", "", "", "w5 w6", "w7 w8"]
    assert len(outputs) == len(LINES) and outputs[2:4] == ["", ""]
    if batching[1] == 1:
        for line, output in zip(LINES[4:], outputs[4:]):
            names, tab, source = line.rpartition("\t")
            assert translate([source], "--instruct", names)[1] == [output]


def test_constraints_are_not_read_from_instructions(refusal, data_bin, tuned):
    """Fairseq parts a line at its tabs first: the source would be taken for a constraint."""
    message = refusal(
        "interactive", data_bin, "-s", "en", "-t", "de", "--user-dir", "fairseq_instr", "--task",
        "translation_with_instructions", "--path", tuned, "--cpu", "--instruct-field",
        "--constraints",
    )  # fmt: skip
    assert "--constraints" in message and "--instruct-field" in message


def test_a_bpe_of_another_vocabulary_is_refused(make_task, tmp_path):
    from fairseq.data.encoders.sentencepiece_bpe import SentencepieceConfig

    model = train(["w1 w2 w3", "other words"], tmp_path / "other", 400)
    config = SentencepieceConfig(_name="sentencepiece", sentencepiece_model=str(model))
    options = OmegaConf.structured(config)
    with pytest.raises(InputError, match="--sentencepiece-model.*dict.*txt"):
        make_task().build_bpe(options)
    assert make_task("--allow-unknown").build_bpe(options).encode("w1")
