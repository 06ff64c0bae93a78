"""Hostile input is refused in one sentence: a few hundred cases of each kind."""

from __future__ import annotations

import argparse
import os
import random
import signal
import threading

import pytest
import torch

from fairseq_instr.checkpoints.inspection import read_checkpoint, refuse_oversized
from fairseq_instr.errors import LONGEST_MESSAGE, InputError
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Inventory
from fairseq_instr.prompts.templates import Template

KINDS = ("inventory", "template", "request", "triple", "stream", "checkpoint")
CASES = 150
pytestmark = [
    # fairseq's datasets that were not opened complain when they are deleted
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def kinds(fuzz, tmp_path_factory):
    return fuzz.make_kinds(tmp_path_factory.mktemp("fuzz"))


class Report:
    """Fails at the first crash."""

    def __call__(self, case, error):
        pytest.fail(f"{case!r:.500}\n{error}")


@pytest.mark.parametrize("name", KINDS)
def test_what_is_nearly_right_is_accepted_or_refused(fuzz, kinds, name):
    counts = fuzz.run_properties(kinds[name], CASES, 1, Report())
    assert min(counts.values()) > 0  # there are cases of both kinds


@pytest.mark.parametrize("name", KINDS)
def test_so_is_what_was_right_and_has_been_changed(fuzz, kinds, name):
    counts = fuzz.run_mutations(kinds[name], 0, CASES, 1, Report())
    assert counts["refused"] > 0


def test_no_source_becomes_an_instruction(fuzz, tuned, data_bin):
    translator = Translator.from_pretrained(tuned, data_bin, beam=1, max_len_a=0, max_len_b=3)
    kind = fuzz.source_kind(lambda: translator, decode=False)
    assert fuzz.run_properties(kind, CASES, 1, Report())["refused"] > 0
    fuzz.run_mutations(kind, 0, CASES, 1, Report())


def test_a_crash_is_noticed(fuzz, tmp_path):
    """The harness itself: another error, too much memory, a process that dies or waits."""
    kind = fuzz.Kind(lambda case: case(), None, lambda rng: rng.choice([lambda: {}["x"]]))
    found = []
    report = type("Report", (), {"__call__": lambda self, case, error: found.append(error)})()
    fuzz.run_mutations(kind, 0, 1, 1, report)
    assert "KeyError" in found[0]
    too_much = kind._replace(mutate=lambda rng: lambda: bytearray(2**40))
    result = fuzz.in_process(
        lambda report: fuzz.run_mutations(too_much, 0, 1, 1, report), tmp_path / "log"
    )
    assert "MemoryError" in result["crashes"][0][1]
    killed = kind._replace(mutate=lambda rng: lambda: os.kill(os.getpid(), signal.SIGKILL))
    result = fuzz.in_process(
        lambda report: fuzz.run_mutations(killed, 0, 1, 1, report), tmp_path / "log"
    )
    assert result["died_at"] == 0 and "died with -9" in result["crashes"][0][1]
    waits = kind._replace(mutate=lambda rng: threading.Event().wait)
    result = fuzz.in_process(
        lambda report: fuzz.run_mutations(waits, 0, 1, 1, report), tmp_path / "log", still=0.5
    )
    assert result["died_at"] == 0 and "no case ended in 0.5 s" in result["crashes"][0][1]


def test_time_is_bounded(fuzz, monkeypatch):
    monkeypatch.setattr(fuzz, "SECONDS", 0.2)
    with pytest.raises(TimeoutError), fuzz.bounded_time():
        while True:
            random.random()


# -- found by the fuzz ------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a\nb", "a\u2028b", "a\x85b"])
def test_what_is_quoted_breaks_no_line(text):
    assert str(InputError(f"option {text}: refused")) == "option a b: refused"


def test_what_is_quoted_is_bounded_and_can_be_printed():
    message = str(InputError("x" * 10**6 + " at the end"))
    assert len(message) <= LONGEST_MESSAGE and message.endswith("at the end")
    assert str(InputError("name '\ud800'")) == r"name '\ud800'"


@pytest.mark.parametrize("load", [Inventory.load, Template.load])
def test_aliases_do_not_multiply(load, tmp_path):
    path = tmp_path / "file.yaml"
    bomb = "\n".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdef", "bcdefg"))
    path.write_text(f"a: &a [x, x, x]\n{bomb}\nprompt: *g\n")
    with pytest.raises(InputError, match="aliases are not accepted"):
        load(path)


def save(path, **content):
    torch.save({"args": argparse.Namespace(), "model": {"x": torch.ones(2)}, **content}, path)
    return path


def test_a_compressed_checkpoint_is_refused(fuzz, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(fuzz._saved({"model": {"x": torch.zeros(10**6)}}, "compressed"))
    assert path.stat().st_size < 10**5
    with pytest.raises(InputError, match="is compressed, and would unpack to 4"):
        read_checkpoint(path)


def test_a_parameter_that_repeats_itself_is_refused(tmp_path):
    path = save(tmp_path / "model.pt", model={"x": torch.ones(1).expand(10**9, 1000)})
    with pytest.raises(InputError, match=r"'x' of shape \(1000000000, 1000\) is larger"):
        read_checkpoint(path)


def test_a_parameter_that_is_no_tensor_is_refused(tmp_path):
    with pytest.raises(InputError, match="its parameter 'x' is no tensor"):
        read_checkpoint(save(tmp_path / "model.pt", model={"x": 3}))


@pytest.mark.parametrize("key", ["cfg", "task_state", "optimizer_history"])
@pytest.mark.parametrize("value", [torch.ones(2), torch.ones(3, 3), 1], ids=str)
def test_a_tensor_in_the_place_of_settings_is_refused(tmp_path, key, value):
    with pytest.raises(InputError, match=f"its '{key}' is no"):
        read_checkpoint(save(tmp_path / "model.pt", **{key: value}))


def test_a_tensor_as_the_models_settings_is_refused(tmp_path):
    path = save(tmp_path / "model.pt", cfg={"model": torch.ones(2)})
    with pytest.raises(InputError, match="settings"):
        refuse_oversized(read_checkpoint(path), path)


@pytest.mark.parametrize(
    "settings",
    [
        {"encoder_layers": 10**9},
        {"encoder_layers": 1, "encoder_embed_dim": 10**6},
        {"decoder_layers": 1, "decoder_embed_dim": 10**5, "decoder_ffn_embed_dim": 10**9},
        {"max_source_positions": 10**12},
    ],
    ids=str,
)
def test_settings_of_a_giant_model_are_refused(tmp_path, settings):
    path = save(tmp_path / "model.pt", args=argparse.Namespace(**settings))
    with pytest.raises(InputError, match="its settings describe a model of .* it holds 2"):
        refuse_oversized(read_checkpoint(path), path)


def test_real_settings_are_not(base, tuned):
    for path in (base, tuned):
        refuse_oversized(read_checkpoint(path), path)


def changed(parameters, key, how):
    value = parameters[key]
    return {
        "missing": {k: v for k, v in parameters.items() if k != key},
        "shorter": {**parameters, key: value[:-1]},
        "longer": {**parameters, key: torch.cat((value, value))},
        "flat": {**parameters, key: value.flatten()[:3]},
        "added": {**parameters, "encoder.extra.weight": value},
    }[how]


@pytest.mark.parametrize("how", ["missing", "shorter", "longer", "flat", "added"])
@pytest.mark.parametrize("key", ["encoder.embed_tokens.weight", "decoder.layers.0.fc1.weight"])
def test_parameters_of_wrong_shapes_are_refused(tuned, data_bin, tmp_path, key, how):
    state = read_checkpoint(tuned)
    state["model"] = changed(state["model"], key, how)
    path = tmp_path / "model.pt"
    torch.save(state, path)
    with pytest.raises(InputError, match=r"model\.pt can't be loaded|the checkpoint's encoder"):
        Translator.from_pretrained(path, data_bin)


@pytest.mark.parametrize("line", [[99, 2], [-2, 2]])
def test_a_stream_with_the_dictionary_of_another_is_refused(fuzz, kinds, tmp_path, line):
    with pytest.raises(InputError, match=r"line 1 .* holds what is not in dict\.instr\.txt"):
        kinds["stream"].check(fuzz._binarise(tmp_path, [line], ["formal"]))


def test_a_stream_that_is_cut_short_is_refused(fuzz, kinds, tmp_path):
    whole = fuzz._binarise(tmp_path, [[4, 2]] * 3, ["formal"])
    kinds["stream"].check(whole)
    for part in ({"bin": whole.bin[:-8]}, {"bin": b""}, {"idx": whole.idx[:-1]}, {"idx": b""}):
        with pytest.raises(InputError, match="can't be read"):
            kinds["stream"].check(whole._replace(**part))
