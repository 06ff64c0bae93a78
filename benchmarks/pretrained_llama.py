r"""A real LLaMA: the same weights, logits and outputs here and in Hugging Face transformers.

    OMP_NUM_THREADS=1 python benchmarks/pretrained_llama.py FOLDER --lines test.en \
        [--template short.yaml] [--tuned tuned.pt --data data-bin] [--name smollm2]

FOLDER is a Hugging Face folder, such as SmolLM2's, LINES are English sentences. Each is asked to be
translated into German, French and Czech in turn. With `--tuned`, that checkpoint is exported and
compared instead of the folder's own weights, and its chat template has to spell the prompts.

weights_identical     conversion there and back gives every tensor and the tokenizer, byte for byte
logits_max_relative   largest difference of a logit, to the largest logit, teacher-forced, fp32
greedy_identical      share of prompts with the same greedy output
beam_identical        share with the same output of beam 4, of the beam_ended ones that eos ends;
                      a hypothesis that the limit cuts ends otherwise: fairseq appends eos and its
                      score, transformers (early_stopping=True) does not

The figures are recorded after each batch, with the number of prompts that they are of: a run that
is stopped loses one batch.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Dict, Iterator, List

import torch
from fairseq.data.data_utils import collate_tokens
from fairseq.sequence_generator import SequenceGenerator
from record import record
from safetensors.torch import load_file
from tqdm import tqdm
from transformers import AutoModelForCausalLM, AutoTokenizer

from fairseq_instr.checkpoints.hugging_face import from_hugging_face, to_hugging_face
from fairseq_instr.checkpoints.hugging_face_vocabulary import Vocabulary
from fairseq_instr.generation.translator import Translator
from fairseq_instr.instructions import Inventory
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.text.lines import read_lines

TARGETS = ("de", "fr", "cs")
BATCH = 40
"""Prompts that are answered together; a quarter of them with beam 4."""
N_LOGITS = 20
"""Prompts whose logits are compared."""


def weights_identical(folder: Path, back: Path) -> bool:
    """Whether two folders hold the same tensors and the same tokenizer."""
    before, after = (
        {key: t for path in f.glob("*.safetensors") for key, t in load_file(str(path)).items()}
        for f in (folder, back)
    )
    return (
        before.keys() == after.keys()
        and all(t.dtype == after[k].dtype and torch.equal(t, after[k]) for k, t in before.items())
        and (folder / "tokenizer.json").read_bytes() == (back / "tokenizer.json").read_bytes()
    )


class Both:
    """One model here and in transformers, and prompts that both read.

    Args:
        translator: of the fairseq checkpoint.
        folder: the same weights for transformers.
        vocabulary: which id of transformers each of fairseq's is.
        new_tokens: longest output.
    """

    def __init__(self, translator: Translator, folder: Path, vocabulary: Vocabulary, new_tokens):
        self.ours = translator.models[0]
        self.dictionary = translator.task.target_dictionary
        self.theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.order = torch.tensor(vocabulary.order)
        self.new_tokens = new_tokens

    def read(self, prompt: torch.Tensor) -> torch.Tensor:
        """What transformers reads of a prompt that ends in eos."""
        bos = prompt.new_tensor([self.dictionary.bos()] if self.ours.encoder.prompt_bos else [])
        return self.order[torch.cat((bos, prompt[:-1]))]

    def logits_difference(self, prompt: torch.Tensor, target: torch.Tensor) -> float:
        """Relative difference on one target."""
        read, eos = self.read(prompt), target.new_tensor([self.dictionary.eos()])
        ours, _ = self.ours(prompt[None], None, torch.cat((eos, target))[None])
        whole = torch.cat((read, self.order[target]))[None]
        theirs = self.theirs(whole).logits[0, len(read) - 1 :, self.order]
        return float((ours[0] - theirs).abs().max() / theirs.abs().max())

    def outputs(self, prompts: List[torch.Tensor], beam: int):
        """Outputs of both: two lists of tokens as transformers has them, eos where it ended."""
        pad, eos = self.dictionary.pad(), self.dictionary.eos()
        generator = SequenceGenerator(
            [self.ours], self.dictionary, beam_size=beam, max_len_a=0, max_len_b=self.new_tokens
        )
        sources = collate_tokens(prompts, pad, left_pad=True)
        found = generator.generate([self.ours], {"net_input": {"src_tokens": sources}})
        ours = [self.order[hypotheses[0]["tokens"]].tolist() for hypotheses in found]
        read = [self.read(prompt) for prompt in prompts]
        padded = collate_tokens(read, int(self.order[pad]), left_pad=True)
        generated = self.theirs.generate(
            padded,
            attention_mask=collate_tokens(list(map(torch.ones_like, read)), 0, left_pad=True),
            num_beams=beam, do_sample=False, early_stopping=beam > 1, min_new_tokens=1,
            max_new_tokens=self.new_tokens, suppress_tokens=[int(self.order[pad])],
            pad_token_id=int(self.order[pad]), eos_token_id=int(self.order[eos]),
        )[:, padded.size(1) :].tolist()  # fmt: skip
        theirs = [[token for token in row if token != self.order[pad]] for row in generated]
        return ours, theirs


def compare(both: Both, prompts: List[torch.Tensor], n_beam: int) -> Iterator[Dict[str, object]]:
    """The figures of one model after each batch, of all batches so far."""
    end = int(both.order[both.dictionary.eos()])
    n_alike = n_ended = n_same = 0
    differences: List[float] = []
    figures: Dict[str, object] = {}
    for start in tqdm(range(0, len(prompts), BATCH), desc="greedy"):
        part = prompts[start : start + BATCH]
        for prompt, ours, theirs in zip(part, *both.outputs(part, 1)):
            ended = theirs[-1:] == [end]
            n_alike += (ours if ended else ours[:-1]) == theirs
            if len(differences) < N_LOGITS:
                target = torch.tensor([int((both.order == token).nonzero()) for token in theirs])
                differences.append(both.logits_difference(prompt, target))
        figures["logits_max_relative"] = max(differences)
        figures["greedy_prompts"] = start + len(part)
        figures["greedy_identical"] = n_alike / (start + len(part))
        yield figures
    for start in tqdm(range(0, n_beam, BATCH // 4), desc="beam 4"):
        part = prompts[start : min(start + BATCH // 4, n_beam)]
        for ours, theirs in zip(*both.outputs(part, 4)):
            if theirs[-1:] == [end]:
                n_ended += 1
                n_same += ours == theirs
        figures["beam_prompts"] = start + len(part)
        figures["beam_ended"] = n_ended
        if n_ended:
            figures["beam_identical"] = n_same / n_ended
        yield figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", required=True, help="English text")
    parser.add_argument("--template", default="alpaca")
    parser.add_argument("--tuned", type=Path, help="fairseq checkpoint tuned from the folder's")
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--beam-prompts", type=int, default=50)
    parser.add_argument("--new-tokens", type=int, default=24)
    parser.add_argument("--name", default="pretrained_llama", help="of the figures")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as work:
        converted, exported = Path(work, "converted"), Path(work, "exported")
        vocabulary = from_hugging_face(args.folder, converted)
        checkpoint = args.tuned or converted / "model.pt"
        to_hugging_face(checkpoint, converted / "tokenizer", exported)
        for language in ("en", *TARGETS):
            shutil.copyfile(converted / "dict.txt", converted / f"dict.{language}.txt")
        Inventory(look_up(f"to:{language}") for language in TARGETS).save(
            converted / "instructions.yaml"
        )
        translator = Translator.from_pretrained(
            checkpoint, converted, converted / "tokenizer", "en", "de",
            prompt_template=args.template, direction_instruction="never",
        )  # fmt: skip
        lines = read_lines(args.lines)[: args.prompts]
        asked = [f"to:{TARGETS[i % len(TARGETS)]}" for i in range(len(lines))]
        both = Both(translator, exported, vocabulary, args.new_tokens)
        prompts = [translator.render(line, a).rendered for line, a in zip(lines, asked)]
        figures: Dict[str, object] = {}
        if args.tuned:
            tokenizer = AutoTokenizer.from_pretrained(exported)
            spelled = [
                tokenizer.apply_chat_template(
                    [{"role": "user", "content": line}], source_language="en", instructions=[a],
                    return_dict=False,
                )
                for line, a in zip(lines, asked)
            ]  # fmt: skip
            alike = [both.read(p).tolist() == s for p, s in zip(prompts, spelled)]
            figures["chat_template_identical"] = sum(alike) / len(alike)
        else:
            figures["weights_identical"] = weights_identical(args.folder, exported)
        details = {"new tokens": args.new_tokens, "template": args.template}
        for measured in compare(both, prompts, min(args.beam_prompts, len(prompts))):
            figures.update(measured)
            record(args.name, figures, details)
    for name, value in figures.items():
        print(f"{args.name}.{name}: {value}")


if __name__ == "__main__":
    main()
