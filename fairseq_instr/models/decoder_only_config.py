"""Options of the decoder-only model.

An option of the architecture that nobody gives is None: training from a checkpoint takes it
from there, training from nothing takes it from `DEFAULTS`.
"""

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional

from fairseq.dataclass import ChoiceEnum, FairseqDataclass

from fairseq_instr.errors import InputError
from fairseq_instr.models.low_rank import LINEAR

NO_BIAS, INPUT_BIAS, ALL_BIASES = "none", "input", "all"
ATTENTION_BIASES = ChoiceEnum([NO_BIAS, INPUT_BIAS, ALL_BIASES])
DEFAULTS: Dict[str, Any] = {
    "decoder_embed_dim": 512,
    "decoder_ffn_embed_dim": 1408,
    "decoder_layers": 6,
    "decoder_attention_heads": 8,
    "decoder_key_value_heads": 0,
    "decoder_head_dim": 0,
    "share_decoder_input_output_embed": False,
    "attention_bias": NO_BIAS,
    "ffn_bias": False,
    "norm_epsilon": 1e-5,
    "max_positions": 4096,
    "rope_theta": 10000.0,
    "rope_scaling_factor": 0.0,
    "rope_low_factor": 1.0,
    "rope_high_factor": 4.0,
    "rope_original_positions": 8192,
    "prompt_bos": True,
    "lora_rank": 0,
    "lora_alpha": 16.0,
    "lora_targets": ",".join(LINEAR),
}


def _open(name: str, help: str):
    """A field that is None unless it is given."""
    default = f"default: the checkpoint's, or {DEFAULTS[name]}"
    return field(default=None, metadata={"help": f"{help}; {default}"})


@dataclass
class DecoderOnlyConfig(FairseqDataclass):
    decoder_embed_dim: Optional[int] = _open("decoder_embed_dim", "width")
    decoder_ffn_embed_dim: Optional[int] = _open("decoder_ffn_embed_dim", "width of the SwiGLU")
    decoder_layers: Optional[int] = _open("decoder_layers", "number of layers")
    decoder_attention_heads: Optional[int] = _open("decoder_attention_heads", "heads of queries")
    decoder_key_value_heads: Optional[int] = _open(
        "decoder_key_value_heads",
        "heads of keys and values, a divisor of --decoder-attention-heads; 0 for as many as those",
    )
    decoder_head_dim: Optional[int] = _open(
        "decoder_head_dim", "size of a head; 0 for the width divided by the heads"
    )
    share_decoder_input_output_embed: Optional[bool] = _open(
        "share_decoder_input_output_embed", "tie the output projection to the embeddings"
    )
    attention_bias: Optional[ATTENTION_BIASES] = _open(  # type: ignore[valid-type]  # of fairseq
        "attention_bias",
        "biases of attention: none (LLaMA), input (queries, keys, values: Qwen 2), all",
    )
    ffn_bias: Optional[bool] = _open("ffn_bias", "biases of the feed-forward layers")
    norm_epsilon: Optional[float] = _open("norm_epsilon", "epsilon of RMSNorm")
    max_positions: Optional[int] = _open(
        "max_positions", "longest prompt and target together, in tokens"
    )
    rope_theta: Optional[float] = _open("rope_theta", "base of the rotary positions")
    rope_scaling_factor: Optional[float] = _open(
        "rope_scaling_factor", "factor of LLaMA 3.1's rotary scaling; 0 for plain rotary positions"
    )
    rope_low_factor: Optional[float] = _open(
        "rope_low_factor", "rotary scaling: turns below which a frequency is divided in full"
    )
    rope_high_factor: Optional[float] = _open(
        "rope_high_factor", "rotary scaling: turns above which a frequency is kept"
    )
    rope_original_positions: Optional[int] = _open(
        "rope_original_positions", "rotary scaling: longest text of pretraining, in tokens"
    )
    # Any: fairseq would make a switch of a bool, one that can't say false
    prompt_bos: Any = _open(
        "prompt_bos", "true where <s> stands before the prompt, as in LLaMA; false as in Qwen 2"
    )
    lora_rank: Optional[int] = _open(
        "lora_rank", "train low-rank adapters of this rank alone; 0 to train the model itself"
    )
    lora_alpha: Optional[float] = _open(
        "lora_alpha", "scale of the adapters, which add alpha / rank times what they compute"
    )
    lora_targets: Optional[str] = _open(
        "lora_targets",
        "layers that adapters are beside; embed_tokens, output_projection: train that as a whole",
    )
    dropout: float = field(
        default=0.0, metadata={"help": "on what attention and feed-forward layers add"}
    )
    checkpoint_activations: bool = field(
        default=False,
        metadata={"help": "recompute each layer in the backward pass: slower, less memory"},
    )


def complete_options(options: Mapping[str, Any]) -> Dict[str, Any]:
    """Options of a model, with defaults where they are None or left out.

    Raises:
        InputError: if `--prompt-bos` is neither true nor false.
    """
    given = {key: value for key, value in options.items() if value is not None}
    completed = {**DEFAULTS, **given}
    said = str(completed["prompt_bos"]).lower()
    if said not in ("true", "false"):
        raise InputError(f"--prompt-bos {said} is not accepted; give true or false")
    completed["prompt_bos"] = said == "true"
    return completed


def check_sizes(cfg: Any) -> None:
    """Refuse sizes that don't go together.

    Args:
        cfg (DecoderOnlyConfig): completed options, none of them None.

    Raises:
        InputError: names the options.
    """
    dim, n_heads = cfg.decoder_embed_dim, cfg.decoder_attention_heads
    shared = cfg.decoder_key_value_heads or n_heads
    if not cfg.decoder_head_dim and dim % n_heads:
        raise InputError(
            f"--decoder-embed-dim {dim} is no multiple of --decoder-attention-heads {n_heads}; "
            "change one of them, or give --decoder-head-dim"
        )
    if (cfg.decoder_head_dim or dim // n_heads) % 2:
        raise InputError(
            f"heads of {cfg.decoder_head_dim or dim // n_heads} dimensions can't be rotated: "
            "give --decoder-head-dim an even number"
        )
    if n_heads % shared:
        raise InputError(
            f"--decoder-attention-heads {n_heads} is no multiple of --decoder-key-value-heads "
            f"{shared}; each of the latter serves as many of the former"
        )
