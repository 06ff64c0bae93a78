"""`--amp` on a CPU: bfloat16 products, everything else as it was."""

import pytest
import torch
from fairseq import utils
from fairseq.optim.adam import FairseqAdam
from fairseq.optim.amp_optimizer import AMPOptimizer
from fairseq.trainer import Trainer

from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.tasks.mixed_precision import is_for_cpu, warn_of_slow_products
from tests.conftest import WITH_INSTRUCTIONS

WITH_CONFLICTS = """
    --mixture parallel:1,task:1 --conflict-axes formality
    --criterion label_smoothed_cross_entropy_with_unlikelihood --label-smoothing 0.1
    --unlikelihood-weight 0.5 --dropout 0
""".split()


def distance(tensors, others):
    """Norm of the difference of two sets of tensors, to that of the second."""
    # not tensor by tensor: keys' biases have gradients of rounding errors alone
    flat, other = (torch.cat([s[n].flatten().float() for n in others]) for s in (tensors, others))
    return ((flat - other).norm() / other.norm()).item()


@pytest.fixture
def step(make_task):
    """Loss, gradients by name, and the type of the decoder's products, of one training step."""

    def step(*arguments):
        task = make_task("--share-all-embeddings", *WITH_CONFLICTS, *arguments)
        cfg = task.full_cfg
        utils.set_torch_seed(1)
        task.load_dataset("train")
        model = task.build_model(cfg.model)
        criterion = task.build_criterion(cfg.criterion)
        seen = []
        layer = model.decoder.layers[0].fc1
        layer.register_forward_hook(lambda _module, _inputs, output: seen.append(output.dtype))
        trainer = Trainer(cfg, task, model, criterion)
        batch = next(trainer.get_train_iterator(1).next_epoch_itr(shuffle=False))
        loss, _, _ = task.train_step(batch, model, criterion, trainer.optimizer, 0)
        gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        return loss.item(), gradients, set(seen)

    return step


@pytest.mark.parametrize("more", [[], ["--fused-loss"]], ids=["unfused", "fused"])
def test_a_step_in_mixed_precision_is_near_that_in_fp32(step, more):
    loss, gradients, products = step(*more)
    mixed_loss, mixed_gradients, mixed_products = step(*more, "--amp")
    assert (products, mixed_products) == ({torch.float32}, {torch.bfloat16})
    # bfloat16 has eight bits: each product's inputs are off by 0.4 % at most
    assert mixed_loss == pytest.approx(loss, rel=2e-3)
    assert mixed_loss != loss
    assert mixed_gradients.keys() == gradients.keys()
    assert {gradient.dtype for gradient in mixed_gradients.values()} == {torch.float32}
    assert distance(mixed_gradients, gradients) < 0.02


@pytest.mark.parametrize(
    ("device", "kind", "expected"),
    [("cpu", AMPOptimizer, True), ("cpu", FairseqAdam, False), ("meta", AMPOptimizer, False)],
)
def test_it_is_for_amp_on_a_cpu_alone(device, kind, expected):
    model = torch.nn.Linear(2, 2, device=device)
    assert is_for_cpu(model, kind.__new__(kind)) is expected


@pytest.mark.parametrize("with_amx", [True, False])
def test_a_processor_without_bfloat16_is_warned_of_once(monkeypatch, caplog, with_amx):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: with_amx, raising=False)
    warn_of_slow_products.cache_clear()
    for _ in range(2):
        warn_of_slow_products()
    assert len(caplog.records) == (not with_amx)


@pytest.mark.parametrize("more", [[], ["--checkpoint-activations"]], ids=["kept", "recomputed"])
def test_a_decoder_only_run_that_stops_goes_on_bit_for_bit(call, data_bin, tmp_path, more):
    """With bfloat16 products, Adam in one pass, warm-up and clipping."""
    train = [
        "train", data_bin, *WITH_INSTRUCTIONS, *WITH_CONFLICTS, "--arch", "decoder_only_tiny",
        "--share-decoder-input-output-embed", "--fused-loss", "--amp", "--optimizer", "fused_adam",
        "--lr", 0.003, "--lr-scheduler", "inverse_sqrt", "--warmup-updates", 3,
        "--warmup-init-lr", 1e-4, "--clip-norm", 0.1, "--max-tokens", 200, "--cpu",
        "--num-workers", 0, "--data-buffer-size", 0, "--save-interval-updates", 1,
        "--no-epoch-checkpoints", "--keep-interval-updates", 1, "--disable-validation", *more,
    ]  # fmt: skip
    for folder, updates in (("whole", 6), ("stopped", 1), ("stopped", 4), ("stopped", 6)):
        call(*train, "--max-update", updates, "--save-dir", tmp_path / folder)
    whole, stopped = (
        read_checkpoint(tmp_path / folder / "checkpoint_last.pt") for folder in ("whole", "stopped")
    )
    assert whole["optimizer_history"][-1] == stopped["optimizer_history"][-1]
    for key, parameter in whole["model"].items():
        assert torch.equal(parameter, stopped["model"][key]), key
        assert torch.isfinite(parameter).all() and parameter.dtype == torch.float32, key
    moments = [state["last_optimizer_state"]["state"] for state in (whole, stopped)]
    for number, own in moments[0].items():
        for name, value in own.items():
            assert torch.equal(value, moments[1][number][name]), (number, name)
