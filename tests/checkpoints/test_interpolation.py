"""(1 - w) base + w tuned."""

import pytest
import torch

from fairseq_instr.checkpoints.inspection import read_checkpoint, trained_inventory
from fairseq_instr.checkpoints.interpolation import interpolate, interpolate_checkpoints
from fairseq_instr.errors import InputError

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
    mixed = interpolate({"e": torch.zeros(2, 3)}, {"e": torch.ones(4, 3)}, 0.5)
    assert mixed["e"].tolist() == [[0.5] * 3] * 2 + [[1.0] * 3] * 2
    exact = interpolate({"e": torch.zeros(2, 3)}, {"e": torch.ones(4, 3)}, 0)
    assert exact["e"].tolist() == [[0.0] * 3] * 2 + [[1.0] * 3] * 2


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
    with pytest.raises(InputError, match=r"--base has .*layer\.weight.*architectures differ"):
        interpolate(base, TUNED, 0.5)


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
