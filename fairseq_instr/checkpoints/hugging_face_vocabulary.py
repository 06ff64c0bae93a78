"""The vocabulary of a Hugging Face model as a fairseq dictionary, by a bijection of ids.

fairseq fixes ids 0 to 3 as `<s>`, `<pad>`, `</s>`, `<unk>`; each gets the row of the token that
means the same, or, where the model has no such token, of one that no text is written with. All
others follow in their old order, so that probabilities are the same. Marian's models alone have
one row for `<s>` and `<pad>`, which fairseq has twice.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Collection, Dict, List, Mapping, NamedTuple, Optional

from fairseq_instr.errors import InputError
from fairseq_instr.files import write_atomically
from fairseq_instr.plain_data import read_json
from fairseq_instr.text.hugging_face import load_tokenizer

TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
SPECIAL_IDS_FILE = "special_ids.json"
UNUSED_NAMES = ("reserved", "pad", "unk", "unused")
N_UNUSED_BYTES = 9  # control characters 0 to 8, which no text holds


class Vocabulary(NamedTuple):
    """Ids, as Hugging Face counts them, of what fairseq has at 0 to 3.

    Example: `Vocabulary(bos=1, pad=3, eos=2, unk=0, size=6).order == [1, 3, 2, 0, 4, 5]`.
    """

    bos: int
    pad: int
    eos: int
    unk: int
    size: int

    @property
    def order(self) -> List[int]:
        """Hugging Face's id of each fairseq id."""
        special = self[:4]
        return [*special, *(i for i in range(self.size) if i not in special)]

    def save(self, folder: Path, force: bool = False) -> None:
        """Write `special_ids.json`."""
        text = json.dumps(self._asdict(), indent=2) + "\n"
        write_atomically(Path(folder, SPECIAL_IDS_FILE), text, force)

    @classmethod
    def load(cls, folder: Path) -> "Vocabulary":
        """Read `special_ids.json`.

        Raises:
            InputError: if it is missing, or holds something else than four ids and a size.
        """
        path = Path(folder, SPECIAL_IDS_FILE)
        content = read_object(path)
        try:
            vocabulary = cls(**content)
            alike = vocabulary.bos == vocabulary.pad  # in Marian's models
            correct = len(set(vocabulary[:4])) == 4 - alike and all(
                type(i) is int and 0 <= i < vocabulary.size for i in vocabulary[:4]
            )
        except TypeError:
            correct = False
        if not correct:
            raise InputError(
                f"{path} is not accepted: it holds the ids bos, pad, eos, unk, and the "
                "size; convert the model again"
            )
        return vocabulary


def read_object(path: Path, optional: bool = False) -> dict:
    """An object in a JSON file; an empty one for a file that is missing and optional.

    Raises:
        InputError: if the file is missing or holds something else.
    """
    if optional and not path.is_file():
        return {}
    content = read_json(path, "a Hugging Face folder has it, copy it there")
    if not isinstance(content, dict):
        raise InputError(f"{path} is not accepted: expected a JSON object")
    return content


def find_vocabulary(
    folder: Path, config: dict, tokens: Optional[Mapping[str, Optional[str]]] = None
) -> Vocabulary:
    """Choose the tokens that become `<s>`, `<pad>`, `</s>` and `<unk>`.

    Args:
        folder: with `tokenizer.json`, and `tokenizer_config.json` where there is one.
        config: of the model.
        tokens: those that the user chose for any of `bos`, `pad`, `eos`, `unk`.

    Raises:
        InputError: if the tokenizer has tokens without a row, a chosen token is not in it, it
            is not clear which token ends a text, or there are too few unused tokens.
    """
    tokenizer = load_tokenizer(folder)
    ids = tokenizer.get_vocab(with_added_tokens=True)
    size = rows_for(ids.values(), config, folder)
    named = _named_tokens(folder, tokenizer)
    chosen: Dict[str, int] = {}
    for role in ("eos", "bos", "unk", "pad"):
        asked = (tokens or {}).get(role)
        token = asked or named.get(role)
        if token is not None and token not in ids:
            raise InputError(
                f"{folder}: the token {token!r} for {role} is not in the tokenizer; "
                f"give another with --{role}-token"
            )
        said = config.get(f"{role}_token_id")
        configured = said if isinstance(said, list) else [] if said is None else [said]
        number: Optional[int] = configured[0] if configured else None
        if token is not None:
            number = ids[token]
        if role in ("eos", "bos") and asked is None and number is not None:
            others = [i for i in configured if i != number]
            if token is None and others:
                raise InputError(
                    f"{folder}: the model has several {role} tokens {configured}; choose one with "
                    f"--{role}-token"
                )
            if configured and number not in configured:
                raise InputError(
                    f"{folder}: the {role} token is {token!r} (id {number}) by the tokenizer, "
                    f"{configured} by config.json; choose one with --{role}-token"
                )
        # one token has two roles where the text's end also pads, or begins (Qwen 2): the second
        # role gets an unused token
        if number is not None and number not in chosen.values():
            chosen[role] = number
    if "eos" not in chosen:
        raise InputError(
            f"{folder}: neither the configuration nor the tokenizer says which token ends a text; "
            "name it with --eos-token"
        )
    spares = _unused_ids(tokenizer, ids, size, set(chosen.values()))
    for role in ("bos", "pad", "unk"):
        if role not in chosen:
            if not spares:
                raise InputError(
                    f"{folder}: there is no unused token to stand for {role}; name one that your "
                    f"texts don't need with --{role}-token"
                )
            chosen[role] = spares.pop(0)
    return Vocabulary(size=size, **chosen)


def rows_for(ids: Collection[int], config: dict, folder: Path) -> int:
    """Rows of a model's embeddings, one for each id of the tokenizer at least.

    Raises:
        InputError: if a token has no row.
    """
    size = config.get("vocab_size")
    if not isinstance(size, int) or max(ids) >= size:
        raise InputError(
            f"{folder}: the tokenizer has ids up to {max(ids)}, but the model has embeddings for "
            f"{size} tokens; use the tokenizer that belongs to the model"
        )
    return size


def _named_tokens(folder: Path, tokenizer) -> Dict[str, str]:
    """Tokens that the tokenizer's own files name."""
    named = {}
    settings = read_object(folder / TOKENIZER_CONFIG_FILE, optional=True)
    for role in ("bos", "eos", "pad", "unk"):
        token = settings.get(f"{role}_token")
        if isinstance(token, dict):  # older files write the token with its properties
            token = token.get("content")
        if token:
            named[role] = token
    unk = json.loads(tokenizer.to_str())["model"].get("unk_token")
    if unk:
        named.setdefault("unk", unk)
    return named


def starts_with(tokenizer, token: int) -> bool:
    """Whether a tokenizer puts a token in front of a text."""
    return tokenizer.encode("a").ids[:1] == [token]


def text_in_front(tokenizer, token: int) -> str:
    """What to write for a special token in front of a text, so that the text is spelled as alone.

    Example: `"<s> "` for a tokenizer that puts `▁` before the first word of a whole text only,
    since behind `<s>` no word is the first.
    """
    name, alone = tokenizer.id_to_token(token), tokenizer.encode("a", add_special_tokens=False).ids
    for text in (name, f"{name} "):
        if tokenizer.encode(f"{text}a", add_special_tokens=False).ids == [token, *alone]:
            return text
    return name


def with_end(said, eos: int):
    """`eos_token_id` of a JSON file, with the token that ends texts in training among them."""
    ends = said if isinstance(said, list) else [] if said is None else [said]
    if eos in ends:
        return said
    return [eos, *ends] if ends else eos


def _unused_ids(tokenizer, ids: Dict[str, int], size: int, taken: set) -> List[int]:
    """Ids that no text is encoded with, the best first."""
    beyond = sorted(set(range(size)) - set(ids.values()))
    special = tokenizer.get_added_tokens_decoder().items()
    named = sorted(
        number
        for number, token in special
        if token.special and any(word in token.content.lower() for word in UNUSED_NAMES)
    )
    spelled = [(f"<0x{byte:02X}>", chr(256 + byte)) for byte in range(N_UNUSED_BYTES)]
    control = [ids[token] for pair in spelled for token in pair if token in ids]
    return [i for i in dict.fromkeys((*beyond, *named, *control)) if i not in taken]
