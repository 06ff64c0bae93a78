"""Checkpoints as earlier versions of fairseq saved them."""

import io
from argparse import Namespace
from collections import OrderedDict

import pytest
import torch
from fairseq.logging import meters

from fairseq_instr.checkpoints.inspection import read_checkpoint, refuse_incomplete
from fairseq_instr.checkpoints.parameters import trained_parameters
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.checkpoints.upgrading import upgrade_checkpoint
from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator


def args_of(state):
    return Namespace(**settings_of(state, "model"))


def with_args(state):
    """Up to 0.9: one Namespace of all settings."""
    return {**state, "cfg": None, "args": args_of(state)}


def with_joined_attention(state):
    """Up to 0.6: queries, keys and values in one matrix; up to 0.8: no output projection."""
    model = dict(state["model"])
    for key in [key for key in model if ".q_proj." in key]:
        parts = [model.pop(key.replace("q_proj", f"{part}_proj")) for part in "qkv"]
        model[key.replace("q_proj.", "in_proj_")] = torch.cat(parts)
    del model["decoder.output_projection.weight"]
    return {**with_args(state), "model": model}


def with_numbered_norms(state):
    """Before 0.6: norms by their number; one limit of length for both sides."""
    names = {
        "encoder": ("self_attn_layer_norm", "final_layer_norm"),
        "decoder": ("self_attn_layer_norm", "encoder_attn_layer_norm", "final_layer_norm"),
    }
    model = dict(with_joined_attention(state)["model"])
    for key in list(model):
        side = key.split(".")[0]
        for number, name in enumerate(names[side]):
            if f".{name}." in key:
                model[key.replace(name, f"layer_norms.{number}")] = model.pop(key)
    args = vars(args_of(state))
    args["max_positions"] = args.pop("max_source_positions")
    for name in ("max_target_positions", "activation_fn", "layernorm_embedding", "task"):
        del args[name]
    return {**state, "cfg": None, "args": Namespace(**args), "model": model}


def in_half_precision(state):
    return {**state, "model": {key: tensor.half() for key, tensor in state["model"].items()}}


def stripped(state):
    return {key: state[key] for key in ("args", "cfg", "model")}


def without_history(state):
    return {**with_args(state), "optimizer_history": []}


def averaged(state):
    """The script average_checkpoints.py keeps all but the parameters of the first."""
    return {**state, "model": OrderedDict((k, t.clone()) for k, t in state["model"].items())}


def with_meters(state):
    """Up to 0.9: objects that count, by the name that their class had then."""
    meter = type("AverageMeter", (), {"__module__": "fairseq.meters"})
    meters.AverageMeter, kept = meter, meters.AverageMeter
    counter = meter()
    counter.sum = 1.5
    buffer = io.BytesIO()
    extra_state = {**state["extra_state"], "train_meters": OrderedDict(train_loss=counter)}
    torch.save({**with_args(state), "extra_state": extra_state}, buffer)
    meters.AverageMeter = kept
    return buffer.getvalue()


def with_a_path_that_is_gone(state):
    cfg = {**state["cfg"], "task": {**state["cfg"]["task"], "data": "/nowhere", "user_dir": "/no"}}
    cfg["common"] = {**cfg["common"], "user_dir": "/nowhere"}
    return {**state, "cfg": cfg}


def of_a_legacy_task(state):
    """Tasks without a configuration of their own are saved as the Namespace of all settings."""
    task = Namespace(**{**vars(args_of(state)), "task": "a_task_of_another_plugin"})
    return {**state, "cfg": {**state["cfg"], "task": task}}


FORMATS = [
    with_args,
    with_joined_attention,
    with_numbered_norms,
    in_half_precision,
    stripped,
    without_history,
    averaged,
    with_meters,
    with_a_path_that_is_gone,
    of_a_legacy_task,
]


@pytest.fixture(scope="module", params=FORMATS, ids=lambda make: make.__name__)
def old_and_today(request, base, tmp_path_factory):
    """A checkpoint in an old format, and one of today with the same parameters."""
    folder = tmp_path_factory.mktemp(request.param.__name__)
    state = read_checkpoint(base)
    if request.param is in_half_precision:
        rounded = {key: tensor.half().float() for key, tensor in state["model"].items()}
        state = {**state, "model": rounded}
    old = request.param(state)
    if isinstance(old, bytes):
        (folder / "old.pt").write_bytes(old)
    else:
        torch.save(old, folder / "old.pt")
    torch.save(state, folder / "today.pt")
    return folder / "old.pt", folder / "today.pt"


def test_it_answers_as_the_same_model(old_and_today, data_bin):
    batch = torch.tensor([[5, 9, 17, 26, 2]]), torch.tensor([5]), torch.tensor([[2, 7, 9]])
    old, today = (Translator.from_pretrained(path, data_bin).models[0] for path in old_and_today)
    with torch.no_grad():
        assert torch.equal(old(*batch)[0], today(*batch)[0])


def test_upgraded_it_is_one_for_fairseq_s_commands(old_and_today, data_bin, call, tmp_path):
    old, today = old_and_today
    upgrade_checkpoint(old, tmp_path / "new.pt")
    state = read_checkpoint(tmp_path / "new.pt")
    refuse_incomplete(state, "new.pt")
    expected = trained_parameters(read_checkpoint(today))
    assert trained_parameters(state).keys() == expected.keys()
    arguments = [data_bin, "--user-dir", "fairseq_instr", "--task", "translation_with_instructions"]
    arguments += ["-s", "en", "-t", "de", "--cpu", "--beam", 1, "--num-workers", 0, "--path"]
    outputs = [
        [line for line in call("generate", *arguments, path).splitlines() if line[:2] == "H-"]
        for path in (today, tmp_path / "new.pt")
    ]
    assert len(outputs[0]) == 17 and outputs[0] == outputs[1]
    with pytest.raises(InputError, match="--force"):
        upgrade_checkpoint(old, tmp_path / "new.pt")


def test_a_moving_average_can_be_taken(base, tmp_path):
    state = read_checkpoint(base)
    average = {key: tensor + 1 for key, tensor in state["model"].items()}
    state["extra_state"]["ema"] = average
    torch.save(state, tmp_path / "ema.pt")
    upgrade_checkpoint(tmp_path / "ema.pt", tmp_path / "new.pt", use_ema=True)
    taken = read_checkpoint(tmp_path / "new.pt")["model"]
    assert all(torch.equal(taken[key], average[key]) for key in trained_parameters(state))
    with pytest.raises(InputError, match="--ema"):
        upgrade_checkpoint(base, tmp_path / "none.pt", use_ema=True)


def test_a_shard_is_refused(base, tmp_path):
    torch.save({**read_checkpoint(base), "fsdp_metadata": {}}, tmp_path / "x-shard0.pt")
    with pytest.raises(InputError, match="consolidate_fsdp_shards"):
        read_checkpoint(tmp_path / "x-shard0.pt")


def test_a_checkpoint_without_settings_is_refused(base, tmp_path):
    torch.save({"model": read_checkpoint(base)["model"]}, tmp_path / "bare.pt")
    with pytest.raises(InputError, match=r"bare\.pt has no settings"):
        upgrade_checkpoint(tmp_path / "bare.pt", tmp_path / "new.pt")
