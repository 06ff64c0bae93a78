"""The LLaMA family: Hugging Face's configuration as options of `decoder_only`, and back.

What is not known here is refused by its name: a model that computes something else would load
and write nonsense.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import fairseq_instr.models.decoder_only  # noqa: F401  # registers it, where no task is imported
from fairseq_instr.checkpoints.hugging_face_family import EMBEDDING, PROJECTION, Family, require
from fairseq_instr.checkpoints.hugging_face_vocabulary import (
    Vocabulary,
    find_vocabulary,
    starts_with,
    with_end,
)
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.errors import InputError
from fairseq_instr.models.decoder_only_config import complete_options
from fairseq_instr.text.hugging_face import load_tokenizer

PLAIN, LLAMA_3 = "default", "llama3"

# option of the model -> (key of the configuration, what is taken where the key is missing)
SAME: Dict[str, Tuple[str, Any]] = {
    "decoder_embed_dim": ("hidden_size", None),
    "decoder_ffn_embed_dim": ("intermediate_size", None),
    "decoder_layers": ("num_hidden_layers", None),
    "decoder_attention_heads": ("num_attention_heads", None),
    "norm_epsilon": ("rms_norm_eps", 1e-6),
    "max_positions": ("max_position_embeddings", None),
    "share_decoder_input_output_embed": ("tie_word_embeddings", False),
}
# what a configuration may say of what this model has in one way alone
REQUIRED: Dict[str, Sequence] = {
    "hidden_act": ("silu",),
    "use_sliding_window": (False, None),
    "partial_rotary_factor": (1, None),
    "quantization_config": (None,),
}


def model_options(config: dict, origin: str) -> Dict[str, Any]:
    """Options of `decoder_only` for a `config.json`; errors begin with `origin`.

    Raises:
        InputError: if something in the configuration is not supported.
    """
    architecture = config["architectures"][0]
    require(config, REQUIRED, origin)
    options = {}
    for option, (key, default) in SAME.items():
        options[option] = config.get(key, default)
        if options[option] is None:
            raise InputError(f"{origin}: {key} is missing")
    options["decoder_key_value_heads"] = config.get("num_key_value_heads") or 0
    options["decoder_head_dim"] = config.get("head_dim") or 0
    if architecture == "Qwen2ForCausalLM":
        options["attention_bias"] = "input"
    else:
        options["attention_bias"] = "all" if config.get("attention_bias") else "none"
        options["ffn_bias"] = bool(config.get("mlp_bias"))
    return {**options, **_rotary_options(config, origin)}


def _rotary_options(config: dict, origin: str) -> Dict[str, Any]:
    # transformers 5 keeps all of it in one place, earlier versions theta beside the scaling
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type") or rope.get("type") or PLAIN
    theta = rope.get("rope_theta") or config.get("rope_theta") or 10000.0
    options = {"rope_theta": float(theta)}
    if kind == PLAIN:
        return options
    if kind != LLAMA_3:
        raise InputError(
            f"{origin}: the rope type {kind!r} is not supported; supported are {PLAIN}, {LLAMA_3}"
        )
    try:
        return {
            **options,
            "rope_scaling_factor": float(rope["factor"]),
            "rope_low_factor": float(rope["low_freq_factor"]),
            "rope_high_factor": float(rope["high_freq_factor"]),
            "rope_original_positions": int(rope["original_max_position_embeddings"]),
        }
    except KeyError as missing:
        raise InputError(f"{origin}: rope type {kind} lacks {missing}") from None


def configuration(options: Dict[str, Any]) -> dict:
    """The configuration of a model, as far as its options say it; the inverse of `model_options`.

    Raises:
        InputError: if no supported architecture has these options.
    """
    bias = str(options["attention_bias"])
    if bias == "input" and options["ffn_bias"]:
        raise InputError(
            "--attention-bias input with --ffn-bias is no architecture of Hugging Face's: "
            "such a model can't be converted"
        )
    config = {key: options[option] for option, (key, _) in SAME.items()}
    heads = options["decoder_attention_heads"]
    config["num_key_value_heads"] = options["decoder_key_value_heads"] or heads
    config["head_dim"] = options["decoder_head_dim"] or options["decoder_embed_dim"] // heads
    config["hidden_act"] = "silu"
    config["rope_theta"] = options["rope_theta"]
    config["rope_scaling"] = None
    if options["rope_scaling_factor"]:
        config["rope_scaling"] = {
            "rope_type": LLAMA_3,
            "factor": options["rope_scaling_factor"],
            "low_freq_factor": options["rope_low_factor"],
            "high_freq_factor": options["rope_high_factor"],
            "original_max_position_embeddings": options["rope_original_positions"],
        }
    if bias == "input":
        config.update(architectures=["Qwen2ForCausalLM"], model_type="qwen2")
    else:
        config.update(architectures=["LlamaForCausalLM"], model_type="llama")
        config.update(attention_bias=bias == "all", mlp_bias=bool(options["ffn_bias"]))
    return config


class LlamaFamily(Family):
    """LLaMA 2 and 3, Qwen 2, and models of their architecture."""

    architectures = ("LlamaForCausalLM", "Qwen2ForCausalLM")

    @classmethod
    def read(cls, folder: Path, config: dict, tokens: Mapping[str, Optional[str]]) -> "LlamaFamily":
        options = model_options(config, str(folder / "config.json"))
        vocabulary = find_vocabulary(folder, config, tokens)
        options["prompt_bos"] = starts_with(load_tokenizer(folder), vocabulary.bos)
        return cls({"arch": "decoder_only", **options}, vocabulary)

    @classmethod
    def of_checkpoint(cls, state: dict, origin, tokenizer: Path, config: dict) -> "LlamaFamily":
        saved = settings_of(state, "model")
        if EMBEDDING not in state["model"] or "rope_theta" not in saved:
            raise InputError(f"{origin} is no checkpoint of a decoder_only model")
        return cls(complete_options(saved), Vocabulary.load(tokenizer))

    def dictionary_entries(self, folder: Path) -> List[str]:
        """Hugging Face's ids in decimals: pieces may hold spaces, which a dictionary can't."""
        return [str(number) for number in self.vocabulary.order[4:]]

    def configuration(self, config: dict) -> dict:
        kept = {key: value for key, value in config.items() if key != "rope_parameters"}
        kept.update(configuration(self.settings))
        kept.setdefault(
            "bos_token_id", self.vocabulary.bos if self.settings["prompt_bos"] else None
        )
        kept["eos_token_id"] = with_end(kept.get("eos_token_id"), self.vocabulary.eos)
        return kept

    def name(self, key: str) -> str:
        return "lm_head.weight" if key == PROJECTION else key.replace("decoder.", "model.", 1)

    def tied_to(self, key: str) -> Optional[str]:
        tied = key == PROJECTION and self.settings["share_decoder_input_output_embed"]
        return EMBEDDING if tied else None

    def is_optional(self, name: str) -> bool:
        """A tied projection may be saved too, and old folders hold the rotary table."""
        return name == "lm_head.weight" or name.endswith("inv_freq")
