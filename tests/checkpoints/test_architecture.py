"""A model that loads a checkpoint is the model that was trained."""

from argparse import Namespace

import pytest
from omegaconf import OmegaConf

from fairseq_instr.checkpoints.architecture import differences, settle_architecture
from fairseq_instr.errors import InputError

BASE = {"arch": "transformer", "encoder_attention_heads": 8, "dropout": 0.1}
LLAMA = {"arch": "decoder_only", "rope_theta": 500000.0, "decoder_layers": 3, "prompt_bos": False}


@pytest.mark.parametrize(
    "change, named",
    [
        ({"encoder_attention_heads": 4}, "--encoder-attention-heads 8 (not 4)"),
        ({"activation_fn": "gelu"}, "--activation-fn relu (not gelu)"),
        ({"no_scale_embedding": True}, "no --no-scale-embedding"),
        ({"decoder_normalize_before": True}, "no --decoder-normalize-before"),
        ({"encoder_learned_pos": True}, "no --encoder-learned-pos"),
        ({"layernorm_embedding": True}, "no --layernorm-embedding"),
        ({"no_token_positional_embeddings": True}, "no --no-token-positional-embeddings"),
    ],
)
def test_what_changes_no_shape_is_compared(change, named):
    """Also where the checkpoint is older than the option: it was trained with the default."""
    changed = {**BASE, **change}
    with pytest.raises(InputError) as info:
        settle_architecture(Namespace(**changed), BASE, "base.pt")
    assert named in str(info.value) and "--allow-architecture-change" in str(info.value)
    settle_architecture(Namespace(**changed), BASE, "base.pt", allow_change=True)


@pytest.mark.parametrize(
    "change",
    [
        {"dropout": 0.3},
        {"encoder_layerdrop": 0.2},
        {"max_source_positions": 50},
        {"checkpoint_activations": True},
        {"arch": "transformer_iwslt_de_en", "encoder_attention_heads": 8, "lr": [0.1]},
    ],
)
def test_what_is_no_architecture_may_change(change):
    own = {**BASE, **change}
    if own["arch"] == BASE["arch"]:
        assert differences(own, BASE) == []
    else:  # a preset of the same model: its own sizes differ
        assert "--encoder-attention-heads 8 (not 8)" not in differences(own, BASE)
        assert "--decoder-attention-heads 8 (not 4)" in differences(own, BASE)


def test_sharing_all_is_sharing_the_decoder_s():
    """Fairseq adds the second option while it builds, so that checkpoints have both."""
    own = {"arch": "transformer", "share_all_embeddings": True}
    assert differences(own, {**own, "share_decoder_input_output_embed": True}) == []


def test_sizes_of_a_decoder_only_model_are_the_checkpoint_s():
    cfg = OmegaConf.create({"_name": "decoder_only", "rope_theta": None, "decoder_layers": 3})
    cfg.update(prompt_bos=None, max_positions=None)
    settle_architecture(cfg, LLAMA, "base.pt")
    assert (cfg.rope_theta, cfg.prompt_bos, cfg.max_positions) == (500000.0, False, None)


@pytest.mark.parametrize(
    "option, value", [("rope_theta", 10000.0), ("prompt_bos", "true"), ("ffn_bias", True)]
)
def test_what_contradicts_the_checkpoint_is_refused(option, value):
    cfg = OmegaConf.create({"_name": "decoder_only", "rope_theta": None, option: value})
    with pytest.raises(InputError, match=f"--{option.replace('_', '-')}"):
        settle_architecture(cfg, LLAMA, "base.pt")
