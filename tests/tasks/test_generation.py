"""Generation through fairseq's commands: prompts of the decoder, contrast, guidance, directions."""

import shutil

import pytest
from omegaconf import OmegaConf

from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Instruction, Inventory
from tests.conftest import DECODING, column
from tests.conftest import WITH_INSTRUCTIONS as PLUGIN

CONTRASTS = {
    "guidance": ["--guidance", 0.5],
    "source": ["--source-contrast", 0.7, "--seed", 3],
    "source, logs": ["--source-contrast", 0.7, "--contrast-space", "log-probability"],
}


@pytest.fixture(scope="module")
def prompted(call, finetuning, tmp_path_factory):
    """`base`, finetuned with the prompt in the decoder."""
    folder = tmp_path_factory.mktemp("prompted")
    call("train", *finetuning, "--prompt-placement", "decoder-prefix", "--max-epoch", 2,
         "--save-dir", folder)  # fmt: skip
    return folder / "checkpoint_last.pt"


@pytest.fixture
def model(request, prompted, tuned):
    """(checkpoint, arguments) by where the prompt stands."""
    if request.param == "decoder-prefix":
        return prompted, ["--prompt-placement", request.param]
    return tuned, []


@pytest.fixture
def generate(call, data_bin):
    def generate(model, *more, data=data_bin, command="generate"):
        path, arguments = model
        return call(command, data, *PLUGIN, "-s", "en", "-t", "de", "--path", path,
                    *arguments, *DECODING, *more)  # fmt: skip

    return generate


@pytest.mark.parametrize(
    "model, name",
    [("decoder-prefix", None), ("decoder-prefix", "guidance"), ("source-prefix", "source")],
    indirect=["model"],
)
def test_both_commands_and_the_translator_say_the_same(generate, data_bin, tmp_path, model, name):
    """All 17 lines, one blank, with prompts that nobody sees printed."""
    path, arguments = model
    more = CONTRASTS.get(name, [])
    out = generate(model, "--instruct", "formal, uppercase", *more)
    sources = column(out, "S")
    assert len(sources) == len(column(out, "T")) == len(column(out, "H")) == 17
    assert not any("<" in line for mark in "STH" for line in column(out, mark))
    assert column(out, "T")[0] == sources[0].replace("w", "v")

    typed = tmp_path / "input.txt"
    typed.write_text("".join(f"{line}\n" for line in sources))
    out = generate(model, "--instruct", "formal, uppercase", *more, "--input", typed,
                   "--buffer-size", 5, "--batch-size", 5, command="interactive")  # fmt: skip
    interactive = column(out, "H")
    assert column(out, "S") == sources

    options = dict(zip([o[2:].replace("-", "_") for o in more[::2]], more[1::2]))
    translator = Translator.from_pretrained(
        path, data_bin, source="en", target="de", beam=2, max_len_a=0, max_len_b=8, **options
    )
    lines = translator.translate(sources, "uppercase, formal", batch_size=7)
    assert lines == interactive
    out = generate(model, "--instruct", "formal, uppercase", *more, "--batch-size", 3)
    assert column(out, "H") == interactive


@pytest.mark.parametrize(
    "model, name",
    [("source-prefix", "guidance"), ("decoder-prefix", "source, logs")],
    indirect=["model"],
)
def test_a_weight_changes_outputs_and_none_does_not(generate, model, name):
    option, _, *more = CONTRASTS[name]
    plain = generate(model, "--instruct", "formal")
    zero = generate(model, "--instruct", "formal", option, 0, *more)
    assert column(zero, "P") == column(plain, "P")
    strong = [option, 100, "--plausibility", 0, *more]  # the model is hardly trained
    contrasted = generate(model, "--instruct", "formal", *strong)
    assert column(contrasted, "H") != column(plain, "H")
    # whatever the search goes by, what is told are log-probabilities
    scores = [float(x) for line in column(contrasted, "P") for x in line.split()]
    assert max(scores) <= 0


def test_a_prompt_of_the_decoder_is_heard_line_by_line(generate, prompted, tmp_path):
    """Prompts of 0, 1 and 2 symbols in one batch; each line as if it were alone."""
    model = prompted, ["--prompt-placement", "decoder-prefix"]
    lines = ["formal\tw1 w2 w3", "w4 w4", "uppercase, informal\tw5 w6", "exclaim\tw7", "w8 w9 w1"]
    typed = tmp_path / "input.txt"
    typed.write_text("".join(f"{line}\n" for line in lines))
    out = generate(model, "--instruct-field", "--input", typed, "--buffer-size", 5,
                   "--batch-size", 5, command="interactive")  # fmt: skip
    assert column(out, "S") == [line.rpartition("\t")[2] for line in lines]
    for i, line in enumerate(lines):
        names, _, source = line.rpartition("\t")
        typed.write_text(f"{source}\n")
        alone = generate(model, "--instruct", names, "--input", typed, command="interactive")
        assert column(alone, "H") == [column(out, "H")[i]]


def test_references_are_scored_after_a_prompt_of_the_decoder(generate, prompted):
    """Scores of the target's tokens alone, and other ones under another prompt."""
    model = prompted, ["--prompt-placement", "decoder-prefix"]
    scored = [
        column(generate(model, "--instruct", names, "--score-reference"), "P")
        for names in ("formal", "uppercase, informal")
    ]
    sources = column(generate(model), "S")
    for scores in scored:
        assert [len(s.split()) for s in scores] == [len(s.split()) + 1 for s in sources]
    assert scored[0] != scored[1]


def test_a_training_can_translate_with_a_prompt_of_the_decoder(call, finetuning, tmp_path):
    call(
        "train", *finetuning, "--prompt-placement", "decoder-prefix", "--max-update", 2,
        "--eval-bleu", "--eval-bleu-args", '{"beam": 1, "max_len_b": 5}', "--save-dir", tmp_path,
        "--best-checkpoint-metric", "bleu", "--maximize-best-checkpoint-metric",
    )  # fmt: skip
    state = read_checkpoint(tmp_path / "checkpoint_last.pt")
    assert state["extra_state"]["best"] is not None


@pytest.mark.parametrize("model", ["source-prefix"], indirect=True)
@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--guidance", "-1"], "--guidance -1.0 is not accepted; give 0"),
        (["--contrast-space", "odds"], "--contrast-space 'odds' is not accepted; choose prob"),
        (["--language-contrast", "0.1"], "neither 'en' nor the source's language 'en' has"),
        (["--source-contrast", "0.7", "--contrast-subset", "dev"], "--contrast-subset dev: split"),
        (["--guidance", "1", "--sampling", "--nbest", "2"], "--sampling does not go with --guid"),
        (["--guidance", "1", "--print-alignment"], "--print-alignment does not go with --guid"),
        (["--guidance", "1", "--score-reference"], "--score-reference does not go with --guid"),
    ],
)
def test_what_does_not_go_is_refused(refusal, data_bin, model, arguments, message):
    path, own = model
    assert message in refusal("generate", data_bin, *PLUGIN, "--path", path, *own, *DECODING,
                              *arguments)  # fmt: skip


def test_the_placement_has_to_be_that_of_training(refusal, data_bin, prompted, tuned):
    arguments = ["generate", data_bin, *PLUGIN, *DECODING, "--path"]
    assert "give --prompt-placement decoder-prefix" in refusal(*arguments, prompted)
    message = refusal(*arguments, tuned, "--prompt-placement", "decoder-prefix")
    assert "give --prompt-placement source-prefix" in message


# -- directions -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def directed(call, data_bin, base, finetuning, tmp_path_factory):
    """A data-bin with one target language, and models trained with its direction and without."""
    data = shutil.copytree(data_bin, tmp_path_factory.mktemp("directed") / "data-bin")
    shutil.rmtree(data / "task")
    Inventory([Instruction("to:de", "target-language")]).save(
        data / "instructions.yaml", force=True
    )
    arguments = [data, *finetuning[1 : finetuning.index("--mixture")], "--max-epoch", 1]
    paths = {}
    for mode in ("always", "auto"):
        folder = data.parent / mode
        call("train", *arguments, "--direction-instruction", mode, "--save-dir", folder)
        paths[mode] = folder / "checkpoint_last.pt"
    return data, paths


def test_directions_are_given_where_they_were_in_training(generate, directed):
    """One language: `auto` gave none in training, `always` did."""
    data, paths = directed
    printed = {
        (trained, asked): column(
            generate((path, ["--direction-instruction", asked]), data=data), "P"
        )
        for trained, path in paths.items()
        for asked in ("auto", "always", "never")
    }
    assert printed["always", "auto"] == printed["always", "always"] != printed["always", "never"]
    assert printed["auto", "auto"] == printed["auto", "never"] != printed["auto", "always"]


def test_the_translator_gives_them_too(generate, directed, data_bin):
    data, paths = directed
    out = generate((paths["always"], []), data=data)
    translator = Translator.from_pretrained(
        paths["always"], data, source="en", target="de", beam=2, max_len_a=0, max_len_b=8
    )
    assert translator.translate(column(out, "S")) == column(out, "H")
    assert OmegaConf.select(translator.task.cfg, "direction_instruction") == "always"
    same = translator.for_direction("en", "de")
    assert same.translate(column(out, "S")) == column(out, "H")


def test_models_trained_with_directions_and_without_make_no_ensemble(refusal, generate, directed):
    data, paths = directed
    both = f"{paths['always']}:{paths['auto']}"
    message = refusal("generate", data, *PLUGIN, "--path", both, *DECODING)
    assert "trained differently, with always and with never" in message
    assert len(column(generate((both, ["--direction-instruction", "never"]), data=data), "H")) == 17


def test_a_direction_without_an_instruction_is_refused(refusal, directed, tmp_path):
    data, paths = directed
    shutil.copy(data / "dict.de.txt", data / "dict.nl.txt")
    typed = tmp_path / "input.txt"
    typed.write_text("w1\n")
    message = refusal("interactive", data, *PLUGIN, "--path", paths["always"], *DECODING,
                      "-s", "en", "-t", "nl", "--input", typed)  # fmt: skip
    assert "target language 'nl' has no instruction 'to:nl' in the inventory" in message
    with pytest.raises(InputError, match="'nl' has no instruction 'to:nl'"):
        Translator.from_pretrained(paths["always"], data, source="en", target="nl").translate(
            ["w1"]
        )


# -- languages --------------------------------------------------------------------------


def test_wrong_languages_are_contrasted(call, multilingual):
    """To German, under English; English itself has nothing to be contrasted with but German."""
    arguments = [multilingual.data, *PLUGIN, "--path", multilingual.checkpoints[0], *DECODING,
                 "--gen-subset", "valid"]  # fmt: skip

    def generate(*more):
        return column(call("generate", *arguments, *more), "P")

    to_german, to_english = ["-s", "en", "-t", "de"], ["-s", "de", "-t", "en"]
    contrast = ["--language-contrast", 0.3]
    assert generate(*to_german, *contrast) != generate(*to_german)
    named = generate(*to_german, *contrast, "--contrast-language", "source")
    assert generate(*to_german, *contrast) == named
    source = generate(*to_english, *contrast, "--contrast-language", "source")
    assert generate(*to_english, *contrast) == source != generate(*to_english)
    # a language is not contrasted with itself, so that what is left is plain
    own = generate(*to_english, *contrast, "--contrast-language", "en")
    assert own == generate(*to_english)


def test_other_sources_of_a_zero_shot_direction_come_from_pairs_of_its_language(
    multilingual,
):
    """The data-bin holds fr-en and no fr-de."""

    def load(*pair):
        return Translator.from_pretrained(
            multilingual.checkpoints[0], multilingual.data, None, *pair, beam=2, max_len_a=0,
            max_len_b=8, source_contrast=0.7, language_contrast=0.1,
        )  # fmt: skip

    def drawn_from(translator):
        sources = translator.task.generators.contrast_sources()
        return [translator.task.source_dictionary.string(source) for source in sources]

    valid = multilingual.valid
    zero_shot = load("fr", "de")
    assert drawn_from(zero_shot) == valid["fr"]
    assert drawn_from(load("en", "fr")) == valid["en"]
    with pytest.raises(InputError):  # a direction into its own language
        load("en", "en")
    assert len(zero_shot.translate(valid["fr"])) == len(valid["fr"])


# -- broken checkpoints -----------------------------------------------------------------


@pytest.mark.parametrize("kept", [None, 0, 0.5])
def test_a_checkpoint_missing_or_cut_short_is_told_in_one_line(run, data_bin, base, tmp_path, kept):
    content, path = base.read_bytes(), tmp_path / "cut.pt"
    if kept is not None:
        path.write_bytes(content[: int(kept * len(content))])
    done = run("generate", data_bin, *PLUGIN, "--path", path, "--cpu")
    assert done.returncode != 0 and "Traceback" not in done.stderr
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("fairseq_instr:")]
    assert error == done.stderr.splitlines()[-1]
    assert str(path) in error


def test_other_errors_of_a_good_checkpoint_keep_their_traceback(run, data_bin, base):
    """Here: heads that the width is no multiple of."""
    overrides = ["--model-overrides", "{'encoder_attention_heads': 3}"]
    done = run("generate", data_bin, *PLUGIN, "--path", base, "--cpu", *overrides)
    assert "Traceback" in done.stderr and "fairseq_instr: error" not in done.stderr


@pytest.mark.parametrize(("pair", "lines"), [([], 48), (["-s", "en", "-t", "fr"], 12)])
def test_a_pair_is_chosen_among_several(call, multilingual, pair, lines):
    out = call(
        "generate", *multilingual.task, "--path", multilingual.checkpoints[0], "--gen-subset",
        "valid", "--cpu", "--num-workers", 0, *pair,
    )  # fmt: skip
    assert len(column(out, "H")) == lines
    assert not pair or column(out, "T") == multilingual.valid["fr"]
