"""Loading whichever model a user names: a fairseq checkpoint, or an exported folder."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from fairseq_instr.errors import InputError
from fairseq_instr.serving.folder import MODEL_FILE, SUBWORDS_FILE

PACKAGE = Path(__file__).resolve().parents[1]
DEFAULT_MODELS = (PACKAGE.parent / "models" / "en-de-instruct", PACKAGE / "models")
"""Exported folders that may come with a checkout, and with an installed package."""


def default_model(option: str = "--model") -> Path:
    """Folder of the model that comes with fairseq_instr; an `InputError` if none came with it."""
    for folder in DEFAULT_MODELS:
        if (folder / MODEL_FILE).is_file():
            return folder
    raise InputError(
        f"no model comes with this installation; give {option} a checkpoint, or a folder that "
        "`fairseq-instr export` wrote"
    )


def load_translator(
    model=None,
    data=None,
    subwords=None,
    source: Optional[str] = None,
    target: Optional[str] = None,
    beam: int = 4,
    option: str = "--model",
    **options,
):
    """A `Translator` or a `CTranslate2Translator`, as the model asks for.

    Args:
        model: fairseq checkpoint, or exported folder; None for `default_model`.
        data: data-bin, for a checkpoint.
        subwords: of a checkpoint, as `load_subwords` takes them.
        source: source language; None for the model's, and so is `target`.
        option: how the user names the model, for errors.
        **options: of the task, for a checkpoint.

    Raises:
        InputError: if the model can't be loaded, or lacks its data-bin.
    """
    path = default_model(option) if model is None else Path(model)
    if path.is_dir():
        from fairseq_instr.serving.translator import CTranslate2Translator

        if subwords and not (path / SUBWORDS_FILE).exists():
            raise InputError(
                f"--subwords {subwords}: {path} was exported without subwords; export the model "
                "again with --subwords"
            )
        return CTranslate2Translator.from_pretrained(path, source=source, target=target, beam=beam)
    if not path.exists():
        raise InputError(f"{option} {path} does not exist")
    if data is None:
        raise InputError(f"{option} {path} is a checkpoint; give its data-bin by --data")
    from fairseq_instr.generation.translator import Translator

    return Translator.from_pretrained(path, data, subwords, source, target, beam=beam, **options)
