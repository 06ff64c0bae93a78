"""Translation models of Hugging Face: M2M-100, NLLB, mBART-25 and -50, and Marian's (OPUS-MT).

All but the last are fairseq's own models, with fairseq's ids. In fairseq's dictionary language
tokens are written as its tasks write them: `eng_Latn` is `__eng_Latn__`, `en_XX` is `[en_XX]`.
Marian's are of another toolkit; see `models.marian`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import torch

from fairseq_instr.checkpoints.architecture import differences
from fairseq_instr.checkpoints.hugging_face_family import EMBEDDING, PROJECTION, Family, require
from fairseq_instr.checkpoints.hugging_face_vocabulary import (
    TOKENIZER_CONFIG_FILE,
    Vocabulary,
    read_object,
    rows_for,
)
from fairseq_instr.checkpoints.settings import settings_of
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.models.marian import RULED_OUT
from fairseq_instr.prompts.language_tokens import (
    MARIAN,
    MBART,
    MULTILINGUAL,
    PRESETS,
    LanguageTokens,
)
from fairseq_instr.text.hugging_face import CONFIG_FILE, TOKENIZER_FILE, load_tokenizer

SOURCE_EMBEDDING, BIAS = "encoder.embed_tokens.weight", "decoder.output_projection.bias"
SHARED, HUGGING_FACE_BIAS = "model.shared.weight", "final_logits_bias"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
# what one family writes and fairseq's tasks write otherwise
LANGUAGE_CODE = {
    MULTILINGUAL: re.compile(r"[a-z]{3}_[A-Z][a-z]{3}"),
    MBART: re.compile(r"[a-z]{2,3}_[A-Z]{2}"),
}


class TranslationFamily(Family):
    """Encoder-decoders whose embeddings are all one matrix."""

    takes_instructions = True
    normalize_before = True
    learned_positions = False
    required: Mapping[str, Sequence] = {
        "tie_word_embeddings": (True,),
        "share_encoder_decoder_embeddings": (True,),
        "quantization_config": (None,),
        "auto_map": (None,),
    }
    activations: Tuple[str, ...] = ("relu", "gelu")
    subword_files: Tuple[str, ...] = ("sentencepiece.bpe.model",)

    @classmethod
    def read(
        cls, folder: Path, config: dict, tokens: Mapping[str, Optional[str]]
    ) -> TranslationFamily:
        chosen = sorted(role for role, token in tokens.items() if token)
        if chosen:
            raise InputError(
                f"--{chosen[0]}-token is for decoder-only models; {folder} is a translation model, "
                "whose special tokens are known"
            )
        for name in cls.subword_files:
            if not (folder / name).is_file():
                raise InputError(
                    f"{folder / name} does not exist; the folder that was published has it, "
                    "download it there"
                )
        family = cls(cls._settings(config, folder), cls._vocabulary(folder, config))
        family.language_tokens = cls._language_tokens(folder, config)
        return family

    @classmethod
    def _language_tokens(cls, folder: Path, config: dict) -> Optional[LanguageTokens]:
        return PRESETS["m2m"]

    @classmethod
    def of_checkpoint(cls, state: dict, origin, tokenizer: Path, config: dict) -> TranslationFamily:
        own, saved = cls._settings(config, tokenizer), settings_of(state, "model")
        if (own["arch"] == "marian") != (saved.get("arch") == "marian"):
            raise InputError(
                f"{origin} holds a model of the architecture {saved.get('arch')}, {tokenizer} is "
                f"of {own['arch']}"
            )
        differing = differences(own, saved)
        if differing or SOURCE_EMBEDDING not in state["model"]:
            raise InputError(
                f"{origin} is another model than {tokenizer} belongs to: it has "
                f"{', '.join(differing[:5]) or 'no source embedding'}"
            )
        return cls(own, Vocabulary.load(tokenizer))

    @classmethod
    def _settings(cls, config: dict, folder: Path) -> Dict[str, Any]:
        """Options of fairseq's model for a configuration."""

        def get(key: str, default: Any = None) -> Any:
            value = config.get(key, default)
            if value is None:
                raise InputError(f"{origin}: {key} is missing")
            return value

        origin = folder / CONFIG_FILE
        require(config, {**cls.required, "activation_function": cls.activations}, origin)
        settings: Dict[str, Any] = {
            "arch": "transformer",
            "activation_fn": get("activation_function"),
            "share_all_embeddings": True,
            "share_decoder_input_output_embed": True,
            "no_scale_embedding": not get("scale_embedding", False),
            "layernorm_embedding": cls.learned_positions,
            "decoder_input_dim": get("d_model"),
            "decoder_output_dim": get("d_model"),
            "max_source_positions": get("max_position_embeddings"),
            "max_target_positions": get("max_position_embeddings"),
            "dropout": config.get("dropout", 0.1),
            "attention_dropout": config.get("attention_dropout", 0.0),
            "activation_dropout": config.get("activation_dropout", 0.0),
        }
        for side in ("encoder", "decoder"):
            settings[f"{side}_embed_dim"] = get("d_model")
            settings[f"{side}_ffn_embed_dim"] = get(f"{side}_ffn_dim")
            settings[f"{side}_layers"] = get(f"{side}_layers")
            settings[f"{side}_attention_heads"] = get(f"{side}_attention_heads")
            settings[f"{side}_normalize_before"] = cls.normalize_before
            settings[f"{side}_learned_pos"] = cls.learned_positions
        return settings

    @classmethod
    def _vocabulary(cls, folder: Path, config: dict) -> Vocabulary:
        pieces = read_pieces(folder)
        found = tuple(pieces.get(i) for i in range(4))
        if found != SPECIAL:
            raise InputError(
                f"{folder}: ids 0 to 3 are {', '.join(map(str, found))}, expected "
                f"{', '.join(SPECIAL)}"
            )
        return Vocabulary(0, 1, 2, 3, rows_for(pieces, config, folder))

    def dictionary_entries(self, folder: Path) -> List[str]:
        """Pieces, with language tokens as fairseq's tasks write them.

        Rows that no token has, and tokens with a line break, are `madeupword` and a number.
        """
        pieces, tokens = read_pieces(folder), self.language_tokens
        entries = []
        code = LANGUAGE_CODE.get(tokens.style) if tokens else None
        for number in self.vocabulary.order[4:]:
            piece = pieces.get(number, "")
            if tokens and code and code.fullmatch(piece):
                piece = tokens.token(piece)
            spelled = piece and piece.split() == [piece]
            entries.append(piece if spelled else f"madeupword{number:04d}")
        return entries

    def name(self, key: str) -> str:
        return SHARED if key == SOURCE_EMBEDDING else f"model.{key}"

    def tied_to(self, key: str) -> Optional[str]:
        return SOURCE_EMBEDDING if key in (EMBEDDING, PROJECTION) else None

    def is_optional(self, name: str) -> bool:
        """Copies of the shared matrix, and tables that are computed."""
        copies = (f"model.{SOURCE_EMBEDDING}", f"model.{EMBEDDING}", "lm_head.weight")
        table = re.search(r"embed_positions\.weights?$", name) and not self.learned_positions
        return name in copies or bool(table)

    def write_tokenizer(self, folder: Path, inventory: Inventory) -> None:
        """Symbols of the instructions become added special tokens, which no output has."""
        ids = [self.vocabulary.size + place for place in range(len(inventory.symbols))]
        added = {
            str(number): {
                "content": symbol, "special": True, "normalized": False, "lstrip": True,
                "rstrip": True, "single_word": False,
            }
            for number, symbol in zip(ids, inventory.symbols)
        }  # fmt: skip
        _edit(folder / TOKENIZER_CONFIG_FILE, "added_tokens_decoder", added)
        if (folder / TOKENIZER_FILE).is_file():
            content = read_object(folder / TOKENIZER_FILE)
            content["added_tokens"] += [{"id": int(i), **token} for i, token in added.items()]
            (folder / TOKENIZER_FILE).write_text(
                json.dumps(content, ensure_ascii=False), encoding="utf-8"
            )
        _edit(folder / "generation_config.json", "suppress_tokens", ids)


def _edit(path: Path, key: str, value) -> None:
    """Add to a map or a list in a JSON file, which is made where it is missing."""
    content = read_object(path, optional=True)
    old = content.get(key) or type(value)()
    content[key] = {**old, **value} if isinstance(value, dict) else [*old, *value]
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_pieces(folder: Path) -> Dict[int, str]:
    """Tokens of a folder by their ids: of `tokenizer.json`, else of `vocab.json` and what is added.

    Raises:
        InputError: if there is neither.
    """
    if (folder / TOKENIZER_FILE).is_file():
        tokenizer = load_tokenizer(folder)
        return {i: piece for piece, i in tokenizer.get_vocab(with_added_tokens=True).items()}
    pieces = {i: piece for piece, i in read_object(folder / "vocab.json").items()}
    named: List[str] = []
    for file in ("special_tokens_map.json", TOKENIZER_CONFIG_FILE):
        content = read_object(folder / file, optional=True)
        for number, token in (content.get("added_tokens_decoder") or {}).items():
            pieces[int(number)] = token["content"]
        tokens = content.get("additional_special_tokens") or content.get("extra_special_tokens")
        named = named or [t["content"] if isinstance(t, dict) else t for t in tokens or []]
    added = read_object(folder / "added_tokens.json", optional=True)
    pieces.update({i: token for token, i in added.items()})
    known = set(pieces.values())
    first = max(pieces) + 1
    pieces.update(enumerate((token for token in named if token not in known), start=first))
    return pieces


class M2M100Family(TranslationFamily):
    """M2M-100, and NLLB without experts."""

    architectures = ("M2M100ForConditionalGeneration",)


class MBartFamily(TranslationFamily):
    """mBART-50, and mBART-25 where the tokenizer is no `MBart50Tokenizer`."""

    architectures = ("MBartForConditionalGeneration",)
    learned_positions = True

    @classmethod
    def _language_tokens(cls, folder: Path, config: dict) -> Optional[LanguageTokens]:
        settings = read_object(folder / TOKENIZER_CONFIG_FILE, optional=True)
        named = settings.get("tokenizer_class") or config.get("tokenizer_class") or ""
        return PRESETS["mbart50" if named.startswith("MBart50Tokenizer") else "mbart25"]

    def is_optional(self, name: str) -> bool:
        return name == HUGGING_FACE_BIAS or super().is_optional(name)

    def further_parameters(self) -> Dict[str, torch.Tensor]:
        return {HUGGING_FACE_BIAS: torch.zeros(1, self.vocabulary.size + self.n_instructions)}


class MarianFamily(TranslationFamily):
    """OPUS-MT.

    The row of `<pad>`, with which Marian's decoder begins, is also fairseq's `<s>`.
    """

    architectures = ("MarianMTModel",)
    normalize_before = False
    activations = ("swish", "relu", "gelu")
    subword_files = ("source.spm", "target.spm")
    required = {
        **TranslationFamily.required,
        "normalize_before": (False,),
        "normalize_embedding": (False,),
        "add_final_layer_norm": (False,),
        "static_position_embeddings": (True,),
    }

    @classmethod
    def _language_tokens(cls, folder: Path, config: dict) -> Optional[LanguageTokens]:
        # models of several target languages have tokens such as `>>deu<<`
        several = PRESETS[MARIAN].languages([*read_pieces(folder).values()])
        return PRESETS[MARIAN] if several else None

    @classmethod
    def _settings(cls, config: dict, folder: Path) -> Dict[str, Any]:
        start = {"decoder_start_token_id": config.get("decoder_start_token_id")}
        pad = {"decoder_start_token_id": (config.get("pad_token_id"),)}
        require(start, pad, folder / CONFIG_FILE)
        return {**super()._settings(config, folder), "arch": "marian"}

    @classmethod
    def _vocabulary(cls, folder: Path, config: dict) -> Vocabulary:
        pieces = read_pieces(folder)
        ids = {piece: number for number, piece in pieces.items()}
        try:
            pad, eos, unk = (ids[token] for token in ("<pad>", "</s>", "<unk>"))
        except KeyError as missing:
            raise InputError(f"{folder}/vocab.json has no token {missing}") from None
        return Vocabulary(pad, pad, eos, unk, rows_for(pieces, config, folder))

    def name(self, key: str) -> str:
        return HUGGING_FACE_BIAS if key == BIAS else super().name(key)

    def hugging_face_shape(self, key: str, shape: torch.Size) -> torch.Size:
        if key == BIAS:
            return torch.Size((1, self.vocabulary.size + self.n_instructions))
        return super().hugging_face_shape(key, shape)

    def to_fairseq(self, key: str, tensor: torch.Tensor) -> torch.Tensor:
        if key != BIAS:
            return super().to_fairseq(key, tensor)
        bias = tensor[0].index_select(0, self._order)
        bias[0] = RULED_OUT  # of <s>
        return bias

    def to_hugging_face(self, key: str, tensor: torch.Tensor) -> torch.Tensor:
        if key != BIAS:
            return super().to_hugging_face(key, tensor)
        # of the two rows of <pad>, <s> alone has learnt; its bias is the other's
        order = torch.where(self._back.eq(0), torch.ones_like(self._back), self._back)
        bias = tensor.index_select(0, order)
        return torch.cat((bias, bias.new_full((self.n_instructions,), RULED_OUT)))[None]
