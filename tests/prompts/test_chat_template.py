"""Jinja renders what `TemplatePrompt` renders."""

import pytest

from fairseq_instr.instructions import Inventory
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.prompts.chat_template import chat_template
from fairseq_instr.prompts.templates import Template, library

from .test_templates import DIRECTIONS, make, say

ODD = {
    "prompt": "{{\"'}} {source_language}{instructions}: {source} =\n\\",
    "lead": " → PROMPT ",  # as the placeholders of `chat_template`
    "languages": {"en": "“English”", "de": "German"},
    "by_target": {
        "fr": {
            "prompt": "{source}\n{source_language}{instructions} 🙂",
            "joiner": " et ",
            "phrases": {"to:fr": "en français"},
        }
    },
}


def fail(message):
    raise ValueError(message)


@pytest.fixture
def render():
    """`render(template, content, **arguments)`, as transformers renders a chat template."""
    sandbox = pytest.importorskip("jinja2.sandbox")

    def render(template, content, **arguments):
        environment = sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = fail
        messages = [{"role": "user", "content": content}]
        return environment.from_string(template).render(messages=messages, **arguments)

    return render


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    "instructions",
    [(), (0,), (1,), (0, 2), (1, 2), (1, Request(3, "Ja {x}")), (Request(3, 'a "b"'),)],
)
def test_as_the_prompt(render, instructions, language):
    requests = [i if isinstance(i, Request) else Request(i) for i in instructions]
    asked = {DIRECTIONS[r.position].name: r.argument for r in requests}
    rendered = render(
        chat_template(Template.from_dict(ODD, "test"), DIRECTIONS),
        "Zwei {Männer}\t<b>",
        source_language=language,
        instructions=asked if any(asked.values()) else list(reversed(list(asked))),
    )
    assert rendered == say(make(ODD), "Zwei {Männer}\t<b>", instructions, language)


@pytest.mark.parametrize("name", library())
def test_the_library(render, name):
    inventory = Inventory(look_up(f"to:{code}") for code in ("en", "de", "fr"))
    prompt = make({"prompt": "{source}"})
    prompt.template, prompt.inventory = Template.load(name), inventory
    text = chat_template(prompt.template, inventory)
    for position, code in enumerate(("en", "de", "fr")):
        rendered = render(text, "SOURCE", source_language="cs", instructions=[f"to:{code}"])
        assert rendered == say(prompt, "SOURCE", (position,), "cs")


@pytest.mark.parametrize(
    "arguments, named",
    [
        ({"source_language": "xx"}, "source_language"),
        ({}, "source_language"),
        ({"source_language": "en", "instructions": ["to:xx"]}, "to:xx"),
        # an argument that is missing, and one that nothing takes
        ({"source_language": "en", "instructions": ["begin-with"]}, "begin-with"),
        ({"source_language": "en", "instructions": {"begin-with": None}}, "begin-with"),
        ({"source_language": "en", "instructions": {"to:fr": "x"}}, "begin-with"),
    ],
)
def test_what_is_not_known_is_refused(render, arguments, named):
    with pytest.raises(ValueError, match=named):
        render(chat_template(Template.from_dict(ODD, "test"), DIRECTIONS), "x", **arguments)
