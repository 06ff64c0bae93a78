"""Decoder-only models: against transformers, fairseq's language models and the public way.

    OMP_NUM_THREADS=1 python benchmarks/decoder_only.py

Same sizes in one process; the ways take turns, each turn is measured in CPU seconds, and a figure
is the median of the ratios of turns. Above 1 means that this project is faster.

logits_max_difference       largest difference of a logit to transformers, padded batch, fp32
generation_to_fairseq_lm    beam search: fairseq's transformer_lm, its prefix forced token by token
generation_to_hugging_face  beam search: transformers' generate, the same weights
training_to_fairseq_lm      a step of maximum likelihood, per target token: fairseq's transformer_lm
                            on the concatenation of prompt and target, loss on all of it
training_to_public          a step with unlikelihood: two forwards of transformers' model on the
                            concatenations, softmax, clamp and log, as the public code has it
"""

import argparse
import os
import statistics
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from commands import EOS, PAD, batch, conflicts, net_input, numbered_dictionary
from fairseq.data.data_utils import collate_tokens
from fairseq.models.transformer_lm import TransformerLanguageModel, TransformerLanguageModelConfig
from fairseq.sequence_generator import SequenceGenerator
from record import quartiles, ratios, record, take_turns
from transformers import LlamaConfig, LlamaForCausalLM

from fairseq_instr.checkpoints.hugging_face_llama import LlamaFamily, configuration
from fairseq_instr.criterions.label_smoothed_cross_entropy_with_unlikelihood import (
    LabelSmoothedCrossEntropyWithUnlikelihoodCriterion,
)
from fairseq_instr.models.decoder_only import DecoderOnlyConfig, DecoderOnlyModel
from fairseq_instr.models.decoder_only_config import complete_options

BOS, ALPHA = 0, 0.05


class Models:
    """The same sizes three times; this project's and transformers' also have the same weights."""

    def __init__(self, args):
        self.dictionary = numbered_dictionary(args.vocabulary)
        task = SimpleNamespace(
            source_dictionary=self.dictionary,
            target_dictionary=self.dictionary,
            output_dictionary=self.dictionary,
        )
        longest = args.prompt + args.target + 8
        options = complete_options(
            {
                "decoder_embed_dim": args.width,
                "decoder_ffn_embed_dim": args.ffn,
                "decoder_layers": args.layers,
                "decoder_attention_heads": args.heads,
                "decoder_key_value_heads": args.key_value_heads,
                "max_positions": longest,
            }
        )
        ids = {"bos_token_id": BOS, "pad_token_id": PAD, "eos_token_id": EOS}
        config = LlamaConfig(**configuration(options), **ids, vocab_size=args.vocabulary)
        self.hugging_face = LlamaForCausalLM(config)
        self.ours = DecoderOnlyModel.build_model(DecoderOnlyConfig(**options), task)
        theirs = self.hugging_face.state_dict()
        names = {key: LlamaFamily.name(None, key) for key in self.ours.state_dict()}
        self.ours.load_state_dict({key: theirs[name].clone() for key, name in names.items()})
        lm = TransformerLanguageModelConfig(
            dropout=0.0,
            attention_dropout=0.0,
            decoder_embed_dim=args.width,
            decoder_output_dim=args.width,
            decoder_input_dim=args.width,
            decoder_ffn_embed_dim=args.ffn * 3 // 2,  # two matrices where SwiGLU has three
            decoder_layers=args.layers,
            decoder_attention_heads=args.heads,
            decoder_normalize_before=True,
        )
        lm.tokens_per_sample = lm.max_target_positions = longest
        lm.add_bos_token, lm.tpu = False, False
        self.fairseq_lm = TransformerLanguageModel.build_model(lm, task)


class Texts:
    """Random prompts and targets of nearly equal lengths, as fairseq batches texts."""

    def __init__(self, args):
        generator = torch.Generator().manual_seed(args.seed)

        def draw(length):
            shape = (args.batch, length)
            return torch.randint(4, args.vocabulary, shape, generator=generator)

        prompts, targets = draw(args.prompt), draw(args.target)
        self.n_prompt = [args.prompt - row % 8 for row in range(args.batch)]
        self.n_target = [args.target - row % 5 for row in range(args.batch)]
        self.prompts = [row[:n] for row, n in zip(prompts, self.n_prompt)]
        self.targets = [
            torch.cat((row[: n - 1], torch.tensor([EOS]))) for row, n in zip(targets, self.n_target)
        ]
        # the instruction is a few tokens of the prompt
        self.wrong_prompts = [row.clone() for row in self.prompts]
        for row in self.wrong_prompts:
            row[5:8] = torch.randint(4, args.vocabulary, (3,), generator=generator)

    def sample(self):
        """A batch of fairseq, with a conflict for every row."""

        def sides(prompts):
            rows = [torch.cat((row, torch.tensor([EOS]))) for row in prompts]
            return rows, [row.roll(1) for row in self.targets]

        sample = batch(*sides(self.prompts), self.targets)
        wrong = net_input(*sides(self.wrong_prompts))
        return {**sample, "conflicts": conflicts(wrong, sample["target"])}

    def concatenated(self, prompts):
        """`<s> prompt target` padded on the right, and where its next tokens are the target's."""
        whole = [torch.cat((torch.tensor([BOS]), p, t)) for p, t in zip(prompts, self.targets)]
        tokens = collate_tokens(whole, PAD)
        is_target = torch.zeros(tokens[:, 1:].shape, dtype=torch.bool)
        for row, (prompt, target) in enumerate(zip(prompts, self.targets)):
            is_target[row, len(prompt) : len(prompt) + len(target)] = True
        return tokens, is_target


def logits_difference(models, texts):
    """Largest difference over the target tokens of a padded batch."""
    models.ours.eval()
    models.hugging_face.eval()
    sample = texts.sample()
    with torch.no_grad():
        logits, _ = models.ours(**sample["net_input"])
        tokens, is_target = texts.concatenated(texts.prompts)
        expected = models.hugging_face(tokens, attention_mask=tokens.ne(PAD).long()).logits
        own = logits[sample["target"].ne(PAD)]
        return (own - expected[:, :-1][is_target]).abs().max().item()


def generations(models, texts, args):
    """Functions that make exactly `target` tokens for each prompt."""
    n = args.target
    sample = texts.sample()
    rows = [torch.cat((torch.tensor([BOS]), row)) for row in texts.prompts]
    # transformers takes prompts padded on the left; fairseq forces a rectangle of them
    prompts = collate_tokens(rows, PAD, left_pad=True).to(models.hugging_face.device)
    shortest = min(map(len, texts.prompts))
    forced = torch.stack([row[:shortest] for row in texts.prompts])

    def search(model, longest):
        return SequenceGenerator(
            [model], models.dictionary, beam_size=args.beam, max_len_b=longest, min_len=longest
        )

    ours, lm = search(models.ours, n), search(models.fairseq_lm, shortest + n)

    def run_ours():
        ours.generate([models.ours], sample)

    def run_lm():
        lm.generate(
            [models.fairseq_lm], {"net_input": {"src_tokens": forced}}, prefix_tokens=forced
        )

    def run_hugging_face():
        models.hugging_face.generate(
            prompts,
            attention_mask=prompts.ne(PAD).long(),
            num_beams=args.beam,
            do_sample=False,
            min_new_tokens=n,
            max_new_tokens=n,
            pad_token_id=PAD,
            eos_token_id=EOS,
        )

    return {"ours": run_ours, "lm": run_lm, "hugging_face": run_hugging_face}


def trainings(models, texts):
    """Functions that make a forward and a backward over all target tokens."""
    sample = texts.sample()
    plain = {key: value for key, value in sample.items() if key != "conflicts"}
    task = SimpleNamespace(target_dictionary=models.dictionary)
    criterion = LabelSmoothedCrossEntropyWithUnlikelihoodCriterion(
        task, False, 0.0, unlikelihood_weight=ALPHA, fused_loss=True
    )

    def step(model, compute):
        def run():
            model.train()
            model.zero_grad(set_to_none=True)
            compute().backward()

        return run

    def lm_loss():
        tokens, _ = texts.concatenated(texts.prompts)
        logits, _ = models.fairseq_lm(tokens[:, :-1])
        lprobs = models.fairseq_lm.get_normalized_probs((logits, None), log_probs=True)
        return F.nll_loss(
            lprobs.flatten(0, 1), tokens[:, 1:].flatten(), ignore_index=PAD, reduction="sum"
        )

    def target_probabilities(prompts):
        tokens, is_target = texts.concatenated(prompts)
        logits = models.hugging_face(tokens, attention_mask=tokens.ne(PAD).long()).logits[:, :-1]
        targets = torch.where(is_target, tokens[:, 1:], 0)
        return logits, targets, is_target

    def public_loss():
        logits, targets, is_target = target_probabilities(texts.prompts)
        labels = targets.masked_fill(~is_target, -100)
        likely = F.cross_entropy(logits.flatten(0, 1), labels.flatten())
        logits, targets, is_target = target_probabilities(texts.wrong_prompts)
        probabilities = logits.softmax(-1)
        unlikely = (1 - probabilities).clamp(min=1e-5).log()
        unlikely = -unlikely.gather(2, targets[..., None]).squeeze(2)
        return likely + ALPHA * unlikely[is_target].mean()

    return {
        "ours": step(models.ours, lambda: criterion(models.ours, plain)[0]),
        "lm": step(models.fairseq_lm, lm_loss),
        "with_conflicts": step(models.ours, lambda: criterion(models.ours, sample)[0]),
        "public": step(models.hugging_face, public_loss),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vocabulary", type=int, default=16000)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--ffn", type=int, default=704, help="width of the SwiGLU")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--key-value-heads", type=int, default=4)
    parser.add_argument("--prompt", type=int, default=100, help="tokens of a prompt")
    parser.add_argument("--target", type=int, default=30, help="tokens of a target")
    parser.add_argument("--batch", type=int, default=8, help="sentences")
    parser.add_argument("--beam", type=int, default=4)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    models, texts = Models(args), Texts(args)
    difference = logits_difference(models, texts)
    generation = take_turns(generations(models, texts, args), args.turns, title="generation")
    training = take_turns(trainings(models, texts), args.turns, title="training")
    found = {
        "generation_to_fairseq_lm": ratios(generation, "lm", "ours"),
        "generation_to_hugging_face": ratios(generation, "hugging_face", "ours"),
        "training_to_fairseq_lm": ratios(training, "lm", "ours"),
        "training_to_public": ratios(training, "public", "with_conflicts"),
    }
    figures = {"logits_max_difference": difference}
    for name, values in found.items():
        figures[name] = round(statistics.median(values), 2)
        print(f"{name}: {figures[name]}")
    print(f"logits_max_difference: {difference:.1e}")
    sizes = {key: value for key, value in vars(args).items() if key != "turns"}
    details = {
        "sizes": sizes,
        "turns": args.turns,
        "quartiles": {name: quartiles(values) for name, values in found.items()},
        "ratio": "CPU seconds of the other way to those of this project's",
        "load_average": round(os.getloadavg()[0], 1),
    }
    record("decoder_only", figures, details)


if __name__ == "__main__":
    main()
