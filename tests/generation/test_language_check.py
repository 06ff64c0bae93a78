"""--eval-off-target: a real, tiny model is trained while its outputs' languages are watched."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from fairseq.data import Dictionary

from fairseq_instr.errors import InputError
from fairseq_instr.generation.language_check import LINES, WRONG, LanguageCheck
from fairseq_instr.generation.translator import Translator
from fairseq_instr.text.hugging_face import HuggingFaceSubwords
from fairseq_instr.text.identification import LangidIdentifier, identify
from tests.checkpoints.conftest import sentencepiece_like

VALIDATION = ["--eval-lang-pairs", "de-fr", "--eval-off-target", "--valid-subset", "zero/valid"]


def validation_log(capture, subset):
    """What was logged for a split, validation after validation."""
    found = []
    for line in capture.splitlines():
        begin = line.find("{")
        if begin >= 0 and f'"{subset}_off_target"' in line:
            found.append(json.loads(line[begin:]))
    return found


def test_the_logged_figure_is_that_of_the_saved_model(multilingual, run, tmp_path):
    # in a process of its own: fairseq keeps the best value so far in its module
    done = run(
        "train", *multilingual.training, *VALIDATION[:-1], "zero/valid,valid",
        "--eval-off-target-lines", 8, "--max-update", 40, "--save-dir", tmp_path,
        "--best-checkpoint-metric", "off_target", "--log-format", "json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed = done.stdout + done.stderr
    zero, plain = (validation_log(printed, name) for name in ("zero/valid", "valid"))
    values = [float(log["zero/valid_off_target"]) for log in zero]
    assert len(values) == len(plain) > 1
    assert float(zero[-1]["zero/valid_best_off_target"]) == min(values)
    assert (tmp_path / "checkpoint_best.pt").exists()
    for checkpoint, value in (("checkpoint1.pt", values[0]), ("checkpoint_last.pt", values[-1])):
        translator = Translator.from_pretrained(
            tmp_path / checkpoint, multilingual.data, None, "de", "fr",
            beam=1, max_len_a=1.5, max_len_b=20,
        )  # fmt: skip
        outputs = translator.translate(multilingual.valid["de"][:8])
        (found,) = identify(outputs, LangidIdentifier(), ["de", "en", "fr"])
        assert value == 100 * sum(code != "fr" for code in found) / 8


def test_the_size_of_batches_changes_nothing(multilingual, call):
    found = []
    for tokens in (20, 800):
        printed = call(
            "validate", *multilingual.task, *VALIDATION, "--path", multilingual.checkpoints[0],
            "--max-tokens", tokens, "--eval-off-target-lines", 7, "--log-format", "json", "--cpu",
            "--num-workers", 0,
        )  # fmt: skip
        (log,) = validation_log(printed, "zero/valid")
        found.append(float(log["zero/valid_off_target"]))
    assert found[0] == found[1]
    assert round(found[0] * 7 / 100, 2) in range(8)  # a number of lines out of 7


def test_outputs_of_a_tokenizer_become_text(tmp_path):
    tokenizer = sentencepiece_like()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    dictionary = Dictionary()
    for number in range(tokenizer.get_vocab_size()):
        dictionary.add_symbol(str(number))
    pieces = HuggingFaceSubwords(tmp_path).encode("zwei große Hunde laufen durch den Schnee")
    output = {"tokens": dictionary.encode_line(pieces, add_if_not_exist=False)}
    task = SimpleNamespace(
        cfg=SimpleNamespace(
            data=str(tmp_path), prompt_subwords=None, source_lang="en", target_lang="de"
        ),
        target_dictionary=dictionary,
        build_generator=lambda models, args: None,
        inference_step=lambda generator, models, sample: [[output]],
    )
    with pytest.raises(InputError, match="--prompt-subwords"):
        LanguageCheck(task, None, ["en", "de"], 1)
    task.cfg.prompt_subwords = str(tmp_path)
    sample = {
        "id": torch.tensor([0]), "origins": [(("en", "de"), 0)], "sources": [[5, 2]],
        "requests": [()],
        "net_input": {"src_tokens": output["tokens"][None], "src_lengths": torch.ones(1)},
    }  # fmt: skip
    assert LanguageCheck(task, None, ["en", "de"], 1).count(sample, None) == {LINES: 1, WRONG: 0}


@pytest.mark.parametrize(
    "options, message",
    [
        (["--eval-off-target", "--eval-off-target-lines", 0], "--eval-off-target-lines 0: give"),
        (["--eval-lang-pairs", "de"], "--eval-lang-pairs 'de': 'de' is not accepted"),
        (["--eval-lang-pairs", "de-it"], "dict.it.txt does not exist"),
        (
            ["--eval-lang-pairs", "fr-fr", "--valid-subset", "zero/valid"],
            "language pair en-de was not found in split 'valid'",
        ),
        (["--valid-subset", "zero/valid"], "en-de was not found in split 'valid'"),
    ],
)
def test_what_cannot_be_validated_is_refused(multilingual, refusal, tmp_path, options, message):
    arguments = [*multilingual.training, *options, "--save-dir", tmp_path, "--max-update", 1]
    assert message in refusal("train", *arguments)
