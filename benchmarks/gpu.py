"""What the project does on a GPU: is it right, is it fast; every part under its own time limit.

    sh benchmarks/gpu_wheels.sh wheels                         # where there is a network
    python benchmarks/gpu.py --output gpu --wheels wheels      # gpu/gpu.json and gpu/gpu.md
    python benchmarks/gpu.py --output gpu --tiny               # the same on a CPU, in minutes

With `--wheels`, packages that are missing are installed into `gpu/site`, for this program alone.
A part runs in a process of its own. One that fails, is out of memory or out of time says so in
the table, and the others go on. With `--record` the figures join `results.json` under `gpu`.

Times are wall seconds between synchronisations, ways taken in turn, the median of the turns.
Peaks are torch's own `max_memory_allocated` over what the inputs take. The utilisation of the GPU
(MFU) counts 6 operations a parameter and token, of the peak that `--peak-tflops` names.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
import traceback
from functools import partial
from pathlib import Path
from typing import Callable, Dict, NamedTuple, Tuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import torch  # noqa: E402
from commands import binarise, call, load_plugin, outputs, write_lines  # noqa: E402
from record import record, take_turns  # noqa: E402

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PAD, EPSILON = 1, 0.1
OTHERS = {
    "torch": ("torch.nn.functional", "linear_cross_entropy"),  # from 2.13 on
    "liger": ("liger_kernel.transformers.functional", "liger_fused_linear_cross_entropy"),
    "cut_cross_entropy": ("cut_cross_entropy", "linear_cross_entropy"),
}
"""Other fused losses, of hidden states, weight and target: module and name."""


class Sizes(NamedTuple):
    """How much each part does.

    Attributes:
        shapes: random shapes that the loss is checked on.
        losses: (tokens, vocabulary, width) that the loss is timed at.
        step: (layers, width, ffn, heads, vocabulary, sentences) of a Transformer-big step.
        decoder_only: (layers, width, ffn, heads, vocabulary, prompt, target, sentences).
        lines: lines that are translated.
        updates: updates of each training.
        turns: measurements of each way.
    """

    shapes: int = 200
    losses: tuple = (
        (4096, 32768, 1024), (4096, 131072, 2048), (16384, 32768, 1024),
        (16384, 131072, 2048), (16384, 131072, 4096),
    )  # fmt: skip
    step: tuple = (6, 1024, 4096, 16, 32768, 256)
    decoder_only: tuple = (16, 2048, 5632, 16, 32000, 100, 30, 32)
    lines: int = 200
    updates: int = 20
    turns: int = 10


TINY = Sizes(
    shapes=10,
    losses=((64, 512, 32),),
    step=(1, 32, 64, 2, 512, 16),
    decoder_only=(1, 32, 64, 2, 512, 20, 6, 4),
    lines=8,
    updates=4,
    turns=2,
)


# -- measuring --------------------------------------------------------------------------------


def synchronise() -> None:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def now() -> float:
    """Wall seconds when the GPU has done its work."""
    synchronise()
    return time.perf_counter()


def medians(ways: Dict[str, Callable], turns: int) -> Dict[str, float]:
    """Median wall seconds of each way."""
    times = take_turns(ways, turns, clock=now)
    return {name: statistics.median(spent) for name, spent in times.items()}


def peak_mebibytes(run: Callable) -> float:
    """Memory that one call takes at most over what was there, in MiB; 0 on a CPU."""
    if DEVICE.type != "cuda":
        run()
        return 0.0
    synchronise()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    synchronise()
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def rounded(figures: dict) -> dict:
    """Numbers with four digits; what says why a figure is missing stays as it is."""
    return {
        name: value if isinstance(value, str) else float(f"{value:.4g}")
        for name, value in figures.items()
    }


def others_losses() -> Tuple[Dict[str, Callable], Dict[str, str]]:
    """Other fused losses, of hidden states, weight and target; and why one is left out."""
    ways, missing = {}, {}
    for name, (module, function) in OTHERS.items():
        try:
            loss = getattr(importlib.import_module(module), function)
        except Exception as error:  # one looks for a GPU when it is imported
            missing[f"skipped_{name}"] = f"{type(error).__name__}: {error}"
        else:
            ways[name] = partial(loss, reduction="sum")
    return ways, missing


# -- is it right? -------------------------------------------------------------------------------


def loss_is_right(sizes: Sizes) -> dict:
    """Largest relative error of loss and gradients to fp64, in each precision."""
    from fairseq_instr.criterions.unlikelihood import fused_loss, unlikelihood_loss

    def reference(hidden, weight, target, conflict):
        lprobs = torch.log_softmax(hidden @ weight.t(), -1)
        own = lprobs.gather(1, target[:, None])[:, 0]
        smooth = EPSILON / (len(weight) - 1)
        nll = -(1 - EPSILON - smooth) * own - smooth * lprobs.sum(1)
        return nll[~conflict].sum() - torch.log1p(-own.exp())[conflict].sum()

    def relative(found, expected):
        scale = expected.double().abs().max().clamp(min=1e-30)
        return float((found.double() - expected.double()).abs().max() / scale)

    generator = torch.Generator().manual_seed(0)

    def draw(low, high):
        return int(torch.randint(low, high, (1,), generator=generator))

    worst = {}
    for _ in range(sizes.shapes):
        tokens, vocab, width = draw(1, 300), draw(8, 3000), 8 * draw(1, 33)
        inputs = torch.randn(tokens, width, generator=generator, dtype=torch.float64)
        matrix = torch.randn(vocab, width, generator=generator, dtype=torch.float64) * width**-0.5
        target = torch.randint(4, vocab, (tokens,), generator=generator).to(DEVICE)
        conflict = (torch.rand(tokens, generator=generator) < 0.5).to(DEVICE)
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            hidden = inputs.to(DEVICE, dtype).requires_grad_()
            weight = matrix.to(DEVICE, dtype).requires_grad_()
            exact = [tensor.detach().double().requires_grad_() for tensor in (hidden, weight)]
            expected = reference(*exact, target, conflict)
            expected.backward()
            found = fused_loss(hidden, weight, target, conflict, EPSILON, 1.0, PAD).loss
            found.backward()
            pairs = {
                "loss": (found, expected),
                "gradient": (hidden.grad, exact[0].grad),
                "weight_gradient": (weight.grad, exact[1].grad),
            }
            if conflict.any():
                logits = (hidden @ weight.t()).detach()[conflict]
                own = torch.log_softmax(logits.double(), -1).gather(1, target[conflict][:, None])
                pairs["unfused"] = (
                    unlikelihood_loss(logits, target[conflict], PAD)[0],
                    -torch.log1p(-own.exp()).sum(),
                )
            for name, pair in pairs.items():
                key = f"{name}_error_{str(dtype)[6:]}"
                worst[key] = max(worst.get(key, 0.0), relative(*pair))
    return rounded(worst)


def trained(sizes: Sizes, work: Path, precision: str, updates: int, *more) -> Path:
    """Train with conflicts on the sample corpus in one precision; the last checkpoint."""
    folder = work / f"trained{precision}-{updates}"
    load_plugin()
    call(
        "train", work / "data-bin", "--user-dir", HERE.parent / "fairseq_instr",
        "--task", "translation_with_instructions", "--arch", "transformer",
        "--encoder-layers", 2, "--decoder-layers", 2, "--encoder-embed-dim", 128,
        "--decoder-embed-dim", 128, "--encoder-ffn-embed-dim", 256, "--decoder-ffn-embed-dim", 256,
        "--encoder-attention-heads", 4, "--decoder-attention-heads", 4, "--share-all-embeddings",
        "--criterion", "label_smoothed_cross_entropy_with_unlikelihood", "--label-smoothing", 0.1,
        "--unlikelihood-weight", 0.5, "--conflict-axes", "target-language", "--fused-loss",
        "--lang-pairs", "en-de,de-en,en-fr,fr-en", "--optimizer", "adam", "--lr", 1e-3,
        "--max-tokens", 4096, "--max-update", updates, "--save-dir", folder, "--seed", 1,
        "--no-epoch-checkpoints", "--disable-validation", "--no-progress-bar", "--num-workers", 0,
        "--dropout", 0, *([precision] if precision else []), *more,
        *([] if DEVICE.type == "cuda" else ["--cpu"]),
    )  # fmt: skip
    return folder / "checkpoint_last.pt"


def prepare_text(work: Path) -> None:
    """A data-bin of the sample corpus with three languages, in words."""
    if (work / "data-bin" / "instructions.yaml").exists():
        return
    from fairseq_instr import sample
    from fairseq_instr.instructions import Inventory
    from fairseq_instr.instructions.catalogue import look_up

    sizes = {"train": 2000, "valid": 50, "test": 200}
    sample.write(work / "text", sizes, ["en", "de", "fr"], seed=1)
    words = {
        word
        for path in (work / "text").glob("*.??")
        for word in path.read_text(encoding="utf-8").split()
    }
    write_lines(work / "dict.txt", (f"{word} 1" for word in sorted(words)))
    prefixes = {split: work / "text" / split for split in ("train", "valid")}
    for target in ("de", "fr"):
        binarise("en", target, work / "data-bin", work / "dict.txt", **prefixes)
    names = ("to:en", "to:de", "to:fr")
    Inventory(map(look_up, names)).save(work / "data-bin" / "instructions.yaml")


def training_is_right(sizes: Sizes, work: Path) -> dict:
    """Each precision trains with conflicts, and a resumed run ends where a whole one does."""
    prepare_text(work)
    figures = {}
    modes = ["", "--fp16", "--bf16", "--amp", "--memory-efficient-fp16"]
    if DEVICE.type == "cpu":  # where fairseq takes --bf16 for a TPU's
        modes = ["", "--amp"]
    for precision in modes:
        start = time.perf_counter()
        whole = trained(sizes, work, precision, sizes.updates)
        figures[f"seconds{precision.replace('--', '_') or '_fp32'}"] = time.perf_counter() - start
        halves = work / f"halves{precision}"
        for updates in (sizes.updates // 2, sizes.updates):
            parts = trained(sizes, work, precision, updates, "--save-dir", halves)
        parts = halves / "checkpoint_last.pt"
        one, other = (
            torch.load(path, map_location="cpu", weights_only=False)["model"]
            for path in (whole, parts)
        )
        difference = max(float((one[k].float() - other[k].float()).abs().max()) for k in one)
        figures[f"resume_difference{precision.replace('--', '_') or '_fp32'}"] = difference
    return rounded(figures)


def generation_is_right(sizes: Sizes, work: Path) -> dict:
    """Share of lines that the GPU translates as the CPU does, a way to decode each."""
    prepare_text(work)
    checkpoint = trained(sizes, work, "", max(sizes.updates, 100 if DEVICE.type == "cuda" else 4))
    sources = (work / "text" / "test.en").read_text(encoding="utf-8").splitlines()[: sizes.lines]
    (work / "lines.en").write_text("\n".join(sources) + "\n", encoding="utf-8")
    ways = {
        "plain": [],
        "guidance": ["--guidance", 0.5],
        "source_contrast": ["--source-contrast", 0.7],
        "language_contrast": ["--language-contrast", 0.1],
    }
    figures = {}
    for name, options in ways.items():
        found = []
        for device in ([], ["--cpu"]):
            printed = call(
                "interactive", work / "data-bin", "--user-dir", HERE.parent / "fairseq_instr",
                "--task", "translation_with_instructions", "--path", checkpoint, "-s", "en", "-t",
                "de", "--lang-pairs", "en-de,de-en,en-fr,fr-en", "--beam", 4, "--max-len-b", 40,
                "--buffer-size", 64, "--batch-size", 64, "--input", work / "lines.en", *options,
                *device,
            )  # fmt: skip
            found.append(outputs(printed))
        same = sum(map(str.__eq__, *found)) / len(sources)
        figures[f"same_as_cpu_{name}"] = same
    return rounded(figures)


def decoder_only_is_right(sizes: Sizes) -> dict:
    """Largest difference of a logit to transformers' LLaMA, padded batch."""
    from decoder_only import Models, Texts, logits_difference

    models, texts = Models(decoder_only_sizes(TINY)), Texts(decoder_only_sizes(TINY))
    return rounded({"logits_max_difference": logits_difference(models, texts)})


# -- is it fast? --------------------------------------------------------------------------------


def loss_ways(inputs, others: Dict[str, Callable]) -> Dict[str, Callable]:
    """Ways to a loss and both gradients; `products` are the matrix products alone."""
    import fused_loss as cpu

    from fairseq_instr.criterions.unlikelihood import fused_loss

    hidden, weight, target, conflict = inputs
    none = torch.zeros_like(conflict)

    def in_full():
        lprobs = torch.log_softmax((hidden @ weight.t()).float(), -1)
        own = lprobs.gather(1, target[:, None])[:, 0]
        (-own[~conflict].sum() - torch.log1p(-own[conflict].exp()).sum()).backward()

    def cleared(run):
        def clear_and_run():
            hidden.grad = weight.grad = None
            run()

        return clear_and_run

    ways = {
        "products": lambda: cpu.matmuls(*inputs),
        "fused": lambda: cpu.fused(*inputs),
        "fused_nll": lambda: fused_loss(
            hidden, weight, target, none, 0.0, 1.0, PAD
        ).loss.backward(),
        "in_full": in_full,
    }
    for way, loss in others.items():
        ways[way] = lambda loss=loss: loss(hidden, weight, target).backward()
    return {way: cleared(run) for way, run in ways.items()}


def loss_is_fast(sizes: Sizes) -> dict:
    """Loss with both gradients, in bfloat16: to its matrix products, to others' ways; memory."""
    from fused_loss import make_inputs

    others, figures = others_losses()
    for tokens, vocab, width in sizes.losses:
        inputs = make_inputs(tokens, vocab, width, device=DEVICE, dtype=torch.bfloat16)
        ways = loss_ways(inputs, others)
        name = f"{tokens}x{vocab}x{width}"
        for way in list(ways):
            try:
                figures[f"{name}.mib_{way}"] = peak_mebibytes(ways[way])
            except torch.cuda.OutOfMemoryError:
                del ways[way]
            except Exception as error:  # another's way loses none of ours
                if way not in others:
                    raise
                figures[f"{name}.skipped_{way}"] = " ".join(str(error).split())[-100:]
                del ways[way]
        times = medians(ways, sizes.turns)
        for way, spent in times.items():
            if way != "products":
                figures[f"{name}.{way}_to_products"] = spent / times["products"]
        for way in others.keys() & times.keys():
            figures[f"{name}.fused_nll_to_{way}"] = times["fused_nll"] / times[way]
    return rounded(figures)


def step_is_fast(sizes: Sizes, peak_tflops: float) -> dict:
    """A step of Transformer-big in bfloat16, conflicts included, to a stock step."""
    import stage2_step

    *shape, vocabulary, sentences = sizes.step
    stage2_step.VOCABULARY, stage2_step.SENTENCES = vocabulary, sentences
    task = stage2_step.build_task()
    model = stage2_step.build_model(task, *shape).to(DEVICE, torch.bfloat16)
    pairs = stage2_step.draw_sentences()

    def batch(every):
        from fairseq.utils import move_to_cuda

        sample = stage2_step.make_batch(pairs, every, False)
        return move_to_cuda(sample) if DEVICE.type == "cuda" else sample

    options = {"sentence_avg": False, "label_smoothing": EPSILON}
    stock = stage2_step.LabelSmoothedCrossEntropyCriterion(task, **options)
    ours = stage2_step.LabelSmoothedCrossEntropyWithUnlikelihoodCriterion(
        task, unlikelihood_weight=1.0, fused_loss=True, **options
    )
    plain, every, fourth = batch(None), batch(1), batch(4)

    def step(criterion, sample):
        def run():
            model.zero_grad(set_to_none=True)
            criterion(model, sample)[0].backward()

        return run

    ways = {
        "stock": step(stock, plain),
        "plain": step(ours, plain),
        "full": step(ours, every),
        "quarter": step(ours, fourth),
    }
    memory = {f"mib_{name}": peak_mebibytes(run) for name, run in ways.items()}
    times = medians(ways, sizes.turns)
    parameters = sum(p.numel() for p in model.parameters())
    # encoder and decoder each see about half of the parameters for each of their tokens
    flops = 6 * parameters * plain["ntokens"]
    return rounded(
        {
            **memory,
            **{f"{name}_to_stock": spent / times["stock"] for name, spent in times.items()},
            "target_tokens_per_second": plain["ntokens"] / times["plain"],
            "mfu": flops / times["plain"] / (peak_tflops * 1e12),
        }
    )


def decoder_only_sizes(sizes: Sizes) -> argparse.Namespace:
    layers, width, ffn, heads, vocabulary, prompt, target, batch = sizes.decoder_only
    return argparse.Namespace(
        layers=layers, width=width, ffn=ffn, heads=heads, key_value_heads=heads // 2,
        vocabulary=vocabulary, prompt=prompt, target=target, batch=batch, beam=4, seed=1,
    )  # fmt: skip


def decoder_only_models(sizes: Sizes, dtype: torch.dtype):
    """Models of one size, their texts and the size, on the device."""
    from decoder_only import Models, Texts
    from fairseq.utils import move_to_cuda

    args = decoder_only_sizes(sizes)
    models, texts = Models(args), Texts(args)
    for model in (models.ours, models.hugging_face):
        model.to(DEVICE, dtype).eval()
    if DEVICE.type == "cuda":
        sample, concatenated = texts.sample, texts.concatenated
        texts.sample = lambda: move_to_cuda(sample())
        texts.concatenated = lambda prompts: tuple(t.to(DEVICE) for t in concatenated(prompts))
    return models, texts, args


def decoder_only_is_fast(sizes: Sizes) -> dict:
    """A step with unlikelihood and beam search of a 1B model: to transformers', two forwards."""
    from decoder_only import trainings

    models, texts, _ = decoder_only_models(sizes, torch.bfloat16)
    steps = trainings(models, texts)
    ways = {"ours": steps["with_conflicts"], "public": steps["public"]}
    memory = {f"mib_{name}": peak_mebibytes(run) for name, run in ways.items()}
    times = medians(ways, sizes.turns)
    n_tokens = sum(map(len, texts.targets))
    figures = {
        **memory,
        "public_to_ours": times["public"] / times["ours"],
        "target_tokens_per_second": n_tokens / times["ours"],
    }
    if memory["mib_public"]:
        figures["memory_to_public"] = memory["mib_ours"] / memory["mib_public"]
    return rounded(figures)


def generation_is_fast(sizes: Sizes, work: Path) -> dict:
    """Beam search, in float16 on a GPU: to transformers' generate, to CTranslate2; tokens a second.

    The first is a decoder-only model, the second the encoder-decoder of the sample corpus.
    """
    from decoder_only import generations

    dtype = torch.float16 if DEVICE.type == "cuda" else torch.float32
    turns = max(sizes.turns // 3, 1)
    models, texts, args = decoder_only_models(sizes, dtype)
    ways = generations(models, texts, args)
    del ways["lm"]
    times = medians(ways, turns)
    figures = {
        "transformers_to_ours": times["hugging_face"] / times["ours"],
        "decoder_only_tokens_per_second": args.batch * args.target / times["ours"],
    }
    del models, ways

    try:
        import ctranslate2
    except ImportError as error:
        return rounded({**figures, "skipped_ctranslate2": str(error)})
    if DEVICE.type == "cuda" and not ctranslate2.get_cuda_device_count():
        return rounded({**figures, "skipped_ctranslate2": "it finds no GPU"})
    from fairseq_instr.generation.translator import Translator
    from fairseq_instr.serving.export import export_ctranslate2
    from fairseq_instr.serving.translator import CTranslate2Translator

    prepare_text(work)
    checkpoint = trained(sizes, work, "", 100 if DEVICE.type == "cuda" else 4)
    lines = (work / "text" / "test.en").read_text(encoding="utf-8").splitlines()[: sizes.lines]
    translator = Translator.from_pretrained(
        checkpoint, work / "data-bin", source="en", target="de", max_len_a=0, max_len_b=40
    )
    translator.models[0].to(dtype)
    folder = work / "exported"
    export_ctranslate2(
        checkpoint, work / "data-bin", folder, None, "en", "de", quantization="float16", force=True
    )
    served = CTranslate2Translator.from_pretrained(folder, device=DEVICE.type)
    ways = {
        "ours": lambda: translator.translate(lines, batch_size=64),
        "ctranslate2": lambda: served.translate(lines, batch_size=64),
    }
    times = medians(ways, turns)
    figures["ctranslate2_to_ours"] = times["ctranslate2"] / times["ours"]
    figures["lines_per_second"] = len(lines) / times["ours"]
    return rounded(figures)


class Part(NamedTuple):
    run: Callable
    limit: int
    """Seconds."""


def parts(args, sizes: Sizes) -> Dict[str, Part]:
    """What is done, the most important first; limits add up to eight minutes."""
    work = args.output / "work"
    return {
        "loss_right": Part(lambda: loss_is_right(sizes), 60),
        "decoder_only_right": Part(lambda: decoder_only_is_right(sizes), 30),
        "loss_fast": Part(lambda: loss_is_fast(sizes), 60),
        "step_fast": Part(lambda: step_is_fast(sizes, args.peak_tflops), 60),
        "decoder_only_fast": Part(lambda: decoder_only_is_fast(sizes), 70),
        "training_right": Part(lambda: training_is_right(sizes, work), 80),
        "generation_right": Part(lambda: generation_is_right(sizes, work), 80),
        "generation_fast": Part(lambda: generation_is_fast(sizes, work), 40),
    }


def install(wheels: Path, site: Path) -> None:
    """Install wheels into a folder that the parts import from."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
    files = sorted(wheels.glob("*.whl"))
    subprocess.run([*command, "--upgrade", "--target", site, *files], check=True)
    paths = [str(site), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


def run_part(name: str, args, limit: int) -> dict:
    """Run one part in a process of its own: its figures, or why there are none."""
    result = args.output / f"{name}.json"
    result.unlink(missing_ok=True)
    command = [sys.executable, __file__, *sys.argv[1:], "--part", name]
    start = time.perf_counter()
    with open(args.output / f"{name}.log", "w", encoding="utf-8") as log:
        try:
            subprocess.run(command, stdout=log, stderr=log, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return {"error": f"out of time after {limit} s"}
    spent = round(time.perf_counter() - start, 1)
    if not result.exists():
        return {"error": "ended without a result", "seconds": spent}
    return {**json.loads(result.read_text(encoding="utf-8")), "seconds": spent}


def as_markdown(report: dict) -> str:
    lines = [f"# {report['device']}", "", f"torch {report['torch']}, {report['date']}", ""]
    lines += ["| part | figure | value |", "|---|---|---|"]
    for name, figures in report["parts"].items():
        lines += [f"| {name} | `{key}` | {value} |" for key, value in figures.items()]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("gpu"), help="folder to write")
    parser.add_argument("--wheels", type=Path, help="folder that gpu_wheels.sh filled")
    parser.add_argument("--tiny", action="store_true", help="small sizes, as on a CPU")
    parser.add_argument("--only", nargs="*", help="names of parts; default: all")
    parser.add_argument(
        "--peak-tflops", type=float, default=989.0, help="of the GPU in bfloat16; H100: 989"
    )
    parser.add_argument("--record", action="store_true", help="write into results.json too")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.record and DEVICE.type != "cuda":
        parser.error("--record: no GPU is found; results.json keeps figures of a GPU alone")
    args.output.mkdir(parents=True, exist_ok=True)
    todo = parts(args, TINY if args.tiny else Sizes())
    if args.part:
        try:
            figures = todo[args.part].run()
        except Exception as error:
            traceback.print_exc()
            figures = {"error": f"{type(error).__name__}: {' '.join(str(error).split())[-300:]}"}
        path = args.output / f"{args.part}.json"
        path.write_text(json.dumps(figures) + "\n", encoding="utf-8")
        return
    if args.wheels:
        install(args.wheels, (args.output / "site").resolve())
    name = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU"
    report = {
        "device": name,
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
        "tiny": args.tiny,
        "parts": {},
    }
    for part, (_, limit) in todo.items():
        if args.only and part not in args.only:
            continue
        report["parts"][part] = run_part(part, args, limit * (4 if args.tiny else 1))
        print(part, report["parts"][part], flush=True)
        # written after each part, so that what was measured is never lost
        text = json.dumps(report, indent=2) + "\n"
        (args.output / "gpu.json").write_text(text, encoding="utf-8")
        (args.output / "gpu.md").write_text(as_markdown(report), encoding="utf-8")
    if args.record:
        record("gpu", {"device": name, **report["parts"]}, {"tiny": args.tiny})


if __name__ == "__main__":
    main()
