"""(1 - w) base + w tuned."""

import pytest
import torch

from fairseq_instr.checkpoints.inspection import read_checkpoint, trained_inventory
from fairseq_instr.checkpoints.interpolation import (
    align_instructions,
    interpolate,
    interpolate_checkpoints,
)
from fairseq_instr.checkpoints.parameters import trained_parameters
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, Inventory
from tests.checkpoints.test_upgrading import with_joined_attention

SOURCE = "encoder.embed_tokens.weight"
FORMAL, UPPERCASE = Instruction("formal", "formality"), Instruction("uppercase", "case")
BASE = {"layer.weight": torch.tensor([1.0]), "steps": torch.tensor([5])}
TUNED = {"layer.weight": torch.tensor([3.0]), "steps": torch.tensor([7])}


def test_the_arithmetic():
    """0.75 * 1.0 + 0.25 * 3.0 = 1.5; counters are the tuned model's."""
    assert interpolate(BASE, TUNED, 0.25) == {
        "layer.weight": torch.tensor([1.5]),
        "steps": torch.tensor([7]),
    }


@pytest.mark.parametrize("weight, expected", [(0, BASE), (1, TUNED)])
def test_the_ends_are_exact(weight, expected):
    base = {"w": torch.randn(50)}
    tuned = {"w": torch.randn(50) * 1e-4}
    mixed = interpolate(base, tuned, weight)
    assert torch.equal(mixed["w"], (tuned if weight else base)["w"])
    assert interpolate(BASE, TUNED, weight)["layer.weight"] == expected["layer.weight"]


def test_rows_of_instructions_are_the_tuned_model_s():
    old, new = {SOURCE: torch.zeros(2, 3)}, {SOURCE: torch.ones(4, 3)}
    aligned = align_instructions(old, new, Inventory(), Inventory([FORMAL, UPPERCASE]))
    assert interpolate(aligned, new, 0.5)[SOURCE].tolist() == [[0.5] * 3] * 2 + [[1.0] * 3] * 2
    assert interpolate(aligned, new, 0)[SOURCE].tolist() == [[0.0] * 3] * 2 + [[1.0] * 3] * 2


def test_instructions_in_another_order_go_to_their_rows():
    """A model is its own average, whatever the order of its instructions, tied or not."""
    words = torch.randn(2, 3)
    formal, uppercase, digits = torch.randn(3, 1, 3)
    projection = "decoder.output_projection.weight"
    old = {SOURCE: torch.cat((words, formal, uppercase)), projection: torch.zeros(2, 3)}
    new = {SOURCE: torch.cat((words, uppercase, digits, formal)), projection: torch.ones(2, 3)}
    wanted = Inventory([UPPERCASE, Instruction("digits", "numbers"), FORMAL])
    aligned = align_instructions(old, new, Inventory([FORMAL, UPPERCASE]), wanted)
    assert torch.equal(aligned[SOURCE], new[SOURCE])
    assert torch.equal(aligned[projection], old[projection])
    tied = {**old, projection: old[SOURCE]}, {**new, projection: new[SOURCE]}
    aligned = align_instructions(*tied, Inventory([FORMAL, UPPERCASE]), wanted)
    assert torch.equal(aligned[projection], new[SOURCE])


@pytest.mark.parametrize("name, axis", [("digits", "numbers"), ("formal", "tone")])
def test_an_instruction_that_the_tuned_model_lacks_is_refused(name, axis):
    parameters = {SOURCE: torch.zeros(3, 3)}
    with pytest.raises(InputError, match=name):
        align_instructions(
            parameters, parameters, Inventory([Instruction(name, axis)]), Inventory([FORMAL])
        )


def test_half_precision_is_rounded_once():
    base = {"w": torch.tensor([1.0, 2048.0]).half()}
    tuned = {"w": torch.tensor([1.001, 2.0]).half()}
    mixed = interpolate(base, tuned, 0.3)["w"]
    exact = (0.7 * base["w"].double() + 0.3 * tuned["w"].double()).half()
    assert mixed.dtype == torch.half
    assert torch.equal(mixed, exact)


def test_the_inputs_stay_as_they_are():
    interpolate(BASE, TUNED, 0.5)
    assert BASE["layer.weight"] == 1.0 and TUNED["layer.weight"] == 3.0


def test_fused_copies_of_one_version_alone_are_left_out():
    tuned = {**TUNED, "encoder.layers.0.in_proj_weight": torch.zeros(3)}
    assert set(interpolate(BASE, tuned, 0.5)) == set(TUNED)
    assert set(interpolate(tuned, tuned, 0.5)) == set(tuned)


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_outside_0_to_1_is_refused(weight):
    with pytest.raises(InputError, match="--tuned-weight .* from 0 to 1"):
        interpolate(BASE, TUNED, weight)


@pytest.mark.parametrize(
    "base",
    [
        {"steps": torch.tensor([1])},
        {**BASE, "layer.weight": torch.zeros(2)},
        {**BASE, "layer.weight": torch.zeros(1, 1)},
    ],
)
def test_other_architectures_are_refused(base):
    with pytest.raises(InputError, match=r"--base has .*layer\.weight"):
        interpolate(base, TUNED, 0.5)


def test_what_only_the_base_has_is_not_lost():
    with pytest.raises(InputError, match=r"--tuned has no parameter 'layer\.bias'"):
        interpolate({**BASE, "layer.bias": torch.zeros(1)}, TUNED, 0.5)
    old = {**BASE, "encoder.embed_positions._float_tensor": torch.zeros(1)}
    assert interpolate(old, TUNED, 0.5).keys() == TUNED.keys()


def test_a_mixed_checkpoint_is_one_to_generate_with(base, tuned, data_bin, call, tmp_path):
    output = tmp_path / "mixed.pt"
    interpolate_checkpoints(base, tuned, 0.5, output)
    mixed, old, new = (read_checkpoint(path) for path in (output, base, tuned))
    assert trained_inventory(mixed) == trained_inventory(new)
    key = "encoder.embed_tokens.weight"
    rows = len(old["model"][key])
    expected = (old["model"][key] + new["model"][key][:rows]) / 2
    torch.testing.assert_close(mixed["model"][key][:rows], expected)
    assert torch.equal(mixed["model"][key][rows:], new["model"][key][rows:])
    assert torch.equal(mixed["model"][key], mixed["model"]["decoder.embed_tokens.weight"])
    out = call(
        "generate", data_bin, "--user-dir", "fairseq_instr", "--cpu", "--path", output,
        "--task", "translation_with_instructions", "--instruct", "formal", "--beam", 1,
        "--num-workers", 0, "--data-buffer-size", 0,
    )  # fmt: skip
    assert sum(line.startswith("H-") for line in out.splitlines()) == 17


def test_a_base_of_an_older_fairseq_is_mixed_alike(base, tuned, tmp_path):
    torch.save(with_joined_attention(read_checkpoint(base)), tmp_path / "old.pt")
    for path in (base, tmp_path / "old.pt"):
        interpolate_checkpoints(path, tuned, 0.5, tmp_path / "mixed.pt", force=True)
        mixed = trained_parameters(read_checkpoint(tmp_path / "mixed.pt"))
        if path == base:
            expected = mixed
    assert mixed.keys() == expected.keys()
    for key, tensor in expected.items():
        assert torch.equal(mixed[key], tensor), key


def prompted(**changes):
    return lambda state: state["task_state"].update(changes)


def shorten(state):
    for key in ("encoder.embed_tokens", "decoder.embed_tokens", "decoder.output_projection"):
        state["model"][f"{key}.weight"] = state["model"][f"{key}.weight"][:-4]


def change_heads(state):
    vars(state["cfg"]["model"])["encoder_attention_heads"] = 4


@pytest.mark.parametrize(
    "name, change, named",
    [
        ("tuned", prompted(prompt_placement="source-suffix"), "--prompt-placement"),
        ("tuned", prompted(prompt_rendering="phrases"), "--prompt-rendering"),
        ("tuned", prompted(dictionary_fingerprints={"source": "12"}), "source dictionary"),
        ("tuned", prompted(prompt_in_words=True), "in words"),
        ("base", shorten, r"--base has encoder\.embed_tokens\.weight of shape"),
        ("base", change_heads, "--encoder-attention-heads 4"),
    ],
)
def test_another_kind_of_base_is_refused(request, tuned, tmp_path, name, change, named):
    state = read_checkpoint(request.getfixturevalue(name))
    change(state)
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(InputError, match=named):
        interpolate_checkpoints(tmp_path / "other.pt", tuned, 0.5, tmp_path / "mixed.pt")
