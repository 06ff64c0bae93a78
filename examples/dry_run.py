r"""A training step of a large model without its weights: real shapes on torch's meta device.

    python examples/dry_run.py --arch llama3_8b --vocabulary 128256
    python examples/dry_run.py --arch transformer_wmt_en_de_big --share-all-embeddings \
        --vocabulary 42024 --batch 64 --prompt 40 --target 40 --gpus 1

Builds the architecture, runs a forward and a backward in which no number is computed, and says
what a GPU has to hold. Nothing is allocated but shapes. It takes all options of a model.
"""

import argparse
from types import SimpleNamespace
from typing import Dict

import torch
from fairseq import options
from fairseq.data import Dictionary
from fairseq.models import ARCH_MODEL_REGISTRY, FairseqEncoderDecoderModel
from torch.overrides import TorchFunctionMode

import fairseq_instr.models.marian  # noqa: F401 -- registers it
from fairseq_instr.criterions.unlikelihood import default_chunk_size
from fairseq_instr.errors import InputError
from fairseq_instr.models.decoder_only import DecoderOnlyConfig, DecoderOnlyModel

GB = 1e9
HALF, FULL = 2, 4  # bytes


def build(arch: str, vocabulary: int, *further: str) -> FairseqEncoderDecoderModel:
    """An architecture in bf16 on the meta device.

    Args:
        vocabulary: entries of the dictionary, special ones included.
        *further: options of the model, as of `fairseq-train`.
    """
    if arch not in ARCH_MODEL_REGISTRY:
        raise InputError(f"--arch {arch!r} is not known; such as llama2_7b, llama2_13b, llama3_8b")
    parser = options.get_training_parser()
    args = options.parse_args_and_arch(parser, ["data", "--arch", arch, *further])
    if issubclass(ARCH_MODEL_REGISTRY[arch], DecoderOnlyModel):
        args = DecoderOnlyConfig.from_namespace(args)
    dictionary = Dictionary()
    for number in range(vocabulary - len(dictionary)):
        dictionary.add_symbol(str(number))
    task = SimpleNamespace(source_dictionary=dictionary, target_dictionary=dictionary)
    with torch.device("meta"):
        model = ARCH_MODEL_REGISTRY[arch].build_model(args, task)
    return model.to("meta", torch.bfloat16)


class Padded(TorchFunctionMode):
    """Where a model asks whether there is padding, says yes: there are no numbers to look at."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """As it is, but for the truth of a tensor."""
        if function is torch.Tensor.__bool__ and args[0].is_meta:
            return True
        return function(*args, **(kwargs or {}))


def activations(model: FairseqEncoderDecoderModel, batch: int, prompt: int, target: int) -> int:
    """Bytes that autograd keeps of a step without recomputation; runs forward and backward."""
    kept: Dict[int, torch.UntypedStorage] = {}  # held, so that no other takes its address
    weights = {parameter.untyped_storage()._cdata for parameter in model.parameters()}

    def pack(tensor):
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    with torch.device("meta"):
        src_tokens = torch.zeros(batch, prompt, dtype=torch.long)
        previous = torch.zeros(batch, target, dtype=torch.long)
    with Padded(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        features, _ = model(src_tokens, None, previous, features_only=True)
        features.float().sum().backward()
    without = [key for key, p in model.named_parameters() if p.grad is None]
    assert all(key.startswith("decoder.output_projection.") for key in without), without
    return sum(storage.nbytes() for key, storage in kept.items() if key not in weights)


def memory(
    model: FairseqEncoderDecoderModel, batch: int, prompt: int, target: int, gpus: int
) -> Dict[str, float]:
    """What one of several GPUs holds, in 10^9 bytes, with `--memory-efficient-bf16`.

    bf16 weights and gradients everywhere; the two fp32 states of Adam are spread over the GPUs
    (`--zero-sharding os`). With `--checkpoint-activations`, what each layer reads is kept and one
    layer at a time is recomputed; with `--fused-loss`, a chunk of scores and the projection's
    gradient in fp32 are held instead of tokens x vocabulary.
    """
    decoder = model.decoder
    n = sum(parameter.numel() for parameter in model.parameters())
    inner = getattr(model.encoder, "layers", ())
    # a decoder-only model reads the prompt in the same layers
    lengths = [prompt] * len(inner) + [target if inner else prompt + target] * len(decoder.layers)
    projection = decoder.output_projection
    everything = activations(model, batch, prompt, target)
    chunk = default_chunk_size(projection.out_features)
    held = {
        "weights": HALF * n,
        "gradients": HALF * n,
        "states of Adam": 2 * FULL * n / gpus,
        "activations": HALF * batch * sum(lengths) * projection.in_features
        + everything / len(lengths),
        "fused loss": FULL * projection.weight.numel() + 2 * FULL * chunk * projection.out_features,
    }
    held["together"] = sum(held.values())
    scores = (HALF + 2 * FULL) * batch * target * projection.out_features
    held["activations without recomputation"] = everything
    held["scores without the fused loss"] = scores
    resident = held["weights"] + held["gradients"] + held["states of Adam"]
    held["together without both"] = resident + everything + scores
    return {name: size / GB for name, size in held.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arch", default="llama3_8b")
    parser.add_argument("--vocabulary", type=int, default=128256)
    parser.add_argument("--batch", type=int, default=4, help="rows, conflicts included")
    parser.add_argument("--prompt", type=int, default=256, help="tokens of the longest prompt")
    parser.add_argument("--target", type=int, default=128, help="tokens of the longest target")
    parser.add_argument("--gpus", type=int, default=8)
    args, further = parser.parse_known_args()
    model = build(args.arch, args.vocabulary, *further)
    n = sum(parameter.numel() for parameter in model.parameters())
    print(f"{args.arch}: {n:,} parameters")
    for name, size in memory(model, args.batch, args.prompt, args.target, args.gpus).items():
        print(f"{name:36} {size:8.2f} GB")


if __name__ == "__main__":
    main()
