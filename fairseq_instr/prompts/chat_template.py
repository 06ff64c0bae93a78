r"""A template of prompts in words as Hugging Face's chat template, which Jinja renders.

    tokenizer.apply_chat_template(
        [{"role": "user", "content": "Ein Hund."}],
        source_language="de", instructions=["to:fr"], add_generation_prompt=True,
    )

gives the prompt that the model was trained with. An instruction with an argument is asked for by
a map: `instructions={"to:fr": None, "begin-with": "Voici"}`.
"""

from __future__ import annotations

import json
import re
import string
from typing import Any

from fairseq_instr.instructions.inventory import Inventory, direction
from fairseq_instr.prompts import templates

_EXPRESSIONS = {
    templates.SOURCE: "messages[-1]['content']",
    templates.INSTRUCTIONS: "said.text",
    templates.SOURCE_LANGUAGE: "(languages[source_language] if source_language in languages else "
    "raise_exception('source_language: give one of ' ~ languages | join(', ')))",
}
_BODY = """\
{%- set phrases = PHRASES -%}
{%- set languages = LANGUAGES -%}
{%- set said = namespace(text='') -%}
{%- for name in asked if name not in phrases -%}
{{- raise_exception('instructions: ' ~ name ~ ' is none of ' ~ phrases | join(', ')) -}}
{%- endfor -%}
{%- for name in phrases if name in asked -%}
{%- set said.text = said.text ~ (JOINER if said.text else LEAD) ~ phrases[name] -%}
{%- set argument = asked[name] if asked is mapping else none -%}
{%- if (name in ARGUMENTS) != (argument is not none) -%}
{{- raise_exception('instructions: give {name: argument} for ' ~ ARGUMENTS | join(', ')
~ ', and none for others') -}}
{%- endif -%}
{%- if argument is not none -%}
{%- set said.text = said.text ~ ': "' ~ argument ~ '"' -%}
{%- endif -%}
{%- endfor -%}
{{- PROMPT -}}
"""


def chat_template(template: templates.Template, inventory: Inventory) -> str:
    """The Jinja text that renders what `TemplatePrompt` renders without demonstrations.

    Args:
        inventory: of the instructions; they are said in its order.
    """
    text = "{%- set asked = instructions | default([]) -%}\n"
    word = "if"
    for language, variant in template.by_target.items():
        name = direction(language)
        if name in inventory:
            text += f"{{%- {word} {_literal(name)} in asked -%}}\n{_body(variant, inventory)}"
            word = "elif"
    rest = _body(template, inventory)
    return text + (rest if word == "if" else f"{{%- else -%}}\n{rest}{{%- endif -%}}\n")


def _body(template: templates.Template, inventory: Inventory) -> str:
    """The part of one target language."""
    parts = []
    for literal, slot, _, _ in string.Formatter().parse(template.prompt):
        if literal:
            parts.append(_literal(literal))
        if slot is not None:
            parts.append(_EXPRESSIONS[slot])
    values = {
        "PHRASES": _literal({i.name: templates.phrase_of(template, i) for i in inventory}),
        "ARGUMENTS": _literal([i.name for i in inventory if i.argument]),
        "LANGUAGES": _literal(dict(templates.language_names(template))),
        "JOINER": _literal(template.joiner),
        "LEAD": _literal(template.lead),
        "PROMPT": " ~ ".join(parts),
    }
    return re.sub("|".join(values), lambda place: values[place[0]], _BODY)


def _literal(value: Any) -> str:
    """A text, or a list or map of texts, as Jinja writes it, which is JSON."""
    return json.dumps(value, ensure_ascii=False)
