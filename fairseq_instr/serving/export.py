"""Export of an encoder-decoder to a CTranslate2 folder, its instructions included.

The model is loaded as for generation, and its layers are handed to CTranslate2's own functions.
The encoder's vocabulary ends in the instructions' rows; the target's has none, or, where the
decoder reads the prompt, the output's bias rules them out: no instruction can be generated.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np

from fairseq_instr.checkpoints.parameters import FUSED_LAYER_COPY
from fairseq_instr.errors import InputError
from fairseq_instr.files import atomic_folder, refuse_to_overwrite
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions.inventory import INVENTORY_FILE
from fairseq_instr.prompts.language_tokens import IN_FRONT
from fairseq_instr.prompts.native import NativePrompt
from fairseq_instr.prompts.tokens import TokenPrompt
from fairseq_instr.serving import folder as layout
from fairseq_instr.serving.folder import QUANTIZATIONS, Settings, find_repeated
from fairseq_instr.serving.quantization import quantize_spec

OWN_INT8 = ("int8", "int8_float32")
"""Rounded here and not by CTranslate2, whose int8 overflows on many processors."""
RULED_OUT = -1e4
"""Added to the logit of what must not be generated; exp of it is 0 in all number formats."""
MAX_POSITIONS = 4096

# what CTranslate2's transformer has a place for; a model with more would change in silence
_WEIGHT = r"\.(weight|bias)"
_LAYER = (
    rf"(self_attn|encoder_attn)\.(q|k|v|out)_proj{_WEIGHT}|\w+_layer_norm{_WEIGHT}|fc[12]{_WEIGHT}"
)
_CONVERTED = re.compile(
    rf"(encoder|decoder)\.((embed_tokens|embed_positions)\.weight|layers\.\d+\.({_LAYER})"
    rf"|(layer_norm|layernorm_embedding){_WEIGHT})|decoder\.output_projection{_WEIGHT}"
)


def export_ctranslate2(
    checkpoint,
    data,
    output,
    subwords=None,
    source=None,
    target=None,
    quantization: str = "float32",
    force: bool = False,
) -> None:
    """Write a folder that `CTranslate2Translator` loads.

    Args:
        checkpoint: tuned or base encoder-decoder.
        data: data-bin with the dictionaries and the inventory.
        subwords: as for `load_subwords`, copied into the folder; None if lines come in pieces.
        source: source language; None to take the checkpoint's, and so is `target`.
        quantization: of the weights, one of `QUANTIZATIONS`.

    Raises:
        InputError: if something is missing, refused, or not supported by CTranslate2, or if the
            output exists and is no earlier export or `force` is not set.
    """
    if quantization not in QUANTIZATIONS:
        raise InputError(
            f"--quantization {quantization!r} is not accepted; choose {', '.join(QUANTIZATIONS)}"
        )
    refuse_to_overwrite(output, force)
    try:
        import ctranslate2.converters.fairseq  # noqa: F401
    except ImportError:
        raise InputError("CTranslate2 is not installed; run: pip install ctranslate2") from None
    # --max-len-a and the beam are given when lines are translated
    loaded = Translator.from_pretrained(checkpoint, data, subwords, source, target)
    task = loaded.task
    prompt, tokens = task.prompt, task.language_tokens
    if isinstance(prompt, NativePrompt):
        prompt = prompt.others
        if tokens.decoder and tokens.place != IN_FRONT:
            raise InputError(
                f"{checkpoint}: language tokens that begin the decoder, as mBART-25 has them, are "
                "not exported"
            )
    if not isinstance(prompt, TokenPrompt):
        raise InputError(
            "--prompt-template: a prompt in words is not exported, prompts of symbols are"
        )
    spec = make_spec(loaded.models[0], task, prompt.on_decoder, checkpoint)
    positions = (len(side.position_encodings.encodings) for side in (spec.encoder, spec.decoder))
    max_source, max_target = map(min, task.max_positions(), positions)
    settings = Settings(
        placement=prompt.placement,
        source=task.cfg.source_lang,
        target=task.cfg.target_lang,
        direction=task.directions.given,
        max_source=max_source,
        max_target=max_target,
        rendering=task.inventory.rendering,
        learned=loaded.n_learned,
        language_tokens=None if tokens is None else [*tokens],
        sources=loaded.source_languages(),
    )
    try:
        spec.validate()
        if quantization in OWN_INT8:
            spec.optimize(quantization="float32")
            quantize_spec(spec)
        else:
            spec.optimize(quantization=quantization)
    except ValueError as error:
        raise InputError(f"{checkpoint} can't be exported: {error}") from None
    with atomic_folder(output, force, marker=layout.MODEL_FILE) as folder:
        spec.save(str(folder))
        settings.save(folder)
        task.inventory.save(folder / INVENTORY_FILE)
        if subwords is not None:
            copy = shutil.copytree if Path(subwords).is_dir() else shutil.copyfile
            copy(subwords, folder / layout.SUBWORDS_FILE)


def make_spec(model, task, reads_prompt: bool, origin):
    """CTranslate2's description of a `transformer` that a task has loaded.

    Args:
        reads_prompt: whether the decoder reads instructions.
        origin: the checkpoint, for errors.

    Raises:
        InputError: if CTranslate2 has no such model.
    """
    from ctranslate2.converters.fairseq import set_transformer_decoder, set_transformer_encoder
    from ctranslate2.specs import transformer_spec

    cfg = _check_supported(model, origin)
    model = model.cpu().float().eval().requires_grad_(False)
    activation = _activation(cfg, origin)
    encoder, decoder = (
        kind(
            len(side.layers),
            side.layers[0].self_attn.num_heads,
            pre_norm=own.normalize_before,
            no_final_norm=side.layer_norm is None,
            activation=activation,
            layernorm_embedding=cfg.layernorm_embedding,
        )
        for kind, side, own in (
            (transformer_spec.TransformerEncoderSpec, model.encoder, cfg.encoder),
            (transformer_spec.TransformerDecoderSpec, model.decoder, cfg.decoder),
        )
    )
    spec = transformer_spec.TransformerSpec(encoder, decoder)
    set_transformer_encoder(encoder, model.encoder)
    set_transformer_decoder(decoder, model.decoder)
    for side in (spec.encoder, spec.decoder):
        # fairseq makes more positions when it needs them; here they are all there are
        encodings = side.position_encodings.encodings[:MAX_POSITIONS]
        side.position_encodings.encodings = np.ascontiguousarray(encodings)
    _restrict_output(spec.decoder, len(task.tgt_dict), reads_prompt)
    of_target = task.src_dict if reads_prompt else task.tgt_dict
    symbols = {"source": task.src_dict.symbols, "target": of_target.symbols}
    for side, tokens in symbols.items():
        repeated = find_repeated(tokens)
        if repeated is not None:
            raise InputError(f"{origin}: the {side} dictionary has {repeated!r:.80} twice")
    spec.register_source_vocabulary(list(symbols["source"]))
    spec.register_target_vocabulary(list(symbols["target"]))
    special = task.tgt_dict
    spec.config.unk_token = special.symbols[special.unk()]
    spec.config.bos_token = special.symbols[special.bos()]
    spec.config.eos_token = special.symbols[special.eos()]
    start = getattr(model, "decoder_start", special.eos())
    spec.config.decoder_start_token = special.symbols[start]
    # eos is put there with the prompt: CTranslate2 takes a source of no tokens for no source
    spec.config.add_source_eos = False
    return spec


def _restrict_output(decoder, n_target: int, reads_prompt: bool) -> None:
    """Leave the instructions out of what the decoder can generate."""
    projection = decoder.projection
    if not reads_prompt:
        # a copy: CTranslate2 quantises in place, and the encoder's rows are in the same memory
        weight = projection.weight[:n_target].copy()
        tied = np.shares_memory(projection.weight, decoder.embeddings.weight)
        embedding = weight if tied else decoder.embeddings.weight[:n_target].copy()
        projection.weight, decoder.embeddings.weight = weight, embedding
        return
    n_missing = projection.weight.shape[0] - n_target
    has_bias = isinstance(projection.bias, np.ndarray)
    own = projection.bias if has_bias else np.zeros(n_target, dtype=np.float32)
    projection.bias = np.concatenate((own, np.full(n_missing, RULED_OUT, dtype=np.float32)))


def _check_supported(model, origin):
    """The model's configuration; an `InputError` if it is no transformer of CTranslate2's."""
    from fairseq.models.transformer import TransformerModel, TransformerModelBase

    own = hasattr(model, "decoder_start")  # an architecture of ours that is a transformer
    if type(model) not in (TransformerModel, TransformerModelBase) and not own:
        raise InputError(
            f"{origin} holds a {type(model).__name__}, exported are encoder-decoders of the model "
            "'transformer'; for decoder-only models, convert to a Hugging Face folder first, then "
            "use ct2-transformers-converter"
        )
    cfg = model.cfg
    parameters = [name for name, _ in model.named_parameters()]
    unknown = next((name for name in parameters if not _CONVERTED.fullmatch(name)), None)
    if unknown is not None and not FUSED_LAYER_COPY.fullmatch(unknown):
        raise InputError(
            f"{origin}: its parameter {unknown} has no place in CTranslate2's transformer"
        )
    for option in ("no_token_positional_embeddings", "no_cross_attention", "cross_self_attention"):
        if getattr(cfg, option):
            raise InputError(
                f"{origin}: --{option.replace('_', '-')} has no place in CTranslate2's transformer"
            )
    return cfg


def _activation(cfg, origin):
    from ctranslate2.specs.common_spec import Activation

    known = {
        "relu": Activation.RELU,
        "gelu": Activation.GELU,
        "gelu_accurate": Activation.GELUTanh,
        "gelu_fast": Activation.GELUTanh,
        "swish": Activation.SWISH,
    }
    if cfg.activation_fn not in known:
        raise InputError(
            f"{origin}: --activation-fn {cfg.activation_fn} has no place in CTranslate2's "
            f"transformer; it has {', '.join(known)}"
        )
    return known[cfg.activation_fn]
