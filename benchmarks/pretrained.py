r"""Stand-ins of pretrained models: what of them is kept, before and after tuning.

    python benchmarks/pretrained.py [FAMILY ...]

Stock fairseq trains each stand-in. Untuned it answers here by every front end, and in Hugging
Face's format by transformers. Then it is tuned with two instructions, and those that know
several languages go through stage 2 as well.
"""

from __future__ import annotations

import argparse
import contextlib
import filecmp
import io
import json
import tempfile
from pathlib import Path
from typing import Dict, List

import stand_ins
import torch
from commands import PLUGIN, load_plugin, outputs
from fairseq.checkpoint_utils import load_model_ensemble
from record import record
from stand_ins import FAMILIES, INSTRUCTIONS, TRAINING, call
from transformers_model import LONGEST, TheirModel, scores

from fairseq_instr.checkpoints.hugging_face import from_hugging_face, to_hugging_face
from fairseq_instr.checkpoints.hugging_face_vocabulary import Vocabulary
from fairseq_instr.cli.main import main
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Instruction, Inventory

DECODING = f"""
    --max-len-b {LONGEST} --cpu --num-workers 0 --data-buffer-size 0
    --required-batch-size-multiple 1
""".split()
OURS = ["--user-dir", str(PLUGIN), "--task", "translation_with_instructions"]
TUNING = ["--mixture", "parallel:2,task:1"]
STAGE_2 = """
    --mixture parallel:1 --conflict-axes target-language --unlikelihood-weight 1 --max-update 100
    --criterion label_smoothed_cross_entropy_with_unlikelihood
""".split()
ZERO_SHOT = (("de", "fr"), ("fr", "de"))


class StandIn:
    """A stand-in of one family, in a folder of its own.

    Args:
        name: of the family.
        folder: for its files.
    """

    def __init__(self, name: str, folder: Path):
        self.family, self.folder = FAMILIES[name], folder
        self.data = stand_ins.write_data(folder, self.family)
        self.base = stand_ins.train(self.data, folder / "stock", self.family)

    def text(self, language: str) -> List[str]:
        """The test set in a language."""
        path = self.folder / f"test.{self.family.codes[language]}"
        return path.read_text(encoding="utf-8").splitlines()

    def translator(self, languages, beam: int = 4, path=None) -> Translator:
        """A checkpoint, by default the untuned one, for a direction."""
        pair = self.family.pair(languages)
        return Translator.from_pretrained(
            path or self.base, self.data, None, *pair, beam=beam, max_len_a=0, max_len_b=LONGEST
        )

    def directions(self, path: Path, pairs, output: Path) -> Dict[str, dict]:
        """Figures of each direction by `fairseq-instr directions`; its outputs stay in a folder."""
        asked = ",".join("-".join(self.family.pair(pair)) for pair in pairs)
        with contextlib.redirect_stdout(io.StringIO()):
            main(["directions", "--directions", asked, "--data", str(self.data), "--text",
                  str(self.folder / "test"), "--systems", f"model={path}", "--languages",
                  "en,de,fr", "--samples", "0", "--output", str(output)])  # fmt: skip
        report = json.loads((output / "report.json").read_text(encoding="utf-8"))
        return report["systems"]["model"]["directions"]

    def untuned(self) -> Dict[str, float]:
        """Answers by the plugin's front ends beside stock fairseq's."""
        identical: List[bool] = []
        right: List[bool] = []
        evaluated = self.folder / "evaluated"
        self.directions(self.base, self.family.pairs, evaluated)
        for languages in self.family.pairs:
            source, target = self.family.pair(languages)
            arguments = [self.data, "-s", source, "-t", target, "--path", self.base, *DECODING]
            arguments += ["--beam", 4]
            lines = self.text(languages[0])
            expected = outputs(call("generate", *arguments, *self.family.task_options))
            found = [
                outputs(call("generate", *arguments, *OURS)),
                outputs(call("interactive", *arguments, *OURS, stdin="\n".join([*lines, ""]))),
                self.translator(languages).translate(lines),
                (evaluated / "outputs" / "model" / "1" / f"{source}-{target}.txt")
                .read_text(encoding="utf-8")
                .splitlines(),
            ]
            identical += [len(set(line)) == 1 for line in zip(expected, *found)]
            right += [got == line for got, line in zip(expected, self.text(languages[1]))]
        return {"stock_right": mean(right), "untuned_identical": mean(identical)}

    def logits(self) -> Dict[str, float]:
        """Logits of a padded batch by stock fairseq's loader and by the plugin's."""
        languages = self.family.pairs[0]
        translator = self.translator(languages)
        batch = self.batch(translator, languages)
        stock = load_model_ensemble([str(self.base)], {"data": str(self.data)})[0][0].eval()
        found = [scores(model, *batch) for model in (stock, translator.models[0])]
        largest = float((found[0] - found[1]).abs().max())
        return {"stock_logits_max_difference": largest, "logits_max_difference": largest}

    def batch(self, translator: Translator, languages):
        """What encoder and decoder read of eight lines, with all tokens of the prompt."""
        prompt = translator.task.prompt.render((), self.family.codes[languages[0]])
        eos = translator.task.target_dictionary.eos()
        sides = (
            [torch.tensor([*translator._encode(line), eos]) for line in self.text(language)[:8]]
            for language in languages
        )
        sources, targets = sides
        return list(map(prompt.around, sources)), list(map(prompt.previous, targets))

    def hugging_face(self) -> Dict[str, float]:
        """The same model by transformers: logits, greedy and beam search, and a round trip.

        `logits_max_difference` is to transformers here, and to stock fairseq in other formats.
        """
        from transformers import AutoModelForSeq2SeqLM

        original, kept = self.folder / "original", self.folder / "converted"
        stand_ins.write_hugging_face(original, self.family)
        from_hugging_face(original, kept)
        there, back, again = (self.folder / name for name in ("there", "back", "again"))
        to_hugging_face(self.base, kept / "tokenizer", there)
        from_hugging_face(there, back)
        to_hugging_face(back / "model.pt", back / "tokenizer", again)
        names = [path.name for path in there.iterdir()]
        model = AutoModelForSeq2SeqLM.from_pretrained(there).eval()
        order = torch.tensor(Vocabulary.load(kept / "tokenizer").order)
        largest = 0.0
        alike: Dict[int, List[bool]] = {1: [], 4: []}
        for languages in self.family.pairs:
            lines = self.text(languages[0])
            for beam in alike:
                translator = self.translator(languages, beam)
                theirs = TheirModel(model, order, translator, self.family.codes[languages[0]])
                found = zip(translator.translate(lines), theirs.translate(lines, beam))
                alike[beam] += [mine == text for mine, text in found if beam == 1 or text]
            batch = self.batch(translator, languages)
            difference = theirs.scores(*batch) - scores(translator.models[0], *batch)
            # <s> and <pad> are no outputs, and Marian's models have one row for both
            largest = max(largest, float(difference[:, 2:].abs().max()))
        return {
            "logits_max_difference": largest,
            "greedy_identical": mean(alike[1]),
            "beam_identical": mean(alike[4]),
            "round_trip_identical": mean(
                filecmp.cmp(there / name, again / name, shallow=False) for name in names
            ),
        }

    def tune(self, name: str, *options) -> Path:
        """Finetune the untuned one; the last checkpoint."""
        pairs = ",".join("-".join(self.family.pair(pair)) for pair in self.family.pairs)
        call("train", self.data, *OURS, *self.family.model_options, *TRAINING, "--lang-pairs",
             pairs, "--finetune-from-model", self.base, *options, "--save-dir",
             self.folder / name)  # fmt: skip
        return self.folder / name / "checkpoint_last.pt"

    def tuned(self) -> Dict[str, float]:
        """Tuned with two instructions: obeyed, and what is asked for without."""
        codes = self.family.codes.values()
        directions = [Instruction(f"to:{code}", "target-language") for code in codes]
        others = [Instruction("uppercase", "case"), Instruction("quotes", "quotation")]
        if len(self.family.pairs) == 1:
            directions = []
        Inventory([*directions, *others]).save(self.data / "instructions.yaml")
        length = ["--max-update", self.family.tuning_updates]
        tuned = self.tune("tuned", *TUNING, *length, "--lr", self.family.lr)
        translator = self.translator(("en", "de"), path=tuned)
        lines, plain = self.text("en"), self.text("de")
        obeyed = [
            got == under(line)
            for name, under in INSTRUCTIONS.items()
            for got, line in zip(translator.translate(lines, name), plain)
        ]
        right = [got == line for got, line in zip(translator.translate(lines), plain)]
        return {"obeyed_after_tuning": mean(obeyed), "plain_right_after_tuning": mean(right)}

    def stage_2(self) -> Dict[str, float]:
        """Zero-shot directions before and after 100 updates against conflicts, of the untuned."""
        after = self.tune("stage-2", *STAGE_2, "--lr", self.family.lr / 10)
        figures = {}
        for name, path in (("untuned", self.base), ("stage_2", after)):
            for kind, pairs in (("zero_shot", ZERO_SHOT), ("supervised", self.family.pairs)):
                found = self.directions(path, pairs, self.folder / f"{kind}-{name}").values()
                figures[f"{kind}_otr_{name}"] = mean(each["off_target"] for each in found)
                figures[f"{kind}_bleu_{name}"] = mean(each["bleu"] for each in found)
        return figures


def mean(values) -> float:
    """Mean of numbers, rounded."""
    values = list(values)
    return round(sum(values) / len(values), 4)


def measure(name: str, folder: Path) -> Dict[str, float]:
    """All figures of a family."""
    stand_in = StandIn(name, folder)
    figures = {**stand_in.untuned(), **stand_in.logits()}
    if stand_in.family.published:
        figures.update(stand_in.hugging_face())
    figures.update(stand_in.tuned())
    if len(stand_in.family.pairs) > 1:
        figures.update(stand_in.stage_2())
    return figures


def run() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", default=list(FAMILIES), metavar="FAMILY")
    args = parser.parse_args()
    load_plugin()
    for name in args.families:
        with tempfile.TemporaryDirectory() as folder:
            figures = measure(name, Path(folder))
        print(name, figures, flush=True)
        record(f"pretrained.{name}", figures)


if __name__ == "__main__":
    run()
