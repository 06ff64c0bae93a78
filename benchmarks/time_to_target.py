"""CPU seconds of stage 2 until zero-shot translation stays on target, to the public way's.

    OMP_NUM_THREADS=1 python benchmarks/time_to_target.py --checkpoint stage1.pt --data DATABIN \
        --subwords subwords.model --trained en-de,de-en,en-fr,fr-en --directions de-fr,fr-de \
        --text valid

From one stage-1 checkpoint each way trains on the same corpora until the off-target ratio
(langid among the languages of the directions, greedy, mean over the zero-shot directions) is
at most 1 % at two looks in a row; the first of the two counts. Looks are taken every few
updates, and their time is not counted. Each way runs at several settings, and its fastest one
counts.

    ours     conflicts on the language that translations drift into, for half of its sentences;
             one forward over positives and conflicts, exact unlikelihood, fused
    public   a conflict for every sentence, under the target language of a random other
             direction (which may be the right one); two forwards; softmax, clamp 1e-9, log

Both see the same number of tokens in an update, conflicts included. Writes
`time_to_target_to_public`, ours / public, into `results.json`.
"""

from __future__ import annotations

import argparse
import itertools
import time
from typing import Dict, List, NamedTuple, Optional

import torch
from fairseq.criterions.label_smoothed_cross_entropy import LabelSmoothedCrossEntropyCriterion
from record import record

from fairseq_instr.criterions.label_smoothed_cross_entropy_with_unlikelihood import (
    LabelSmoothedCrossEntropyWithUnlikelihoodCriterion,
)
from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions.inventory import direction
from fairseq_instr.text.identification import LangidIdentifier, identify
from fairseq_instr.text.lines import read_lines

TARGET = 0.01
SMOOTHING = {"sentence_avg": False, "label_smoothing": 0.1}


class Setting(NamedTuple):
    """How to train: the way, its learning rate, and the weight of the unlikelihood."""

    way: str
    rate: float
    alpha: float


class Outcome(NamedTuple):
    """CPU seconds and updates to the target (None: not reached), and the ratio at each look."""

    seconds: Optional[float]
    updates: Optional[int]
    ratios: List[float]


class PublicCriterion:
    """Two forwards and the public formula; conflicts made by a random other direction.

    Args:
        task: with the inventory.
        trained: directions of stage 1.
        alpha: weight of the unlikelihood.
        seed: of the other directions.
    """

    def __init__(self, task, trained: List[str], alpha: float, seed: int):
        self.stock = LabelSmoothedCrossEntropyCriterion(task, **SMOOTHING)
        self.pad = task.target_dictionary.pad()
        self.alpha = alpha
        self.generator = torch.Generator().manual_seed(seed)
        first = task.src_dict.first_instruction
        symbols = [first + task.inventory.position(direction(d.split("-")[1])) for d in trained]
        # row: a right symbol; columns: the target's symbol of the directions other than its own
        self.others = {symbol: list(symbols) for symbol in symbols}
        for symbol, others in self.others.items():
            others.remove(symbol)
        self.first = first

    def __call__(self, model, sample):
        loss = self.stock(model, sample)[0]
        net_input = dict(sample["net_input"])
        tokens = net_input["src_tokens"].clone()
        for row, column in (tokens >= self.first).nonzero().tolist():
            others = self.others[int(tokens[row, column])]
            drawn = torch.randint(len(others), (), generator=self.generator)
            tokens[row, column] = others[int(drawn)]
        net_input["src_tokens"] = tokens
        probabilities = torch.softmax(model(**net_input)[0], -1)
        logs = torch.log((1.0 - probabilities).clamp(min=1e-9))
        unlikelihood = torch.nn.functional.nll_loss(
            logs.flatten(0, 1), sample["target"].flatten(), ignore_index=self.pad
        )
        return loss + self.alpha * sample["ntokens"] * unlikelihood


class Race:
    """Trains from one checkpoint at one setting after another."""

    def __init__(self, args):
        self.args = args
        self.trained = args.trained.split(",")
        self.directions = [tuple(d.split("-")) for d in args.directions.split(",")]
        self.languages = sorted({language for pair in self.directions for language in pair})
        self.languages = sorted({*self.languages, args.drift})
        self.text: Dict[str, List[str]] = {
            source: read_lines(f"{args.text}.{source}")[: args.lines]
            for source, _ in self.directions
        }
        self.identifier = LangidIdentifier()

    def off_target(self, translator) -> float:
        """Off-target ratio, the mean over the directions."""
        ratios = []
        for source, target in self.directions:
            outputs = translator.for_direction(source, target).translate(self.text[source])
            (codes,) = identify(outputs, self.identifier, self.languages)
            ratios.append(sum(code != target for code in codes) / len(codes))
        return sum(ratios) / len(ratios)

    def run(self, setting: Setting) -> Outcome:
        """Train until the target is reached, or for `--max-update` updates."""
        args = self.args
        ours = setting.way == "ours"
        conflicts = {
            "conflict_axes": "target-language",
            "conflict_instructions": direction(args.drift),
            "conflict_rate": 0.5,
        }
        translator = Translator.from_pretrained(
            args.checkpoint, args.data, args.subwords, beam=1, lang_pairs=args.trained,
            seed=args.seed, **(conflicts if ours else {}),
        )  # fmt: skip
        task, (model,) = translator.task, translator.models
        task.load_dataset("train")
        if ours:
            criterion = LabelSmoothedCrossEntropyWithUnlikelihoodCriterion(
                task, unlikelihood_weight=setting.alpha, fused_loss=True, **SMOOTHING
            )
        else:
            criterion = PublicCriterion(task, self.trained, setting.alpha, args.seed)
        # conflicts count: two forwards hold twice the tokens of their batch
        batches = task.get_batch_iterator(
            task.datasets["train"], max_tokens=args.max_tokens // (1 if ours else 2), seed=args.seed
        ).next_epoch_itr()
        optimiser = torch.optim.Adam(model.parameters(), lr=setting.rate, betas=(0.9, 0.98))
        torch.manual_seed(args.seed)
        seconds, reached, ratios = 0.0, None, [self.off_target(translator)]
        for update, sample in enumerate(itertools.islice(batches, args.max_update), start=1):
            model.train()
            start = time.process_time()
            optimiser.zero_grad()
            loss = criterion(model, sample)
            loss = loss[0] if isinstance(loss, tuple) else loss
            (loss / sample["ntokens"]).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            seconds += time.process_time() - start
            if update % args.look:
                continue
            model.eval()
            ratios.append(self.off_target(translator))
            if ratios[-1] > TARGET:
                reached = None
            elif reached is None:
                reached = (round(seconds, 2), update)
            else:
                return Outcome(*reached, ratios)
        return Outcome(None, None, ratios)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", required=True, help="stage-1 model")
    parser.add_argument("--data", required=True, help="data-bin of stage 1")
    parser.add_argument("--subwords", required=True, help="SentencePiece model")
    parser.add_argument("--trained", required=True, help="directions of stage 1: en-de,de-en")
    parser.add_argument("--directions", required=True, help="zero-shot directions: de-fr,fr-de")
    parser.add_argument("--text", required=True, help="validation text, PREFIX.LANGUAGE")
    parser.add_argument("--drift", default="en", help="the language that translations drift into")
    parser.add_argument("--lines", type=int, default=50, help="of each direction, at a look")
    parser.add_argument("--look", type=int, default=4, help="updates between two looks")
    parser.add_argument("--max-update", type=int, default=60)
    parser.add_argument("--max-tokens", type=int, default=3072, help="of an update, with conflicts")
    parser.add_argument("--rates", default="1e-4,3e-4", help="learning rates to try")
    parser.add_argument("--alphas", default="0.3,1.0", help="weights of the unlikelihood to try")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    race = Race(args)
    outcomes = {}
    for way in ("ours", "public"):
        for rate in map(float, args.rates.split(",")):
            for alpha in map(float, args.alphas.split(",")):
                setting = Setting(way, rate, alpha)
                outcomes[setting] = outcome = race.run(setting)
                shown = " ".join(f"{100 * ratio:.1f}" for ratio in outcome.ratios)
                reached = f"{outcome.seconds} s, {outcome.updates} updates"
                print(f"{setting}: {reached}: {shown}", flush=True)
    fastest = {}
    for way in ("ours", "public"):
        reached = [(o.seconds, s) for s, o in outcomes.items() if s.way == way and o.seconds]
        if not reached:
            raise InputError(
                f"{way}: no setting reached {TARGET:.0%} in {args.max_update} updates; raise "
                "--max-update"
            )
        fastest[way] = min(reached)
    ratio = fastest["ours"][0] / fastest["public"][0]
    print(f"time to target, ours to public: {ratio:.3f}")
    record(
        "time_to_target_to_public",
        round(ratio, 3),
        {
            "target": TARGET,
            "look": args.look,
            "lines": args.lines,
            "outcomes": {
                f"{s.way}, lr {s.rate:g}, alpha {s.alpha:g}": {
                    "seconds": o.seconds,
                    "updates": o.updates,
                    "off_target": [round(100 * r, 1) for r in o.ratios],
                }
                for s, o in outcomes.items()
            },
        },
    )


if __name__ == "__main__":
    main()
