"""What a training step with conflicts costs, to a stock label-smoothed step.

    OMP_NUM_THREADS=1 python benchmarks/stage2_step.py [--rounds 15]

Forward and backward of a transformer (3+3 layers, width 256, vocabulary 6,000, tied
embeddings, dropout 0.1) on one batch of 80 sentences of about 15 tokens, in training mode.
Writes to `results.json`, under `stage2_step`, ratios to fairseq's `label_smoothed_cross_entropy`
on the same sentences without conflicts:

    full                  a conflict for every sentence, one forward, fused loss
    quarter               the same for every fourth sentence
    decoder_side          as `full`, the instruction on the decoder's side (one encoder run)
    decoder_side_quarter  the same for every fourth sentence
    two_forwards_public   a forward for the positives, one for the conflicts, and the public
                          formula: softmax, clamp 1e-9, log
    mle_fused             no conflicts, fused loss
    full_unfused          as `full`, over logits
    full_bfloat16         as `full`, products in bfloat16: `--amp` on a CPU
    mle_fused_bfloat16    as `mle_fused`, likewise

Times are CPU seconds, the ways taken in turn within one process, the median of the rounds'
ratios.
"""

from __future__ import annotations

import argparse
import statistics

import torch
from commands import EOS, PAD, batch, conflicts, net_input, numbered_dictionary
from fairseq.criterions.label_smoothed_cross_entropy import LabelSmoothedCrossEntropyCriterion
from fairseq.models.transformer import TransformerModel, base_architecture
from fairseq.tasks.translation import TranslationConfig, TranslationTask
from record import quartiles, record, take_turns

from fairseq_instr.criterions.label_smoothed_cross_entropy_with_unlikelihood import (
    LabelSmoothedCrossEntropyWithUnlikelihoodCriterion,
)
from fairseq_instr.tasks.mixed_precision import in_bfloat16, unfused_attention

VOCABULARY, SENTENCES, EPSILON, ALPHA = 6000, 80, 0.1, 1.0
RIGHT, WRONG = 4, 5


def build_task():
    dictionary = numbered_dictionary(VOCABULARY)
    return TranslationTask(TranslationConfig(), dictionary, dictionary)


def build_model(task, layers=3, width=256, ffn=1024, heads=4):
    torch.manual_seed(0)
    args = argparse.Namespace(
        encoder_layers=layers, decoder_layers=layers, encoder_embed_dim=width,
        encoder_ffn_embed_dim=ffn, encoder_attention_heads=heads, decoder_attention_heads=heads,
        dropout=0.1, share_all_embeddings=True,
    )  # fmt: skip
    base_architecture(args)
    return TransformerModel.build_model(args, task).train()


def draw_sentences(seed=0):
    """Sentence pairs as a length-sorted batch holds them: sources alike, targets less so."""
    generator = torch.Generator().manual_seed(seed)

    def draw_tokens(length):
        return torch.randint(6, VOCABULARY, (length,), generator=generator)

    pairs = []
    for length in torch.randint(13, 18, (SENTENCES,), generator=generator).tolist():
        difference = round(2 * torch.randn((), generator=generator).item())
        pairs.append((draw_tokens(length), draw_tokens(max(length + difference, 4))))
    return pairs


def make_batch(pairs, conflict_every, decoder_side):
    """A batch in the layout that the criterion reads, a conflict for every n-th sentence."""

    def make_input(instruction):
        prompt = torch.tensor([instruction])
        before, begin = ([], [eos, prompt]) if decoder_side else ([prompt], [eos])
        sources = [torch.cat((*before, source, eos)) for source, _ in pairs]
        return sources, [torch.cat((*begin, target)) for _, target in pairs]

    eos = torch.tensor([EOS])
    hidden = [torch.tensor([PAD])] if decoder_side else []
    sample = batch(*make_input(RIGHT), [torch.cat((*hidden, target, eos)) for _, target in pairs])
    if conflict_every:
        wrong = net_input(*make_input(WRONG))
        if decoder_side:
            wrong = {"prev_output_tokens": wrong["prev_output_tokens"]}
        sample["conflicts"] = conflicts(wrong, sample["target"], conflict_every)
    return sample


def two_forwards_public(stock, model, sample):
    """The loss as the public implementations have it."""
    loss, _, _ = stock(model, sample)
    conflicts = sample["conflicts"]
    logits, _ = model(**conflicts["net_input"])
    probabilities = torch.softmax(logits, -1)
    logs = torch.log((1.0 - probabilities).clamp(min=1e-9))
    unlikelihood = torch.nn.functional.nll_loss(
        logs.flatten(0, 1), conflicts["target"].flatten(), ignore_index=PAD
    )
    return loss + ALPHA * sample["ntokens"] * unlikelihood


def mixed_precision_loss(criterion, model, sample):
    """The loss as the task has it under `--amp` on a CPU."""
    with unfused_attention():
        return in_bfloat16(criterion)(model, sample)[0]


def make_steps(task, model):
    """Each way as a function that returns the loss."""
    pairs = draw_sentences()
    options = {"sentence_avg": False, "label_smoothing": EPSILON}
    stock = LabelSmoothedCrossEntropyCriterion(task, **options)
    ours = {
        fused: LabelSmoothedCrossEntropyWithUnlikelihoodCriterion(
            task, unlikelihood_weight=ALPHA, fused_loss=fused, **options
        )
        for fused in (True, False)
    }
    plain = make_batch(pairs, None, False)
    every, fourth = make_batch(pairs, 1, False), make_batch(pairs, 4, False)
    decoder_every, decoder_fourth = make_batch(pairs, 1, True), make_batch(pairs, 4, True)
    return {
        "stock": lambda: stock(model, plain)[0],
        "full": lambda: ours[True](model, every)[0],
        "quarter": lambda: ours[True](model, fourth)[0],
        "decoder_side": lambda: ours[True](model, decoder_every)[0],
        "decoder_side_quarter": lambda: ours[True](model, decoder_fourth)[0],
        "two_forwards_public": lambda: two_forwards_public(stock, model, every),
        "mle_fused": lambda: ours[True](model, plain)[0],
        "full_unfused": lambda: ours[False](model, every)[0],
        "full_bfloat16": lambda: mixed_precision_loss(ours[True], model, every),
        "mle_fused_bfloat16": lambda: mixed_precision_loss(ours[True], model, plain),
    }


def check_agreement(model, steps):
    """The ways that should give one loss do, so that the same work is measured."""
    model.eval()
    losses = {
        name: steps[name]().item() for name in ("full", "full_unfused", "two_forwards_public")
    }
    model.train()
    for name, loss in losses.items():
        if abs(loss - losses["full"]) > 1e-5 * abs(loss):
            raise AssertionError(f"{name} gives {loss}, full {losses['full']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="measurements of each way")
    args = parser.parse_args()

    torch.set_num_threads(1)
    task = build_task()
    model = build_model(task)
    steps = make_steps(task, model)
    check_agreement(model, steps)
    ways = {name: lambda step=step: step().backward() for name, step in steps.items()}
    times = take_turns(ways, args.rounds, model.zero_grad)
    stock = times.pop("stock")
    spread = {name: quartiles([a / b for a, b in zip(ours, stock)]) for name, ours in times.items()}
    ratios = {name: found[len(found) // 2] for name, found in spread.items()}
    fastest = {name: round(min(ours) / min(stock), 3) for name, ours in times.items()}
    print(ratios)
    print("fastest to fastest:", fastest)
    sample = make_batch(draw_sentences(), None, False)
    record(
        "stage2_step",
        ratios,
        {
            "statistic": "median of the rounds' ratios of CPU seconds",
            "rounds": args.rounds,
            "quartiles": spread,
            "fastest_to_fastest": fastest,
            "stock_seconds": round(statistics.median(stock), 4),
            "target_tokens": sample["ntokens"],
            "padding_in_target": round(1 - sample["ntokens"] / sample["target"].numel(), 3),
        },
    )


if __name__ == "__main__":
    main()
