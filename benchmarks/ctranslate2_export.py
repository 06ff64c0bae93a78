"""An exported model beside fairseq: the same outputs, and how many times faster.

    OMP_NUM_THREADS=1 python benchmarks/ctranslate2_export.py --checkpoint tuned.pt \
        --data data-bin --subwords subwords.model --text test.en --reference test.de

translates every line by beam 4, plain or under an instruction of the inventory in turn, with
fairseq and with CTranslate2 in several number formats. Records under `ctranslate2`, for each of
`VARIANTS`:

    agreement_*        share of lines with the same output as fairseq's
    chrf2_*            chrF2 of the outputs against fairseq's
    bleu_difference_*  BLEU against the references under the instructions, less fairseq's
    p_*                paired bootstrap: the smaller p-value of BLEU's and chrF2's difference
    speed_*            fairseq's CPU seconds over CTranslate2's, one thread; their quartiles over
                       tenths of the lines are among the conditions
    megabytes_*        size of the weights

`ctranslate2.processor` says what multiplied the int8 matrices, and `ctranslate2.by_processor`
keeps the last row of each kind. Lines whose outputs differ are told apart in the conditions: ties
(scores of the two searches nearer than `TIE`), and by sentence chrF2 against the reference as
good as fairseq's, better or worse, with a sign test of the last two.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch
from commands import load_plugin
from record import processor, quartiles, record
from sacrebleu.metrics import CHRF
from scipy.stats import binomtest

from fairseq_instr.evaluation.metrics.quality import paired_significance
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Context
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.serving.export import export_ctranslate2
from fairseq_instr.serving.translator import CTranslate2Translator
from fairseq_instr.text.lines import read_lines

VARIANTS = {
    "float32": ("float32", "default"),
    "float16": ("float16", "default"),
    "int8": ("int8", "default"),
    "int8_weights": ("int8", "float32"),
    "int8_by_ctranslate2": ("float32", "int8"),  # rounded when it is loaded
}
"""Name -> (number format of the weights, and of computing: CTranslate2's choice or another).
CTranslate2 computes in another format than it was asked for where the processor has not got it;
which one is recorded."""
INT8_INSTRUCTIONS = ("amx_int8", "avx512_vnni", "avx_vnni", "avx512f", "avx2")
"""What a processor may multiply bytes with, the fastest first, as /proc/cpuinfo names it."""
BEAM, BATCH = 4, 64
TIE = 1e-4  # nats a token
WARM_UP = 8


def timed(translator, lines, asked):
    """Best hypotheses of all lines, and CPU seconds of all threads for each tenth of them."""
    translator.translate(lines[:WARM_UP], asked[:WARM_UP])
    best, seconds, tenth = [], [], max(1, -(-len(lines) // 10))
    for start in range(0, len(lines), tenth):
        part = slice(start, start + tenth)
        before = time.process_time()
        found = translator.translate_n_best(lines[part], asked[part], batch_size=BATCH)
        seconds.append(time.process_time() - before)
        best += [hypotheses[0] for hypotheses in found]
    return best, seconds


def plain_names(inventory):
    """Instructions that can be asked for alone: no argument, and no direction."""
    own = [i for i in inventory if i.argument is None and i.axis != "target-language"]
    return ["", *(instruction.name for instruction in own)]


def under(name, source, reference):
    """The reference under an instruction, where its rule gives one."""
    rewrite = look_up(name).rewrite if name else None
    obeying = rewrite(reference, Context(source=source, language="de")) if rewrite else None
    return reference if obeying is None else obeying


def processor_kind():
    """Maker and best int8 instructions of this processor, such as `AMD EPYC avx512_vnni`."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    best = next((name for name in INT8_INSTRUCTIONS if name in flags), "none")
    return f"{processor()} {best}"


def compare(found, expected, references):
    """How near one translator's hypotheses are to the other's, as (figures, details)."""
    texts, own = ([hypothesis.text for hypothesis in each] for each in (found, expected))
    differing = [i for i, text in enumerate(texts) if text != own[i]]
    ties = [i for i in differing if abs(found[i].score - expected[i].score) < TIE]
    chrf = CHRF()
    gains = [
        chrf.sentence_score(texts[i], [references[i]]).score
        - chrf.sentence_score(own[i], [references[i]]).score
        for i in differing
    ]
    better, worse = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    quality = paired_significance({"fairseq": own, "other": texts}, references, "de")
    bleu, chrf2 = (quality[metric] for metric in ("BLEU", "chrF2"))
    figures = {
        "agreement": round(1 - len(differing) / len(texts), 4),
        "chrf2": round(chrf.corpus_score(texts, [own]).score, 2),
        "bleu_difference": round(bleu["other"]["score"] - bleu["fairseq"]["score"], 2),
        "p": round(min(bleu["other"]["p_value"], chrf2["other"]["p_value"]), 4),
    }
    details = {
        "bleu": bleu["other"]["score"],
        "chrf2_difference": round(chrf2["other"]["score"] - chrf2["fairseq"]["score"], 2),
        "differing": len(differing),
        "of_them_ties": len(ties),
        "of_them_as_good": len(differing) - better - worse,
        "of_them_better": better,
        "of_them_worse": worse,
        "p_of_the_sign_test": round(float(binomtest(better, better + worse).pvalue), 4)
        if better + worse
        else 1.0,
    }
    return figures, details


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", required=True, help="tuned model")
    parser.add_argument("--data", required=True, help="its data-bin")
    parser.add_argument("--subwords", help="its SentencePiece model")
    parser.add_argument("--text", required=True, help="source lines")
    parser.add_argument("--reference", required=True, help="their translations")
    parser.add_argument("--lines", type=int, default=1000, help="at most so many of them")
    args = parser.parse_args()
    torch.set_num_threads(1)
    load_plugin()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = args.checkpoint, args.data
        lines, references = (read_lines(path)[: args.lines] for path in (args.text, args.reference))
        original = Translator.from_pretrained(
            *model, args.subwords, source="en", target="de", beam=BEAM
        )
        names = plain_names(original.inventory)
        asked = [names[i % len(names)] for i in range(len(lines))]
        references = [under(*row) for row in zip(asked, lines, references)]
        expected, seconds = timed(original, lines, asked)
        spent = sum(seconds)
        print(f"fairseq: {spent:.1f} CPU seconds, {len(lines) / spent:.1f} lines/s", flush=True)
        figures, details = {}, {"lines": len(lines), "beam": BEAM, "batch": BATCH}
        details["fairseq_seconds"] = round(spent, 2)
        for name, (quantization, compute_type) in VARIANTS.items():
            output = folder / quantization
            export_ctranslate2(
                *model, output, args.subwords, "en", "de", quantization=quantization, force=True
            )
            served = CTranslate2Translator.from_pretrained(
                output, beam=BEAM, compute_type=compute_type
            )
            found, own_seconds = timed(served, lines, asked)
            own_figures, own_details = compare(found, expected, references)
            own_figures["speed"] = round(spent / sum(own_seconds), 2)
            own_figures["megabytes"] = round((output / "model.bin").stat().st_size / 1e6, 2)
            figures.update({f"{key}_{name}": value for key, value in own_figures.items()})
            own_details["computed_in"] = served.model.compute_type
            own_details["seconds"] = round(sum(own_seconds), 2)
            own_details["speed_quartiles"] = quartiles(
                [theirs / own for theirs, own in zip(seconds, own_seconds)]
            )
            details[name] = own_details
            print(name, own_figures, own_details, flush=True)
    kind = processor_kind()
    record("ctranslate2.by_processor", {kind: dict(figures)})
    record("ctranslate2", {**figures, "processor": kind}, details)


if __name__ == "__main__":
    main()
