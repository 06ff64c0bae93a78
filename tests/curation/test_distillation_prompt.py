"""What a language model is asked, and where its answer is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.curation.distillation_prompt import (
    CHATTER,
    NO_ANSWER,
    SEVERAL_LINES,
    RewritingPrompt,
    say,
)
from fairseq_instr.errors import InputError
from fairseq_instr.instructions.catalogue import catalogue, look_up

DEFAULT = RewritingPrompt.load()


def user(prompt, source="Come in!", target="Komm herein!", said="formal"):
    request = prompt.request("tiny", source, target, said, ("en", "de"))
    assert request["model"] == "tiny"
    return request["messages"][-1]["content"]


def test_the_default_says_everything():
    text = user(DEFAULT)
    for part in ("Come in!", "Komm herein!", "formal", "English", "German", "<translation>"):
        assert part in text
    request = DEFAULT.request("tiny", "a", "b", "c", ("en", "xx"))
    assert request["temperature"] == 0 and request["max_tokens"] == 1024
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert "xx translation" in request["messages"][0]["content"]  # a code without a name


def test_an_instruction_is_said_by_its_first_phrase():
    assert say(catalogue()["formal"], "formal") == "formal"
    phrase = catalogue()["at-most"].phrases[0]
    assert say(look_up("at-most=40"), "at-most=40") == f'{phrase}: "40"'


@pytest.mark.parametrize(
    "content, read",
    [
        ("<translation>Kommen Sie!</translation>", ("Kommen Sie!", None)),
        ("\n <translation> Kommen Sie!\n</translation>\n", ("Kommen Sie!", None)),
        ("Kommen Sie!", ("", NO_ANSWER)),
        ("I'm sorry, but I can't help with that.", ("", NO_ANSWER)),
        ("", ("", NO_ANSWER)),
        ("<translation>Kommen", ("", NO_ANSWER)),
        ("Sure! <translation>Kommen Sie!</translation>", ("", CHATTER)),
        ("<translation>Kommen Sie!</translation> Anything else?", ("", CHATTER)),
        ("<translation>a</translation> or <translation>b</translation>", ("", CHATTER)),
        ("</translation>x<translation>", ("", CHATTER)),
        ("<translation>a\nb</translation>", ("a\nb", SEVERAL_LINES)),
        ("<translation>a\u2028b</translation>", ("a\u2028b", SEVERAL_LINES)),
        ("<think>\n<translation>?\n</think>\n<translation>Kommen Sie!</translation>",
         ("Kommen Sie!", None)),
        ("so it is formal</think><translation>Kommen Sie!</translation>", ("Kommen Sie!", None)),
        ("<think><translation>Kommen Sie!</translation>", ("", CHATTER)),
        ("```\n<translation>Kommen Sie!</translation>\n```", ("Kommen Sie!", None)),
        ("<translation>\n```text\nKommen Sie!\n```\n</translation>", ("Kommen Sie!", None)),
        ("Sure!\n```\n<translation>Kommen Sie!</translation>\n```", ("", CHATTER)),
        ("<translation></translation>", ("", None)),  # the filters refuse what is empty
    ],
)  # fmt: skip
def test_the_answer_stands_between_its_marks_alone(content, read):
    assert DEFAULT.read(content) == read


@given(st.text())
def test_without_marks_all_is_the_answer(content):
    text, reason = RewritingPrompt("{source}{target}{instruction}").read(content)
    assert text == content.strip()
    assert reason == (SEVERAL_LINES if len(text.splitlines()) > 1 else None)


USER = "user: '{source}{target}{instruction}'\n"


@pytest.mark.parametrize(
    "content, message",
    [
        ("user: '{source}{target}'", "{instruction}"),
        ("user: '{source.__class__}{target}{instruction}'", "{source.__class__}"),
        (USER + "system: '{source}'", "system has the place {source}"),
        (USER + "shout: 1", "'shout'; accepted: user, system"),
        (USER + "parameters: {model: x}", "'model'"),
        (USER + "parameters: {stream: true}", "'stream'"),
        (USER + "parameters: {stop: [a]}", "parameters is"),
        (USER + "begin: <a>", "begin and end"),
    ],
)
def test_a_wrong_file_is_named_with_its_entry(tmp_path, content, message):
    path = tmp_path / "prompt.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as info:
        RewritingPrompt.load(path)
    assert "prompt.yaml" in str(info.value) and message in str(info.value)
