"""Options of the decoder-only model.

An option of the architecture that nobody gives is None: training from a checkpoint takes it
from there, training from nothing takes it from `DEFAULTS`.
"""

from dataclasses import dataclass, field, fields
from typing import Any, Dict, Mapping, Optional

from fairseq.dataclass import ChoiceEnum, FairseqDataclass

from fairseq_instr.config_fields import with_help
from fairseq_instr.errors import InputError
from fairseq_instr.models.low_rank import LINEAR

NO_BIAS, INPUT_BIAS, ALL_BIASES = "none", "input", "all"
ATTENTION_BIASES = ChoiceEnum([NO_BIAS, INPUT_BIAS, ALL_BIASES])


def _open(default: Any, text: str):
    """A field that is None unless it is given."""
    shown = f"{text}; default: the checkpoint's, or {default}"
    return field(default=None, metadata={"help": shown, "otherwise": default})


@dataclass
class DecoderOnlyConfig(FairseqDataclass):
    decoder_embed_dim: Optional[int] = _open(512, "width")
    decoder_ffn_embed_dim: Optional[int] = _open(1408, "width of the SwiGLU")
    decoder_layers: Optional[int] = _open(6, "number of layers")
    decoder_attention_heads: Optional[int] = _open(8, "heads of queries")
    decoder_key_value_heads: Optional[int] = _open(
        0,
        "heads of keys and values, a divisor of --decoder-attention-heads; 0 for as many as those",
    )
    decoder_head_dim: Optional[int] = _open(
        0, "size of a head; 0 for the width divided by the heads"
    )
    share_decoder_input_output_embed: Optional[bool] = _open(
        False, "tie the output projection to the embeddings"
    )
    attention_bias: Optional[ATTENTION_BIASES] = _open(  # type: ignore[valid-type]  # of fairseq
        NO_BIAS, "biases of attention: none (LLaMA), input (queries, keys, values: Qwen 2), all"
    )
    ffn_bias: Optional[bool] = _open(False, "biases of the feed-forward layers")
    norm_epsilon: Optional[float] = _open(1e-5, "epsilon of RMSNorm")
    max_positions: Optional[int] = _open(4096, "longest prompt and target together, in tokens")
    rope_theta: Optional[float] = _open(10000.0, "base of the rotary positions")
    rope_scaling_factor: Optional[float] = _open(
        0.0, "factor of LLaMA 3.1's rotary scaling; 0 for plain rotary positions"
    )
    rope_low_factor: Optional[float] = _open(
        1.0, "rotary scaling: turns below which a frequency is divided in full"
    )
    rope_high_factor: Optional[float] = _open(
        4.0, "rotary scaling: turns above which a frequency is kept"
    )
    rope_original_positions: Optional[int] = _open(
        8192, "rotary scaling: longest text of pretraining, in tokens"
    )
    # Any: fairseq would make a switch of a bool, one that can't say false
    prompt_bos: Any = _open(
        True, "true where <s> stands before the prompt, as in LLaMA; false as in Qwen 2"
    )
    lora_rank: Optional[int] = _open(
        0, "train low-rank adapters of this rank alone; 0 to train the model itself"
    )
    lora_alpha: Optional[float] = _open(
        16.0, "scale of the adapters, which add alpha / rank times what they compute"
    )
    lora_targets: Optional[str] = _open(
        ",".join(LINEAR),
        "layers that adapters are beside; embed_tokens, output_projection: train that as a whole",
    )
    dropout: float = with_help(
        0.0, "on the embeddings, and on what attention and feed-forward layers add"
    )
    checkpoint_activations: bool = with_help(
        False, "recompute each layer in the backward pass: slower, less memory"
    )


DEFAULTS: Dict[str, Any] = {
    option.name: option.metadata["otherwise"]
    for option in fields(DecoderOnlyConfig)
    if "otherwise" in option.metadata
}


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
    """Refuse sizes of completed options that don't go together.

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
