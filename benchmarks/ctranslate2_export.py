"""An exported model beside fairseq: the same outputs, and how many times faster.

    python benchmarks/ctranslate2_export.py --checkpoint tuned.pt --data data-bin \
        --subwords subwords.model --text test.en

translates every line by beam 4, plain or under an instruction of the inventory in turn, with
fairseq and with CTranslate2 in float32 and int8. Without options it trains a tiny model of the
sample corpus first, which says little about speed. Records under `ctranslate2`:

    agreement_float32, agreement_int8    share of lines with the same output as fairseq's
    speed_float32, speed_int8            fairseq's CPU seconds over CTranslate2's, one thread

Where outputs differ, the scores that the two searches gave them are compared: a tie is a
difference of less than `TIE`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import tiny_training
import torch
from record import record

from fairseq_instr import sample
from fairseq_instr.files import read_lines
from fairseq_instr.generation.translator import Translator
from fairseq_instr.serving.export import export_ctranslate2
from fairseq_instr.serving.translator import CTranslate2Translator

BEAM, BATCH = 4, 64
TIE = 1e-4  # nats a token
WARM_UP = 8


def train_tiny(folder: Path):
    """A model of the sample corpus, as (checkpoint, data-bin, lines)."""
    data = tiny_training.binarise(folder, n_pairs=600)
    training = [data, *tiny_training.TRAINING, *tiny_training.STAGES["mixture"]]
    options = ["--save-dir", folder / "model", "--max-update", 300, "--no-epoch-checkpoints"]
    log = folder / "train.log"
    tiny_training.finish(tiny_training.start(*training, *options, log=log), log)
    sample.write(folder / "test", {"test": 1000}, ["en", "de"], seed=2)
    return folder / "model" / "checkpoint_last.pt", data, read_lines(folder / "test" / "test.en")


def timed(translator, lines, asked):
    """Best hypotheses of all lines, and CPU seconds of all threads."""
    translator.translate(lines[:WARM_UP], asked[:WARM_UP])
    start = time.process_time()
    found = translator.translate_n_best(lines, asked, batch_size=BATCH)
    return [hypotheses[0] for hypotheses in found], time.process_time() - start


def plain_names(inventory):
    """Instructions that can be asked for alone: no argument, and no direction."""
    own = [i for i in inventory if i.argument is None and i.axis != "target-language"]
    return ["", *(instruction.name for instruction in own)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", help="tuned model; default: a tiny one is trained")
    parser.add_argument("--data", help="its data-bin")
    parser.add_argument("--subwords", help="its SentencePiece model")
    parser.add_argument("--text", help="source lines")
    parser.add_argument("--lines", type=int, default=1000, help="at most so many of them")
    args = parser.parse_args()
    torch.set_num_threads(1)
    tiny_training.load_plugin()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint, data = args.checkpoint, args.data
        if checkpoint is None:
            checkpoint, data, lines = train_tiny(folder)
        else:
            lines = read_lines(args.text)
        lines = lines[: args.lines]
        original = Translator.from_pretrained(
            checkpoint, data, args.subwords, source="en", target="de", beam=BEAM
        )
        names = plain_names(original.inventory)
        asked = [names[i % len(names)] for i in range(len(lines))]
        expected, seconds = timed(original, lines, asked)
        print(f"fairseq: {seconds:.1f} CPU seconds, {len(lines) / seconds:.1f} lines/s", flush=True)
        figures, details = {}, {"lines": len(lines), "beam": BEAM, "batch": BATCH}
        details["fairseq_seconds"] = round(seconds, 2)
        for quantization in ("float32", "int8"):
            output = folder / quantization
            export_ctranslate2(
                checkpoint, data, output, args.subwords, "en", "de", quantization=quantization
            )
            served = CTranslate2Translator.from_pretrained(output, beam=BEAM)
            found, own_seconds = timed(served, lines, asked)
            differing = [i for i in range(len(lines)) if found[i].text != expected[i].text]
            figures[f"agreement_{quantization}"] = round(1 - len(differing) / len(lines), 4)
            figures[f"speed_{quantization}"] = round(seconds / own_seconds, 2)
            gaps = [found[i].score - expected[i].score for i in differing]
            details[quantization] = {
                "seconds": round(own_seconds, 2),
                "megabytes": round((output / "model.bin").stat().st_size / 1e6, 2),
                "differing": len(differing),
                "of_them_ties": sum(abs(gap) < TIE for gap in gaps),
                "of_them_scored_higher": sum(gap >= TIE for gap in gaps),
            }
            print(quantization, figures, details[quantization], flush=True)
            for i in differing[:5]:
                print(f"  [{asked[i]}] {lines[i]}\n    {expected[i]}\n    {found[i]}", flush=True)
    record("ctranslate2", figures, details)


if __name__ == "__main__":
    main()
