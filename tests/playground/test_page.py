"""The page in a browser: Chromium, where it and `playwright` are installed."""

from __future__ import annotations

import threading

import pytest

waitress = pytest.importorskip("waitress")

TIMEOUT = 300_000  # milliseconds: a page that is stuck, not a slow machine


@pytest.fixture(scope="module")
def address(systems):
    from fairseq_instr.playground.app import create_app
    from fairseq_instr.playground.server import LOOPBACK

    server = waitress.create_server(create_app(systems, "de", LOOPBACK), host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()


@pytest.fixture
def page(browser, address):
    page = browser.new_page()
    page.set_default_timeout(TIMEOUT)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: line.type == "error" and problems.append(line.text))
    page.goto(address)
    page.wait_for_selector("#translate:enabled")
    page.problems = problems
    yield page
    page.close()


def test_a_sentence_is_translated_under_ticked_instructions(page, systems):
    page.fill("#text", "w1 w2 w3")
    page.check("input[value=uppercase]")
    page.check("input[value=exclaim]")
    page.click("#translate")
    page.wait_for_selector("article[data-system=tuned]")
    expected = systems["tuned"].translator.translate(["w1 w2 w3"], "uppercase, exclaim")[0]
    assert page.text_content("article[data-system=tuned] .text") == expected
    plain = systems["base"].translator.translate(["w1 w2 w3"])[0]
    assert page.text_content("article[data-system=base] .text") == plain
    marks = page.locator("article[data-system=tuned] li").all_text_contents()
    assert [mark[2:] for mark in marks] == ["uppercase", "exclaim"]
    assert marks[0][0] in "✓✗" and marks[1][0] == "?"  # `exclaim` is not of the catalogue
    assert page.text_content("article[data-system=tuned] .score").startswith("score -")
    assert page.problems == []


def test_one_tick_an_axis(page):
    page.check("input[value=uppercase]")
    page.check("input[value=formal]")
    page.check("input[value=lowercase]")
    ticked = "[...document.querySelectorAll('#axes input:checked')].map(tick => tick.value)"
    assert page.evaluate(ticked) == ["lowercase", "formal"]


def test_a_refusal_is_shown_and_text_is_never_html(page):
    page.fill("#text", "w1 " * 650)
    page.click("#translate")
    page.wait_for_selector("#status.error")
    assert "split it into sentences" in page.text_content("#status")
    page.fill("#text", "<img src=x onerror=alert(1)> w1")
    page.click("#translate")
    page.wait_for_selector("article[data-system=tuned]")
    assert page.locator("article img").count() == 0


def test_starting_over_takes_ticks_and_translations_away(page):
    page.check("input[value=uppercase]")
    page.click("#translate")
    page.wait_for_selector("article[data-system=tuned]")
    page.click("button[type=reset]")
    assert page.locator("article").count() == 0
    assert page.locator("#axes input:checked").count() == 0
