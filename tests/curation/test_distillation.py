"""A language model behind a real server rewrites translations; what obeys becomes samples.

The server rewrites as it is told: `du` becomes `Sie`, and verbs follow.
"""

import asyncio
import gc
import inspect
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest

pytest.importorskip("httpx2" if sys.version_info >= (3, 10) else "httpx")

from fairseq_instr.curation import Checks, curators, distill, filters
from fairseq_instr.curation import distillation_harvest as module
from fairseq_instr.curation.aligned_text import Chunk
from fairseq_instr.curation.curators import NOT_VERIFIED, OBEYS_ALREADY, Curation
from fairseq_instr.curation.distillation_answers import Answers, fingerprint
from fairseq_instr.curation.distillation_endpoint import CUT_OFF, NOT_JSON, Endpoint
from fairseq_instr.curation.distillation_harvest import CandidateCurator, similarity, want
from fairseq_instr.curation.distillation_prompt import CHATTER, NO_ANSWER, SEVERAL_LINES
from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import read_lines
from fairseq_instr.text.subwords import Subwords, train

ENDPOINT, CHECKS = (inspect.signature(kind).parameters for kind in (Endpoint, Checks))
PLAIN = "Hast du heute {} große Hunde im Garten gesehen?"
N_PAIRS = 30


def rewrite(body):
    """What an obedient model says."""
    plain = re.search("German translation: (.*)", body["messages"][-1]["content"])[1]
    return f"<translation>{plain.replace('Hast du', 'Haben Sie')}</translation>"


def number(body):
    """Which pair a request is about."""
    return int(re.search(r"seen (\d+) big", body["messages"][-1]["content"])[1])


@pytest.fixture
def obedient(complete):
    return lambda server, body, handler: (200, {}, complete(rewrite(body)))


@pytest.fixture
def text(tmp_path):
    """30 pairs of informal address, and a formal one, which is no candidate."""
    sources = [f"Have you seen {i} big dogs in the garden today?\n" for i in range(N_PAIRS)]
    targets = [PLAIN.format(i) + "\n" for i in range(N_PAIRS)]
    sources.append("Please sit down.\n")
    targets.append("Bitte setzen Sie sich.\n")
    (tmp_path / "train.en").write_text("".join(sources), encoding="utf-8")
    (tmp_path / "train.de").write_text("".join(targets), encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(text, api_key):
    def run(server, output="task", instructions=("formal",), n_samples=5, **options):
        url = server if isinstance(server, str) else server.url
        asking = {"base_url": url, "key": api_key, "first_wait": 0.01}
        asking.update({name: options.pop(name) for name in ENDPOINT if name in options})
        checks = {name: options.pop(name) for name in CHECKS if name in options}
        sides = {"source": text / "train.en", "target": text / "train.de", **options}
        distill(
            source_language="en", target_language="de", instructions=instructions, model="tiny",
            endpoint=Endpoint(**asking), output=text / output, n_samples=n_samples,
            checks=Checks(**checks), **sides,
        )  # fmt: skip
        return text / output

    return run


def read(folder, name="formal"):
    return [read_lines(folder / name / f"train.{e}") for e in ("en", "de", "instr")]


def card_of(folder):
    return json.loads((folder / "data_card.json").read_text(encoding="utf-8"))


def test_three_aligned_files_and_a_data_card(serve, run, obedient, api_key, capfd):
    server = serve(obedient)
    # all pairs are candidates
    folder = run(server, n_candidates=5, n_samples=7, show_progress=True)
    sources, targets, asked = read(folder)
    assert len(sources) == len(targets) == 7 and asked == ["formal"] * 7
    for source, target in zip(sources, targets):
        i = source.split()[3]
        assert target == PLAIN.format(i).replace("Hast du", "Haben Sie")
    numbers = [int(source.split()[3]) for source in sources]
    assert numbers == sorted(numbers)  # the order of the text
    card = card_of(folder)
    entry = card["instructions"]["formal"]
    assert (entry["made"], entry["samples"], entry["asked_for"]) == ("distilled", 7, 7)
    assert entry["answers"] == {"asked": 7, "refused": {}}
    assert entry["rejected"] == {OBEYS_ALREADY: 1} and entry["said"] == "formal"
    assert card["made_from"]["requests"] == 7 and card["made_from"]["tokens"] == 70
    assert card["made_from"]["model"] == "tiny" and card["complete"]
    assert len(server.requests) == 7  # no more than are needed
    assert not list(folder.glob("curation-*"))
    said = capfd.readouterr()
    assert "samples" in said.err  # the progress bar
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        assert api_key.encode() not in path.read_bytes()
    assert api_key not in said.out + said.err


def test_samples_do_not_depend_on_what_is_answered_first(serve, run, complete):
    def slow(server, body, handler):
        threading.Event().wait(number(body) % 4 * 0.02)
        refused = number(body) % 3 == 0
        return 200, {}, complete("No." if refused else rewrite(body))

    folders = []
    for concurrency in (1, 7):
        folders.append(
            run(serve(slow), concurrency=concurrency, output=f"c{concurrency}", n_samples=9)
        )
    assert read(folders[0]) == read(folders[1])
    assert card_of(folders[0])["instructions"] == card_of(folders[1])["instructions"]
    assert len(read(folders[0])[0]) == 9
    other = run(serve(slow), seed=2, output="seed", n_samples=9)
    assert read(other) != read(folders[0])


def test_hostile_answers_are_refused_and_counted_by_reason(serve, run, text, complete):
    (text / "test.de").write_text("haben sie das im test gesehen\n", encoding="utf-8")
    marked = "<translation>{}</translation>".format

    def behave(server, body, handler):
        good = rewrite(body)
        answers = [
            complete(good),
            b"<html>busy</html>",
            complete(f"Sure! {good}"),
            complete("I'm sorry, I can't help with that."),
            complete(marked("Haben Sie\nheute")),
            complete(marked("Haben Sie \x1b[31m heute gesehen?")),
            complete(marked("")),
            complete(marked("Hast du heute 7 große Hunde gesehen?")),  # not formal
            complete(marked("Leider kann ich Ihnen dabei nicht weiterhelfen.")),
            complete(marked("Haben Sie " + "sehr " * 90)),
            complete(good, finish_reason="length"),
            complete(marked("Haben Sie das im Test gesehen?")),
        ]
        return 200, {}, answers[number(body) % len(answers)]

    folder = run(serve(behave), n_candidates=6, exclude=[text / "test.de"], n_samples=5)
    sources, targets, _ = read(folder)
    assert [int(source.split()[3]) for source in sources] == [0, 12, 24]
    assert card_of(folder)["instructions"]["formal"]["answers"] == {
        "asked": 30,
        "refused": {
            NOT_JSON: 3, CHATTER: 3, NO_ANSWER: 3, SEVERAL_LINES: 3, filters.CONTROL: 3,
            filters.EMPTY: 2, NOT_VERIFIED: 2, module.UNLIKE: 2, filters.LENGTH_RATIO: 2,
            CUT_OFF: 2, filters.IN_TEST_SET: 2,
        },
    }  # fmt: skip


def test_several_instructions_and_an_endpoint_without_a_key(serve, run, complete):
    def behave(server, body, handler):
        short = PLAIN.format(number(body))[:28]
        wants_short = '"30"' in body["messages"][-1]["content"]
        said = f"<translation>{short}</translation>" if wants_short else rewrite(body)
        return 200, {}, complete(said)

    server = serve(behave)
    folder = run(server, key=None, instructions=["formal", "at-most=30"], n_samples=4)
    assert len(read(folder, "at-most")[0]) == len(read(folder, "formal")[0]) == 4
    assert set(read(folder, "at-most")[2]) == {'at-most="30"'}
    assert all(len(target) <= 30 for target in read(folder, "at-most")[1])
    assert card_of(folder)["samples"] == 8 and len(server.requests) == 8
    assert read(folder, "at-most")[0] != read(folder, "formal")[0]  # each has its own pairs
    assert not any("Authorization" in headers for _, headers, _ in server.requests)


def test_targets_that_the_vocabulary_lacks_are_refused(serve, run, obedient, text):
    model = Subwords(train(read_lines(text / "train.de"), text / "subwords", 500))
    known = {
        piece for line in read_lines(text / "train.de") for piece in model.encode(line).split()
    }
    known -= set(model.encode("Haben").split())
    (text / "dict.de.txt").write_text("".join(f"{piece} 1\n" for piece in known), encoding="utf-8")
    with pytest.raises(InputError, match=curators.NOT_SPELLED):
        run(serve(obedient), subwords=text / "subwords.model", dictionary=text / "dict.de.txt",
            max_alike=15)  # fmt: skip


def test_a_killed_run_goes_on_and_asks_nothing_twice(serve, run, text, complete, api_key, tmp_path):
    whole = run(serve(lambda s, body, h: (200, {}, complete(rewrite(body)))), output="whole",
                n_samples=20)  # fmt: skip
    reached, go_on = threading.Event(), threading.Event()

    def hold(server, body, handler):
        if len(server.requests) > 8:
            reached.set()
            go_on.wait(60)
            return None
        return 200, {}, complete(rewrite(body))

    held = serve(hold)
    log = tmp_path / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "fairseq_instr", "distill", "-s", "en", "-t", "de",
             "--source", text / "train.en", "--target", text / "train.de", "--model", "tiny",
             "--instructions", "formal", "--samples", "20", "--base-url", held.url,
             "--output", text / "task", "--concurrency", "2"],
            stdout=out, stderr=out, env={**os.environ, "OPENAI_API_KEY": api_key},
        )  # fmt: skip
        try:
            assert reached.wait(300)
            with open(f"/proc/{process.pid}/cmdline", "rb") as command:
                assert api_key.encode() not in command.read()
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            go_on.set()
    assert api_key.encode() not in log.read_bytes() and b"DEBUG" not in log.read_bytes()
    with Answers(text / "task" / "answers.sqlite") as answers:
        answered = [body for _, _, body in held.requests if answers.get(fingerprint(body))]
        assert 7 <= len(answered) == len(answers) <= 8 and answers.requests >= 9
    assert not (text / "task" / "formal").exists()
    rest = serve(lambda s, body, h: (200, {}, complete(rewrite(body))))
    folder = run(rest, n_samples=20)
    assert len(rest.requests) == 20 - len(answered)
    assert not any(body in answered for _, _, body in rest.requests)
    assert read(folder) == read(whole) and len(set(read(folder)[0])) == 20
    assert card_of(folder)["instructions"] == card_of(whole)["instructions"]


@pytest.mark.parametrize("option, limit", [("max_requests", 4), ("max_tokens", 31)])
def test_a_budget_holds_over_all_runs(serve, run, text, obedient, option, limit):
    server = serve(obedient)
    for _ in range(2):  # and nothing more is sent when it is run again
        with pytest.raises(InputError, match=f"--{option.replace('_', '-')} {limit}"):
            run(server, concurrency=1, n_samples=9, **{option: limit})
        assert len(server.requests) == 4  # of 10 tokens each
    folder = text / "task"
    assert len(read(folder)[0]) == 4 and not card_of(folder)["complete"]
    run(server, n_samples=9, **{option: 1000})
    assert len(server.requests) == 9 and len(read(folder)[0]) == 9
    assert card_of(folder)["complete"] and len(set(server.prompts)) == 9
    with pytest.raises(InputError, match="--force"):
        run(server, n_samples=9, **{option: 1000})
    run(server, n_samples=9, force=True, **{option: 1000})  # answers are kept
    assert len(server.requests) == 9


def test_retries_are_paid_from_the_budget_and_one_of_tokens_needs_their_count(serve, run, complete):
    server = serve([(500, {}, {})])
    with pytest.raises(InputError, match="--max-requests 3"):
        run(server, max_requests=3, concurrency=1)
    assert len(server.requests) == 3
    with pytest.raises(InputError, match="--max-tokens.*--max-requests"):
        run(serve([(200, {}, complete("x", None))]), max_tokens=5)


def test_what_had_no_answer_is_asked_again_by_the_next_run(serve, run, complete):
    broken = [True]

    def behave(server, body, handler):
        if broken[0] and number(body) % 2:
            return 503, {}, {"error": {"message": "out of memory"}}
        return 200, {}, complete(rewrite(body))

    server = serve(behave)
    options = {"retries": 0, "n_candidates": 1, "n_samples": 30}
    with pytest.raises(InputError, match="15 .*HTTP 503, out of memory"):
        run(server, **options)
    broken[0] = False
    folder = run(server, **options)
    assert len(server.requests) == 30 + 15 and len(read(folder)[0]) == 30


def test_the_prompt_is_the_users(serve, run, complete, tmp_path):
    path = tmp_path / "prompt.yaml"
    path.write_text("user: '{target} ||| {source} ||| {instruction}'\nparameters: {top_p: 0.5}\n")

    def behave(server, body, handler):
        plain = body["messages"][0]["content"].split(" ||| ")[0]
        return 200, {}, complete(plain.replace("Hast du", "Haben Sie"))

    server = serve(behave)
    folder = run(server, prompt=path, n_samples=2)
    assert len(read(folder)[0]) == 2
    assert server.requests[0][2]["top_p"] == 0.5 and "temperature" not in server.requests[0][2]
    assert card_of(folder)["made_from"]["parameters"] == {"top_p": 0.5}


@pytest.mark.parametrize(
    "options, named",
    [
        ({"max_requests": 0}, "--max-requests 0"),
        ({"max_tokens": 0}, "--max-tokens 0"),
        ({"n_samples": 0}, "--samples 0"),
        ({"concurrency": 0}, "--concurrency 0"),
        ({"max_alike": -1}, "--max-alike -1"),
        ({"timeout": float("nan")}, "--timeout nan"),
        ({"requests_per_minute": -1.0}, "--requests-per-minute -1.0"),
        ({"base_url": "file:///etc/passwd"}, "--base-url 'file:///etc/passwd'"),
        ({"key": " "}, "--key-variable"),
        ({"instructions": ["shout"]}, "'shout'"),
        ({"instructions": ["feminine"]}, "'feminine'"),
        ({"instructions": ["at-most"]}, "'at-most'"),
        ({"instructions": ["at-most=3", "at-most=4"]}, "'at-most'"),
        ({"instructions": []}, "--instructions"),
        ({"subwords": "x"}, "--dictionary"),
        ({"source": "nowhere"}, "nowhere"),
        ({"prompt": "nowhere.yaml"}, "nowhere.yaml"),
    ],
)
def test_wrong_options_are_named_before_anything_is_asked(
    serve, run, obedient, text, options, named
):
    server = serve(obedient)
    with pytest.raises(InputError, match=named):
        run(server, **options)
    assert server.requests == [] and not (text / "task").exists()


def test_an_endpoint_that_is_not_there(run, text, caplog):
    with socket.socket() as taken:  # bound, but it does not listen
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(InputError, match="--base-url"):
            # told at once, whatever the waits between tries
            run(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", retries=50, first_wait=60.0)
    assert not (text / "task" / "formal").exists()
    gc.collect()
    assert not caplog.records  # such as "Task exception was never retrieved"


def test_text_without_candidates_is_told_by_its_reasons(serve, run, obedient, text):
    (text / "train.en").write_text("Please sit down.\n", encoding="utf-8")
    (text / "train.de").write_text("Bitte setzen Sie sich.\n", encoding="utf-8")
    with pytest.raises(InputError, match=OBEYS_ALREADY):
        run(serve(obedient))


def test_candidates_do_not_obey_yet_and_come_by_priority():
    pairs = [(f"dog {i}".encode(), word) for i in range(20) for word in (b"du", b"Sie kommen")]
    curations = []
    for n in (40, 6):
        formal = want("formal", "de").instruction
        curation = Curation([formal], "de", {"formal": n}, curator=CandidateCurator)
        curation.add(Chunk(0, *map(list, zip(*pairs))))
        curations.append(curation.curators[0])
    found = [[sample.target for _, sample in c.by_priority()] for c in curations]
    assert found == [["du"] * 20, ["du"] * 6]
    assert curations[1].by_priority() == curations[0].by_priority()[:6]
    assert curations[0].rejections == {OBEYS_ALREADY: 20}


def test_similarity_looks_past_capitals():
    assert similarity("EIN HUND", "ein Hund") == pytest.approx(100.0)
    assert similarity("xyz", "ein Hund") == 0.0
    plain = PLAIN.format(3)
    assert similarity(plain.replace("Hast du", "Haben Sie"), plain) > 60
    assert (
        similarity("Leider kann ich Ihnen dabei nicht weiterhelfen.", plain) < module.MIN_SIMILARITY
    )


def test_ctrl_c_leaves_what_was_answered(serve, run, text, complete):
    def behave(server, body, handler):
        if len(server.requests) == 4:
            os.kill(os.getpid(), signal.SIGINT)
            return None
        return 200, {}, complete(rewrite(body))

    with pytest.raises(InputError):
        run(serve(behave), concurrency=1, n_samples=9)
    with Answers(text / "task" / "answers.sqlite") as answers:
        assert len(answers) == 3
    rest = serve(lambda s, body, h: (200, {}, complete(rewrite(body))))
    run(rest, n_samples=9)
    assert len(rest.requests) == 6


@pytest.mark.parametrize("said", ["I can't.", None])
def test_a_run_ends_when_the_first_answers_fail_alike(serve, run, complete, said):
    choice = {} if said else {"finish_reason": "length"}  # all tokens went into reasoning
    server = serve([(200, {}, complete(said, **choice))])
    options = {"concurrency": 3, "n_candidates": 6}
    with pytest.raises(InputError, match=f"{CUT_OFF if said is None else NO_ANSWER}.*--prompt"):
        run(server, max_alike=4, **options)
    assert 4 <= len(server.requests) < 4 + 3
    with pytest.raises(InputError, match="'formal'"):
        run(server, max_alike=0, **options)
    assert len(server.requests) == N_PAIRS  # and those that were answered are not asked again


def test_a_notebook_runs_a_loop_of_its_own(serve, run, obedient):
    async def cell():
        return run(serve(obedient))

    assert len(read(asyncio.run(cell()))[0]) == 5
