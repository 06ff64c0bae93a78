"""Models of Hugging Face transformers to compare with, and the same weights in fairseq."""

from __future__ import annotations

import functools
import random
from types import SimpleNamespace

import pytest

from tests.checkpoints.translation_models import import_transformers

VOCABULARY = 120
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
    # as the fairseq dictionary has them, so that the weights need no permutation here
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
}
LLAMA_3_SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
# name -> (class, what the configuration says beside SIZES)
FAMILIES = {
    "llama-2": ("Llama", {"rms_norm_eps": 1e-5}),
    "llama-3": (
        "Llama",
        {
            "num_key_value_heads": 2,
            "rms_norm_eps": 1e-5,
            "rope_theta": 500000.0,
            "rope_scaling": LLAMA_3_SCALING,
        },
    ),
    "tied": ("Llama", {"tie_word_embeddings": True, "num_key_value_heads": 1, "head_dim": 16}),
    "qwen-2": (
        "Qwen2",
        {"num_key_value_heads": 2, "rope_theta": 1000000.0, "bos_token_id": None},
    ),
    "all biases": ("Llama", {"attention_bias": True, "mlp_bias": True}),
}
TRAINING = [
    "--arch", "decoder_only_tiny", "--share-decoder-input-output-embed", "--optimizer", "adam",
    "--max-tokens", 200, "--cpu", "--no-progress-bar", "--log-format", "none", "--num-workers", 0,
    "--data-buffer-size", 0, "--required-batch-size-multiple", 1,
]  # fmt: skip


def hugging_face_model(family):
    """A randomly initialised model with weights large enough to tell tokens apart."""
    import torch

    transformers = import_transformers()
    name, config = FAMILIES[family]
    config = {**SIZES, **config}
    if int(transformers.__version__.split(".")[0]) >= 5:
        config["rope_parameters"] = {
            "rope_type": "default",
            **config.pop("rope_scaling", {}),
            "rope_theta": config.pop("rope_theta", 10000.0),
        }
    torch.manual_seed(1)
    model = getattr(transformers, f"{name}ForCausalLM")(
        getattr(transformers, f"{name}Config")(**config)
    )
    for key, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=1.0 if "norm" in key else 0.0, std=0.2)
    return model.eval()


def to_fairseq_name(key):
    """A Hugging Face parameter's name in fairseq."""
    return key.replace("lm_head", "model.output_projection").replace("model.", "decoder.", 1)


def fairseq_model(dictionary, state=None, **options):
    """The model of `DecoderOnlyConfig(**options)`, with the sizes of these tests."""
    import torch

    from fairseq_instr.models.decoder_only import DecoderOnlyConfig, DecoderOnlyModel

    sizes = {
        "decoder_embed_dim": 48,
        "decoder_ffn_embed_dim": 80,
        "decoder_layers": 3,
        "decoder_attention_heads": 4,
        "max_positions": 256,
    }
    torch.manual_seed(1)
    task = SimpleNamespace(source_dictionary=dictionary, target_dictionary=dictionary)
    model = DecoderOnlyModel.build_model(DecoderOnlyConfig(**{**sizes, **options}), task)
    if state is not None:
        model.load_state_dict(state)
    return model.eval()


@pytest.fixture(scope="session")
def rename():
    """`rename(key)`: a Hugging Face parameter's name in fairseq."""
    return to_fairseq_name


@pytest.fixture(scope="session")
def dictionary():
    from fairseq.data import Dictionary

    dictionary = Dictionary()
    for number in range(VOCABULARY - len(dictionary)):
        dictionary.add_symbol(f"word{number}")
    return dictionary


@pytest.fixture(scope="session", params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture(scope="session")
def pair_of_models(dictionary):
    """`pair_of_models(family)` -> Hugging Face's model, and fairseq's with the same weights."""
    from fairseq_instr.checkpoints.hugging_face_llama import model_options

    @functools.lru_cache(maxsize=None)
    def pair_of_models(family):
        theirs = hugging_face_model(family)
        state = {to_fairseq_name(key): value.clone() for key, value in theirs.state_dict().items()}
        name, config = FAMILIES[family]
        config = {**SIZES, **config, "architectures": [f"{name}ForCausalLM"]}
        prompt_bos = config["bos_token_id"] is not None
        options = {**model_options(config, family), "prompt_bos": prompt_bos}
        return theirs, fairseq_model(dictionary, state, **options)

    return pair_of_models


@pytest.fixture(scope="session")
def make_model(dictionary):
    """`make_model(**options)`: a fairseq model, randomly initialised with a fixed seed."""

    def make_model(**options):
        return fairseq_model(dictionary, **options)

    return make_model


@pytest.fixture(scope="session")
def make_batch(dictionary):
    """`make_batch(prompt lengths, target lengths, seed, left_pad)`: a batch of random tokens."""
    import torch
    from fairseq.data.data_utils import collate_tokens

    pad, eos = dictionary.pad(), dictionary.eos()

    def make_batch(n_source, n_target, seed=0, left_pad=True):
        rng = random.Random(seed)

        def text(n):
            return torch.tensor([rng.randrange(4, VOCABULARY) for _ in range(n)] + [eos])

        sources, targets = [text(n) for n in n_source], [text(n) for n in n_target]
        return {
            "id": torch.arange(len(sources)),
            "nsentences": len(sources),
            "ntokens": sum(map(len, targets)),
            "net_input": {
                "src_tokens": collate_tokens(sources, pad, eos, left_pad),
                "src_lengths": torch.tensor([len(source) for source in sources]),
                "prev_output_tokens": collate_tokens(targets, pad, eos, False, True),
            },
            "target": collate_tokens(targets, pad, eos, False),
        }

    return make_batch
