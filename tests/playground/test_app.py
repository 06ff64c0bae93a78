"""The application over HTTP: what it answers, and what it refuses."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("flask")

from fairseq_instr.instructions import Context, Instruction, Inventory
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.playground.app import MAX_BODY, MAX_TEXT, create_app, describe, judge


@pytest.fixture(scope="module")
def client(systems):
    return create_app(systems, "de", frozenset({"localhost"})).test_client()


def ask(client, text="w1 w2", *instructions, **options):
    body = {"text": text, "instructions": list(instructions)}
    return client.post("/translate", json=body, **options)


def test_the_page_and_its_parts_are_there(client):
    page = client.get("/")
    assert page.status_code == 200 and b"<form" in page.data
    assert client.get("/page/playground.js").status_code == 200
    assert client.get("/page/playground.css").status_code == 200
    # nothing but its own files is run
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self';")


def test_instructions_come_by_axis(client):
    content = client.get("/instructions").get_json()
    assert [axis["axis"] for axis in content["axes"]] == ["case", "formality", "punctuation"]
    assert [entry["name"] for entry in content["axes"][0]["instructions"]] == [
        "uppercase",
        "lowercase",
    ]
    assert content["systems"] == ["base", "tuned"]


def test_directions_are_not_ticked_and_own_instructions_have_no_verifier():
    inventory = Inventory(
        [look_up("to:de"), look_up("begin-with"), Instruction("our-style", "style", ("as we do",))]
    )
    opening, style = describe(inventory)
    assert opening["instructions"][0]["argument"] == "text"
    assert style["instructions"] == [
        {"name": "our-style", "phrase": "as we do", "argument": None, "verified": False}
    ]


def test_models_answer_side_by_side(client, systems):
    answer = ask(client, "w1 w2", {"name": "uppercase"}, {"name": "formal"})
    assert answer.status_code == 200
    base, tuned = answer.get_json()["results"]
    assert (base["system"], base["asked"]) == ("base", False)
    assert base["text"] == systems["base"].translator.translate(["w1 w2"])[0]
    asked = systems["tuned"].translator.translate_n_best(["w1 w2"], "uppercase, formal")[0][0]
    assert (tuned["text"], tuned["score"]) == (asked.text, round(asked.score, 4))
    assert {mark["name"]: mark["obeyed"] for mark in tuned["marks"]}["uppercase"] == (
        tuned["text"] == tuned["text"].upper()
    )


def test_marks_are_the_verifiers():
    wanted = [(name, look_up(name)) for name in ("uppercase", 'begin-with="JA"')]
    marks = judge([*wanted, ("our-style", None)], "NEIN DANKE", Context("no", "de"))
    assert marks == [
        {"name": "uppercase", "obeyed": True},
        {"name": 'begin-with="JA"', "obeyed": False},
        {"name": "our-style", "obeyed": None},
    ]


@pytest.mark.parametrize(
    "instructions, message",
    [
        ([{"name": "loud"}], "unknown instruction 'loud'; accepted: uppercase"),
        ([{"name": "uppercase"}, {"name": "lowercase"}], "exclude each other"),
        ([{"name": "formal", "argument": "x"}], "takes no argument"),
        ([{"name": "formal, uppercase"}], "unknown instruction 'formal, uppercase'"),
        ([{"name": 'formal="x"'}], "unknown instruction"),
        ([{"name": ""}], "unknown instruction ''"),
        (["formal"], "an instruction has a name"),
        ([{"name": "formal", "argument": 1}], "an instruction has a name"),
    ],
)
def test_bad_instructions_are_refused(client, instructions, message):
    answer = ask(client, "w1", *instructions)
    assert answer.status_code == 400
    assert message in answer.get_json()["error"]


@pytest.mark.parametrize(
    "body, code, message",
    [
        (b"", 400, "the body is not JSON"),
        (b"\xff", 400, "the body is not JSON"),
        (b"[" * 50_000, 400, "the body is not JSON"),
        (b"{}", 400, "the body has two keys"),
        (b'{"text": 1, "instructions": []}', 400, "the body has two keys"),
        (b'{"text": "\\ud800", "instructions": []}', 400, "lone surrogate U+D800"),
        (json.dumps({"text": "a" * (MAX_TEXT + 1), "instructions": []}).encode(), 400, "at most"),
        (json.dumps({"text": "w1 " * 600, "instructions": []}).encode(), 400, "split it"),
        (b" " * (MAX_BODY + 1), 413, ""),
    ],
)
def test_bad_requests_are_refused(client, body, code, message):
    answer = client.post("/translate", data=body, content_type="application/json")
    assert answer.status_code == code
    assert message in answer.get_json()["error"]


def test_other_sites_are_refused(client):
    assert ask(client, headers={"Origin": "http://localhost"}).status_code == 200
    assert ask(client, headers={"Origin": "http://elsewhere.example"}).status_code == 403
    assert ask(client, headers={"Origin": "null"}).status_code == 403
    assert client.get("/", headers={"Host": "elsewhere.example:8765"}).status_code == 403
    assert client.get("/", headers={"Host": "localhost:8765"}).status_code == 200


def test_unknown_addresses_and_methods_are_refused(client):
    assert client.get("/page/../app.py").status_code == 404
    assert client.get("/translate").status_code == 405
