"""Small translation models in the form of Hugging Face folders, with SentencePiece models."""

from __future__ import annotations

import io
import json

import pytest

TEXT = [
    "the quick brown fox jumps over the lazy dog while two men are talking",
    "der schnelle braune Fuchs springt über den faulen Hund und zwei Männer reden",
] * 5
LANGUAGES = {
    "m2m100": ["__de__", "__en__", "__fr__"],
    "nllb": ["deu_Latn", "eng_Latn", "fra_Latn"],
    "mbart50": ["de_DE", "en_XX", "fr_XX"],
    "mbart25": ["de_DE", "en_XX", "fr_XX"],
}
# name -> classes of transformers, and the activation
FAMILIES = {
    "m2m100": ("M2M100Config", "M2M100ForConditionalGeneration", "relu"),
    "nllb": ("M2M100Config", "M2M100ForConditionalGeneration", "relu"),
    "mbart50": ("MBartConfig", "MBartForConditionalGeneration", "gelu"),
    "mbart25": ("MBartConfig", "MBartForConditionalGeneration", "gelu"),
    "marian": ("MarianConfig", "MarianMTModel", "swish"),
}
MBART = ("mbart50", "mbart25")
TOKENIZERS = {"mbart50": "MBart50Tokenizer", "mbart25": "MBartTokenizer"}
SIZES = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_position_embeddings": 64,
    "scale_embedding": True,
}


def import_transformers():
    """transformers, or a skipped test where it is not installed or does without torch."""
    transformers = pytest.importorskip("transformers")
    if not transformers.utils.is_torch_available():
        pytest.skip("this transformers wants a later torch")
    transformers.logging.set_verbosity_error()
    return transformers


def train_subwords(path):
    """Train a SentencePiece model, and give its pieces without `<unk>`, `<s>` and `</s>`."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT), model_writer=model, vocab_size=50, minloglevel=2
    )
    path.write_bytes(model.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return [processor.id_to_piece(i) for i in range(3, processor.get_piece_size())]


def write_tokenizer(folder, family):
    """Write what a tokenizer consists of.

    Returns:
        (rows of the embeddings, ids of the special tokens for the configuration)
    """
    if family == "marian":
        pieces = train_subwords(folder / "source.spm")
        (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
        vocabulary = ["</s>", "<unk>", *pieces, "<pad>"]
        settings = {"source_lang": "en", "target_lang": "de"}
        pad = len(vocabulary) - 1
        ids = {"eos_token_id": 0, "pad_token_id": pad, "decoder_start_token_id": pad}
    else:
        pieces = train_subwords(folder / "sentencepiece.bpe.model")
        vocabulary = ["<s>", "<pad>", "</s>", "<unk>", *pieces]
        added = [*LANGUAGES[family], *(["<mask>"] if family != "m2m100" else [])]
        settings = {"additional_special_tokens": added}
        if family in TOKENIZERS:
            settings["tokenizer_class"] = TOKENIZERS[family]
        ids = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
    encoder = {piece: number for number, piece in enumerate(vocabulary)}
    (folder / "vocab.json").write_text(json.dumps(encoder), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    rows = len(vocabulary) + len(settings.get("additional_special_tokens", ()))
    if family == "m2m100":
        rows += 3  # rows of no token
    return rows, ids


def write_translation_model(folder, family):
    """Write a randomly initialised model of a family, in shards."""
    import torch

    transformers = import_transformers()
    rows, ids = write_tokenizer(folder, family)
    config_class, model_class, activation = FAMILIES[family]
    config = {**SIZES, **ids, "vocab_size": rows, "activation_function": activation}
    if family == "marian":
        config["decoder_vocab_size"] = rows
    torch.manual_seed(1)
    model = getattr(transformers, model_class)(getattr(transformers, config_class)(**config))
    for key, parameter in model.named_parameters():
        if "embed_positions" in key and family not in MBART:
            continue  # computed, not trained
        torch.nn.init.normal_(parameter, mean=1.0 if "norm" in key else 0.0, std=0.3)
    with torch.no_grad():
        model.get_input_embeddings().weight[ids["pad_token_id"]] = 0.0
        if family == "marian":
            model.final_logits_bias.normal_()
    model.save_pretrained(folder, max_shard_size="20KB")
