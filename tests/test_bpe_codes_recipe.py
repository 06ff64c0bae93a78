"""A model of Moses tokens and BPE codes: curated, binarised, trained, asked, exported."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from fairseq_instr import sample
from fairseq_instr.curation import binarise, curate, encode
from fairseq_instr.curation.filters import Checks
from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Inventory, catalogue
from fairseq_instr.text.lines import read_lines
from fairseq_instr.text.subwords import load_subwords

LINES = ["Isn't the dog's house end-of-line?", 'He said: "It isn\'t here" & left.', "A dog"]
ASKED = 'uppercase, begin-with="Geht\'s, Anna"'
PLUGIN = ["--user-dir", "fairseq_instr", "--task", "translation_with_instructions"]


@pytest.fixture(scope="module")
def recipe(call, tmp_path_factory):
    """Raw text, codes, the dictionary of their pieces, a data-bin, and a model of few updates."""
    pytest.importorskip("sacremoses")
    learn_bpe = pytest.importorskip("subword_nmt.learn_bpe")
    root = tmp_path_factory.mktemp("recipe")
    made = list(sample.generate(300, 1))
    sides = {language: [s.texts[language] for s in made] for language in ("en", "de")}
    text, codes = root / "text", root / "bpecodes"
    text.mkdir()
    for language, lines in sides.items():
        for split, part in (("train", lines[:-20]), ("valid", lines[-20:])):
            (text / f"{split}.{language}").write_text("\n".join(part) + "\n", "utf-8")
    with open(codes, "w", encoding="utf-8") as out:
        learn_bpe.learn_bpe(io.StringIO("\n".join([*sides["en"], *sides["de"]])), out, 200)
    # every character with and without @@, as the codes of much text have them
    pieces = {c + mark: None for c in map(chr, range(33, 127)) for mark in ("@@", "")}
    encoders = load_subwords(codes, "en", "de")
    upper = (line.upper() for line in sides["de"])
    for encoder, lines in (
        (encoders.source, [*sides["en"], *LINES]),
        (encoders.target, [*sides["de"], *upper]),
    ):
        for line in lines:
            pieces.update(dict.fromkeys(encoder.encode(line).split()))
    dictionary = root / "dict.txt"
    dictionary.write_text("".join(f"{piece} 1\n" for piece in pieces), "utf-8")
    data = root / "data-bin"
    binarise(text, data, codes, "en", "de", dictionary, allow_unknown=True)
    Inventory([catalogue()["uppercase"], catalogue()["begin-with"]]).save(
        data / "instructions.yaml"
    )
    call(
        "train", data, *PLUGIN, "--arch", "transformer_tiny", "--optimizer", "adam", "--lr", 0.005,
        "--criterion", "label_smoothed_cross_entropy", "--max-tokens", 1000, "--max-update", 150,
        "--lr-scheduler", "inverse_sqrt", "--warmup-updates", 20,
        "--share-all-embeddings", "--save-dir", root, "--no-progress-bar", "--log-format", "none",
        "--num-workers", 0, "--data-buffer-size", 0, "--cpu",
    )  # fmt: skip
    model = root / "checkpoint_last.pt"
    return SimpleNamespace(text=text, codes=codes, dictionary=dictionary, data=data, model=model)


def test_fairseq_interactive_answers_the_same(recipe, run):
    done = run(
        "interactive", recipe.data, *PLUGIN, "--path", recipe.model, "-s", "en", "-t", "de",
        "--tokenizer", "moses", "--bpe", "subword_nmt", "--bpe-codes", recipe.codes, "--beam", 2,
        "--max-len-a", 0, "--max-len-b", 40, "--instruct", ASKED, "--cpu",
        stdin="\n".join(LINES),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = [line.split("\t")[2] for line in done.stdout.splitlines() if line.startswith("D-")]
    translator = Translator.from_pretrained(
        recipe.model, recipe.data, recipe.codes, beam=2, max_len_a=0, max_len_b=40
    )
    translator.n_learned = 2
    assert translator.translate(LINES, ASKED) == said
    assert len(set(said)) > 1
    # the prompt holds the argument in the source's pieces
    words = translator.task.source_dictionary.string(translator.render("A dog", ASKED).rendered)
    assert load_subwords(recipe.codes, "en", "de").source.encode("Geht's, Anna") in words


def test_the_exported_model_answers_the_same(recipe, tmp_path):
    pytest.importorskip("ctranslate2")
    from fairseq_instr.serving.export import export_ctranslate2
    from fairseq_instr.serving.translator import CTranslate2Translator

    export_ctranslate2(recipe.model, recipe.data, tmp_path / "served", recipe.codes)
    served = CTranslate2Translator.from_pretrained(tmp_path / "served", beam=2)
    translator = Translator.from_pretrained(recipe.model, recipe.data, recipe.codes, beam=2)
    assert served.translate(LINES) == translator.translate(LINES)


def test_curation_refuses_what_moses_takes_apart(recipe, tmp_path):
    """`<b>` comes back as `< b >`; capitals, lengths and words come back as they are."""
    checks = Checks(subwords=recipe.codes, dictionary=recipe.dictionary)
    source, target = recipe.text / "train.en", recipe.text / "train.de"

    def made(*names):
        output = tmp_path / "-".join(names)
        return curate(source, target, "en", "de", names, output, 20, checks=checks)["instructions"]

    assert set(made("uppercase", "at-most", "begin-with")) == {"uppercase", "at-most", "begin-with"}
    with pytest.raises(InputError, match="html-bold"):
        made("html-bold")


def test_encoded_text_is_what_binarise_reads(recipe, tmp_path):
    with pytest.raises(InputError, match="-s and -t"):
        encode([recipe.text], tmp_path / "none", recipe.codes)
    files = encode([recipe.text], tmp_path / "bpe", recipe.codes, None, "en", "de")
    encoders = load_subwords(recipe.codes, "en", "de")
    for path in files:
        encoder = encoders.target if path.suffix == ".de" else encoders.source
        lines = read_lines(Path(recipe.text, path.name))
        assert read_lines(path) == list(map(encoder.encode, lines))
