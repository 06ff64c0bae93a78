"""The embedded sample corpus: a small grammar that says one content in six languages.

It needs no download, so that a recipe can be tried from end to end anywhere. It is small and
regular: what a model reaches on it says nothing about real text.

    sentence = next(generate(1, seed=1))
    sentence.texts["de"], sentence.attributes
    sentence.variant(formality="formal").texts["de"]
"""

from fairseq_instr.sample.corpus import Sentence, generate, split, write
from fairseq_instr.sample.lexicon import LANGUAGES

__all__ = ["LANGUAGES", "Sentence", "generate", "split", "write"]
