"""A playground over the tiny models of the other tests."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def systems(base, tuned, data_bin):
    pytest.importorskip("flask")
    from fairseq_instr.generation.translator import Translator
    from fairseq_instr.playground.app import System

    return {
        "base": System(Translator.from_pretrained(base, data_bin), asked=False),
        "tuned": System(Translator.from_pretrained(tuned, data_bin), asked=True),
    }
