"""An exported model beside fairseq: the same outputs, and how many times faster.

    python benchmarks/ctranslate2_export.py --checkpoint tuned.pt --data data-bin \
        --subwords subwords.model --text test.en --reference test.de

translates every line by beam 4, plain or under an instruction of the inventory in turn, with
fairseq and with CTranslate2 in several number formats. Without options it trains a tiny model
of the sample corpus first, which says little about speed. Records under `ctranslate2`, for each
of `VARIANTS`:

    agreement_*        share of lines with the same output as fairseq's
    chrf2_*            chrF2 of the outputs against fairseq's
    bleu_difference_*  BLEU against the references under the instructions, less fairseq's
    speed_*            fairseq's CPU seconds over CTranslate2's, one thread
    megabytes_*        size of the weights

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
from sacrebleu.metrics import BLEU, CHRF

from fairseq_instr import sample
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Context
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.serving.export import export_ctranslate2
from fairseq_instr.serving.translator import CTranslate2Translator
from fairseq_instr.text.lines import read_lines

VARIANTS = {
    "float32": ("float32", "default"),
    "float16": ("float16", "default"),
    "bfloat16": ("bfloat16", "default"),
    "int16": ("int16", "default"),
    "int8": ("int8", "default"),
    "int8_weights": ("int8", "float32"),
    "int8_by_ctranslate2": ("float32", "int8"),  # rounded when it is loaded
}
"""Name -> (number format of the weights, and of computing: CTranslate2's choice or another).
CTranslate2 computes in another format than it was asked for where the processor has not got it;
which one is recorded."""
BEAM, BATCH = 4, 64
TIE = 1e-4  # nats a token
WARM_UP = 8


def train_tiny(folder: Path):
    """A model of the sample corpus, as (checkpoint, data-bin, sources, references)."""
    data = tiny_training.binarise(folder, n_pairs=600)
    checkpoint = tiny_training.train_model(data, folder / "model", max_update=300)
    sample.write(folder / "test", {"test": 1000}, ["en", "de"], seed=2)
    texts = (read_lines(folder / "test" / f"test.{language}") for language in ("en", "de"))
    return checkpoint, data, *texts


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


def under(name, source, reference):
    """The reference under an instruction, where its rule gives one."""
    rewrite = look_up(name).rewrite if name else None
    obeying = rewrite(reference, Context(source=source, language="de")) if rewrite else None
    return reference if obeying is None else obeying


def compare(found, expected, references):
    """How near one translator's hypotheses are to the other's, as (figures, details)."""
    texts, own = ([hypothesis.text for hypothesis in each] for each in (found, expected))
    differing = [i for i, text in enumerate(texts) if text != own[i]]
    gaps = [found[i].score - expected[i].score for i in differing]
    bleu = [BLEU().corpus_score(each, [references]).score for each in (texts, own)]
    figures = {
        "agreement": round(1 - len(differing) / len(texts), 4),
        "chrf2": round(CHRF().corpus_score(texts, [own]).score, 2),
        "bleu_difference": round(bleu[0] - bleu[1], 2),
    }
    details = {
        "bleu": round(bleu[0], 2),
        "differing": len(differing),
        "of_them_ties": sum(abs(gap) < TIE for gap in gaps),
        "of_them_scored_higher": sum(gap >= TIE for gap in gaps),
    }
    return figures, details


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", help="tuned model; default: a tiny one is trained")
    parser.add_argument("--data", help="its data-bin")
    parser.add_argument("--subwords", help="its SentencePiece model")
    parser.add_argument("--text", help="source lines")
    parser.add_argument("--reference", help="their translations")
    parser.add_argument("--lines", type=int, default=1000, help="at most so many of them")
    args = parser.parse_args()
    torch.set_num_threads(1)
    tiny_training.load_plugin()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint, data = args.checkpoint, args.data
        if checkpoint is None:
            checkpoint, data, lines, references = train_tiny(folder)
        else:
            lines, references = read_lines(args.text), read_lines(args.reference)
        lines, references = lines[: args.lines], references[: args.lines]
        original = Translator.from_pretrained(
            checkpoint, data, args.subwords, source="en", target="de", beam=BEAM
        )
        names = plain_names(original.inventory)
        asked = [names[i % len(names)] for i in range(len(lines))]
        references = [under(*row) for row in zip(asked, lines, references)]
        expected, seconds = timed(original, lines, asked)
        print(f"fairseq: {seconds:.1f} CPU seconds, {len(lines) / seconds:.1f} lines/s", flush=True)
        figures, details = {}, {"lines": len(lines), "beam": BEAM, "batch": BATCH}
        details["fairseq_seconds"] = round(seconds, 2)
        for name, (quantization, compute_type) in VARIANTS.items():
            output = folder / quantization
            export_ctranslate2(
                checkpoint,
                data,
                output,
                args.subwords,
                "en",
                "de",
                quantization=quantization,
                force=True,
            )
            served = CTranslate2Translator.from_pretrained(
                output, beam=BEAM, compute_type=compute_type
            )
            found, own_seconds = timed(served, lines, asked)
            own_figures, own_details = compare(found, expected, references)
            own_figures["speed"] = round(seconds / own_seconds, 2)
            own_figures["megabytes"] = round((output / "model.bin").stat().st_size / 1e6, 2)
            figures.update({f"{key}_{name}": value for key, value in own_figures.items()})
            own_details["computed_in"] = served.model.compute_type
            own_details["seconds"] = round(own_seconds, 2)
            details[name] = own_details
            print(name, own_figures, own_details, flush=True)
    record("ctranslate2", figures, details)


if __name__ == "__main__":
    main()
