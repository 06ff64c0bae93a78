"""Searching with the real generator over a real (untrained) model."""

from __future__ import annotations

from argparse import Namespace

import torch

EOS = 2


class Searcher:
    """A task, an untrained model of steep distributions, and a generator."""

    def __init__(self, make_task, placement, options, beam, **search):
        self.task = make_task("--prompt-placement", placement, "--share-all-embeddings", *options)
        torch.manual_seed(5)
        self.model = self.task.build_model(self.task.full_cfg.model).eval()
        with torch.no_grad():
            self.model.encoder.embed_tokens.weight *= 2
        args = Namespace(**{"beam": beam, "max_len_a": 0, "max_len_b": 7, **search})
        self.generator = self.task.build_generator([self.model], args)

    def sources(self, lines):
        return [self.task.src_dict.encode_line(x, add_if_not_exist=False).long() for x in lines]

    def typed(self, lines, asked):
        return [self.task.typed_line(*x) for x in zip(self.sources(lines), asked)]

    def sample(self, lines, asked):
        """What fairseq-interactive gives to the task."""
        dataset = self.task.typed_lines(self.typed(lines, asked))
        return dataset.collater([dataset[i] for i in range(len(lines))])

    def search(self, lines, asked, **more):
        """Hypotheses of each line, in the lines' order."""
        sample = self.sample(lines, asked)
        found = self.task.inference_step(self.generator, [self.model], sample, **more)
        by_id = dict(zip(sample["id"].tolist(), found))
        return [by_id[i] for i in range(len(lines))]

    def lprobs(self, source, asked, output):
        """Log-probabilities of all tokens at all places of an output, by one forward pass."""
        rendering = self.task.prompt.render(asked)
        on_decoder, source = rendering.decoder, rendering.around(source)
        previous = torch.cat((torch.tensor([EOS, *on_decoder]), output[:-1]))
        with torch.no_grad():
            logits, _ = self.model(source[None], torch.tensor([len(source)]), previous[None])
        return logits[0, len(on_decoder) :].double().log_softmax(-1)
