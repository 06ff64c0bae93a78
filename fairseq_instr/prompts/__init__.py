"""Renderings of instructions around a source: how a model family is asked."""

from fairseq_instr.prompts.templates import Template, TemplatePrompt
from fairseq_instr.prompts.tokens import PLACEMENTS, TokenPrompt

__all__ = ["PLACEMENTS", "Template", "TemplatePrompt", "TokenPrompt"]
