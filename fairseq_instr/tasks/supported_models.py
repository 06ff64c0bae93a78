"""Which models can take instructions: what others would do wrong is refused when they are built."""

from __future__ import annotations

from typing import Any

from fairseq.models import ARCH_MODEL_REGISTRY, MODEL_REGISTRY, FairseqEncoderDecoderModel
from fairseq.models.nat import FairseqNATModel

from fairseq_instr.errors import InputError

ACCEPTED = "give an encoder-decoder such as --arch transformer, or a decoder-only one of ours"


def refuse_architecture(cfg) -> None:
    """Refuse a kind of model before it is built.

    Raises:
        InputError: if it is no encoder-decoder that writes from left to right.
    """
    name = getattr(cfg, "arch", None) or getattr(cfg, "_name", None)
    kind = ARCH_MODEL_REGISTRY.get(name) or MODEL_REGISTRY.get(name)
    if kind is None:
        return
    if issubclass(kind, FairseqNATModel):
        raise InputError(
            f"--arch {name} is not autoregressive, and can't be trained here; {ACCEPTED}"
        )
    if not issubclass(kind, FairseqEncoderDecoderModel):
        raise InputError(f"--arch {name} has no encoder and decoder of its own; {ACCEPTED}")


def refuse_model(model, name: str, n_source: int, n_target: int, on_decoder: bool) -> None:
    """Refuse a model whose vocabulary can't have instructions on one side alone.

    Args:
        model: just built, for the grown source dictionary.
        n_source: size of the source dictionary, instructions included.
        n_target: size of the target dictionary.
        on_decoder: whether the decoder reads the instructions.

    Raises:
        InputError: if the decoder can't read them, or would write them.
    """
    decoder: Any = model.decoder
    rows = getattr(getattr(decoder, "embed_tokens", None), "num_embeddings", n_target)
    if on_decoder and rows < n_source:
        raise InputError(
            "--prompt-placement decoder-prefix: the decoder's embeddings have no rows for "
            "instructions; share them with the encoder's by --share-all-embeddings, or give "
            "--prompt-placement source-prefix"
        )
    if rows > n_target and getattr(decoder, "output_projection", None) is None:
        raise InputError(
            f"--share-all-embeddings: --arch {name} would write instructions, as its output is "
            "scored by all embeddings; leave the option out, or give --arch transformer"
        )
