"""A system to be evaluated that is no model."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fairseq_instr.instructions import Inventory


class FakeSystem:
    """Answers by `answer(line, asked)`: a text, or its hypotheses, the best first.

    `asked` keeps what it was asked, a list of jobs a call.
    """

    def __init__(self, answer, inventory=None):
        self.answer, self.inventory = answer, inventory or Inventory()
        self.asked = []

    def translate(self, lines, instruct, batch_size=64, progress=None):
        found = self.translate_n_best(lines, instruct, 1, batch_size, progress)
        return [hypotheses[0].text for hypotheses in found]

    def translate_n_best(self, lines, instruct, n_best, batch_size=64, progress=None):
        self.asked.append(list(zip(lines, instruct)))
        found = [self.answer(line, asked) for line, asked in zip(lines, instruct)]
        lists = [[texts] if isinstance(texts, str) else texts for texts in found]
        return [[SimpleNamespace(text=text) for text in texts[:n_best]] for texts in lists]


@pytest.fixture(scope="session")
def fake_system():
    return FakeSystem
