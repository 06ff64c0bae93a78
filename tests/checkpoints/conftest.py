"""Small models in the form of Hugging Face folders, with real tokenizers."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

from tests.checkpoints.translation_models import write_translation_model

LLAMAS = ("llama-2", "llama-3", "qwen-2")
TEXT = [
    "the quick brown fox jumps over the lazy dog, und der Hund schläft",
    "Translate the text below into German: Two men are talking.",
] * 4
SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
}


def sentencepiece_like():
    """LLaMA 2's kind: `<unk> <s> </s>`, bytes, then pieces with `▁`; `<s>` in front of a text."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers

    special = ["<unk>", "<s>", "</s>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)],
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    # the trainer takes the bytes for special tokens: in a model they are ordinary pieces
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [t for t in content["added_tokens"] if t["content"] in special]
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    return tokenizer


def byte_level(*special, bos=None):
    """LLaMA 3's and Qwen's kind: bytes are letters, special tokens come last."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=380,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.add_special_tokens(list(special))
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))]
        )
    return tokenizer


def tokenizer_and_config(family):
    """A tokenizer, what the configuration says, and what tokenizer_config.json says."""
    if family == "llama-2":
        bos = {"__type": "AddedToken", "content": "<s>"}
        named = {"bos_token": bos, "eos_token": "</s>", "unk_token": "<unk>"}
        tokenizer, config = sentencepiece_like(), {"bos_token_id": 1, "eos_token_id": 2}
    elif family == "llama-3":
        reserved = [f"<|reserved_special_token_{i}|>" for i in range(4)]
        begin, end = "<|begin_of_text|>", "<|end_of_text|>"
        named = {"bos_token": begin, "eos_token": end}
        tokenizer = byte_level(begin, end, *reserved, bos=begin)
        scaling = {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 64}
        scaling.update(low_freq_factor=1.0, high_freq_factor=4.0)
        config = {
            "num_key_value_heads": 2,
            "tie_word_embeddings": True,
            "rope_theta": 500000.0,
            "rope_scaling": scaling,
            "bos_token_id": tokenizer.token_to_id(begin),
            "eos_token_id": [tokenizer.token_to_id(end), 3],
        }
    else:
        end = "<|endoftext|>"
        named = {"bos_token": None, "eos_token": end, "pad_token": end}
        tokenizer = byte_level(end, "<|im_start|>", "<|im_end|>")
        number = tokenizer.token_to_id(end)
        config = {"num_key_value_heads": 2, "bos_token_id": number, "eos_token_id": number}
    rows = tokenizer.get_vocab_size() + (8 if family == "qwen-2" else 0)
    kind = ("Qwen2ForCausalLM", "qwen2") if family == "qwen-2" else ("LlamaForCausalLM", "llama")
    config.update(SIZES, vocab_size=rows, architectures=[kind[0]], model_type=kind[1])
    return tokenizer, config, named


def write_folder(folder, family):
    """A folder as Hugging Face writes it, its weights in two shards."""
    import torch

    pytest.importorskip("tokenizers")
    huggingface_hub = pytest.importorskip("huggingface_hub")
    from fairseq_instr.checkpoints.hugging_face import parameter_shapes
    from fairseq_instr.checkpoints.hugging_face_llama import LlamaFamily, model_options

    tokenizer, config, named = tokenizer_and_config(family)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text(json.dumps(named))
    generator = torch.Generator().manual_seed(1)
    settings = {"arch": "decoder_only", **model_options(config, "test")}
    shapes = parameter_shapes(settings, config["vocab_size"])
    weights = {
        LlamaFamily.name(None, key): (0.3 * torch.randn(shape, generator=generator)).bfloat16()
        for key, shape in shapes.items()
    }
    if config.get("tie_word_embeddings"):
        del weights["lm_head.weight"]
    huggingface_hub.save_torch_state_dict(weights, folder, max_shard_size=50_000)


@pytest.fixture(scope="session", params=LLAMAS)
def family(request):
    return request.param


@pytest.fixture(scope="session")
def make_folder(tmp_path_factory):
    """`make_folder(family)`: a Hugging Face folder that the caller may change."""

    def make_folder(family):
        folder = Path(tmp_path_factory.mktemp(family))
        write = write_folder if family in LLAMAS else write_translation_model
        write(folder, family)
        return folder

    return make_folder


@pytest.fixture(scope="session")
def converted(make_folder, tmp_path_factory):
    """`converted(family)` -> Hugging Face folder, and what was made of it; not to be changed."""
    from fairseq_instr.checkpoints.hugging_face import from_hugging_face

    @functools.lru_cache(maxsize=None)
    def converted(family):
        folder, output = make_folder(family), Path(tmp_path_factory.mktemp("converted"))
        from_hugging_face(folder, output)
        return folder, output

    return converted
