"""What differs between families of Hugging Face models when they are converted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import torch

from fairseq_instr.checkpoints.hugging_face_vocabulary import Vocabulary
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.prompts.language_tokens import LanguageTokens

EMBEDDING, PROJECTION = "decoder.embed_tokens.weight", "decoder.output_projection.weight"


def require(config: Mapping[str, Any], accepted: Mapping[str, Sequence], origin) -> None:
    """Refuse a `config.json` that says what a model here can't be.

    Args:
        config: its content.
        accepted: supported values of some of its keys; one that is missing is supported.
        origin: path of the file, for the error.

    Raises:
        InputError: names the key.
    """
    for key, values in accepted.items():
        if key in config and config[key] not in values:
            raise InputError(
                f"{origin}: {key} {config[key]!r:.80} is not supported; convert a model whose "
                f"{key} is {' or '.join(map(str, values))}"
            )


class Family:
    """One model in its two formats: settings, names of parameters, rows of the vocabulary.

    Attributes:
        settings: of fairseq's model, with `arch`.
        vocabulary: which row each dictionary id has.
        takes_instructions: whether a model with symbols for instructions can be written.
        n_instructions: how many of them the model that is written has.
    """

    architectures: Tuple[str, ...] = ()  # of Hugging Face, that the family serves
    takes_instructions = False
    n_instructions = 0
    # how prompts say languages; None where a model has no tokens for them
    language_tokens: Optional[LanguageTokens] = None

    def __init__(self, settings: Dict[str, Any], vocabulary: Vocabulary):
        self.settings = settings
        self.vocabulary = vocabulary
        self._order = torch.tensor(vocabulary.order)
        first = {row: place for place, row in reversed([*enumerate(vocabulary.order)])}
        self._back = torch.tensor([first[row] for row in range(vocabulary.size)])

    @classmethod
    def read(cls, folder: Path, config: dict, tokens: Mapping[str, Optional[str]]) -> Family:
        """The family's model in a folder, by its `config.json` and the tokens chosen for roles.

        Raises:
            InputError: if something is missing or not supported.
        """
        raise NotImplementedError

    @classmethod
    def of_checkpoint(cls, state: dict, origin, tokenizer: Path, config: dict) -> Family:
        """The family's model in a fairseq checkpoint.

        Args:
            origin: path of the checkpoint, for errors.
            tokenizer: folder that the conversion to fairseq wrote.
            config: its `config.json`, empty where there is none.

        Raises:
            InputError: if the checkpoint is of another model.
        """
        raise NotImplementedError

    def dictionary_entries(self, folder: Path) -> List[str]:
        """Entries of fairseq's dictionary behind the first four."""
        raise NotImplementedError

    def configuration(self, config: dict) -> dict:
        """`config.json` of the model, by what the conversion to fairseq kept of it."""
        return dict(config)

    def name(self, key: str) -> str:
        """Hugging Face's name of a parameter."""
        raise NotImplementedError

    def tied_to(self, key: str) -> Optional[str]:
        """The parameter that is the same tensor as this one, if Hugging Face saves one of them."""
        raise NotImplementedError

    def is_optional(self, name: str) -> bool:
        """Whether a folder may have a parameter that fairseq has not."""
        raise NotImplementedError

    def has_rows(self, key: str) -> bool:
        """Whether a parameter has a row for each token."""
        return key.endswith(("embed_tokens.weight", "output_projection.weight"))

    def hugging_face_shape(self, key: str, shape: torch.Size) -> torch.Size:
        """Shape of a parameter in a folder, by its shape in a checkpoint."""
        if self.has_rows(key):
            return torch.Size((self.vocabulary.size + shape[0] - len(self._order), *shape[1:]))
        return shape

    def to_fairseq(self, key: str, tensor: torch.Tensor) -> torch.Tensor:
        """A parameter of a folder as fairseq has it."""
        return tensor.index_select(0, self._order) if self.has_rows(key) else tensor

    def to_hugging_face(self, key: str, tensor: torch.Tensor) -> torch.Tensor:
        """A parameter of a checkpoint as Hugging Face has it, rows of instructions at its end."""
        if not self.has_rows(key):
            return tensor
        own = tensor[: len(self._order)].index_select(0, self._back)
        return torch.cat((own, tensor[len(self._order) :]))

    def further_parameters(self) -> Dict[str, torch.Tensor]:
        """Parameters of a folder that fairseq has not, by their names."""
        return {}

    def write_tokenizer(self, folder: Path, inventory: Inventory) -> None:
        """Change a copied tokenizer so that it knows the instructions."""
