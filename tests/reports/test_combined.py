"""Reports on one page: parsed as HTML, and in Chromium without a network where it is installed."""

from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.reports.combined import name_paths, read_reports, write_combined_report
from fairseq_instr.reports.directions import _DIRECTIONS, _MEANS
from fairseq_instr.reports.presentation import table

HOSTILE = (
    '<script>alert(1)</script>"><img src=https://evil.example/x.png onerror=alert(1)> '
    "![x](https://evil.example/y.png) `*_| $\\frac \x00\u202e\ud800\uffff"
)
SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
FETCHING = {"href", "src", "srcset", "xlink:href", "action", "data", "poster", "background"}


def response(rate):
    return {"lines": 10, "rate": rate, "low": 0.9 * rate, "high": 1.0, "chrf2": 50.0,
            "adequacy": 0.9}  # fmt: skip


def instructed(text="plain"):
    """A report on instructions; `text` stands wherever a model or a user writes."""
    names = ["uppercase", text]
    pair = " + ".join(names)
    return {
        "command": f"python scripts/evaluate.py --decoding {text}",
        "conditions": {"decoding": text},
        "response_rate": {
            "mean": 0.75, "base_mean": 0.01,
            "by_instruction": {"uppercase": 0.5, text: 1.0},
            "base_by_instruction": {"uppercase": 0.0, text: 0.0},
        },
        "adequacy": {"mean": 0.9, "min": 0.9, "by_instruction": dict.fromkeys(names, 0.9)},
        "axes": {"uppercase": "case", text: text},
        "responses": {
            "base": {name: response(0.0) for name in names},
            "tuned": {"uppercase": response(0.5), text: response(1.0)},
        },
        "pairs": {"count": 1, "both_obeyed": 0.25, "mean": 0.25, "adequacy": 0.9,
                  "by_pair": {pair: response(0.25)}},
        "triples": {"count": 1, "mean": 0.125, "adequacy": 0.8, "chrf2": 44.4,
                    "by_triple": {f"{pair} + html-bold": response(0.125)}},
        "order": {"lines": 20, "identical": 0.95},
        "reranked": {
            "n_best": 4, "response_rate": 0.875, "adequacy": 0.9, "chrf2": 51.5, "pairs": 0.5,
            "triples": None, "by_instruction": {},
            "best": {"response_rate": 0.75, "adequacy": 0.9, "chrf2": 50.5, "pairs": 0.25,
                     "triples": None},
        },
        "chrf2": {"base": 59.4, "tuned": 62.3},
        "bleu": {"base": 35.46, "tuned": 37.79},
        "signatures": {"bleu": SIGNATURE},
        "significance": {"BLEU": {"tuned": {"score": 37.79, "p_value": 0.01}}},
        "interpolation": {
            weight: {"response_rate": float(weight), "adequacy": 0.9, "chrf2": 60.0, "bleu": 36.0}
            for weight in ("0", "0.5", "1")
        },
        "examples": {},
        "samples": [
            {
                "asked": pair, "source": text, "reference": text,
                "outputs": {
                    "base": {"text": "", "marks": {"uppercase": False, text: False}},
                    "tuned": {"text": text, "marks": {"uppercase": True, text: False}},
                },
            }
        ],
    }  # fmt: skip


def directed(text="mt"):
    """A report on directions."""
    scores = dict.fromkeys({**_MEANS, **_DIRECTIONS}, 12.5)
    found = {"means": {"zero_shot": scores}, "directions": {"de-fr": scores}}
    return {
        "command": "python scripts/evaluate.py --directions de-fr",
        "conditions": {"decoding": text},
        "directions": {"zero_shot": ["de-fr"], "supervised": []},
        "signatures": {"bleu": SIGNATURE},
        "floor": {"de-fr": scores},
        "systems": {
            text: {
                "decoding": "", **found, "deviations": {"zero_shot": scores},
                "seeds": [{"checkpoint": text, **found}, {"checkpoint": "b", **found}],
            }
        },
        "samples": [
            {
                "asked": "de-fr", "source": text, "reference": text,
                "outputs": {text: {"text": text, "marks": {"in fr": True}}},
            }
        ],
    }  # fmt: skip


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, text, what it would fetch."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.open = [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join("".join(self.texts).split())

    @property
    def fetched(self):
        """Addresses of attributes and styles that are not inside the page."""
        found = []
        for _, attributes in self.elements:
            found += [value for name, value in attributes.items() if name in FETCHING]
            found += re.findall(r"url\(['\"]?([^)'\"]*)", attributes.get("style") or "")
        return [address for address in found if not address.startswith("#")]


@pytest.fixture
def write(tmp_path):
    """`write(a=report, b=report)` -> the page and its twin, parsed and read."""

    def write(**reports):
        paths = []
        for name, report in reports.items():
            path = tmp_path / name / "report.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(report), encoding="utf-8")
            paths.append(path)
        html, markdown = write_combined_report(paths, tmp_path / "all.html", force=True)
        return Page(html), markdown.read_text(encoding="utf-8")

    return write


def test_figures_signatures_commands_and_samples_are_on_the_page_and_in_its_twin(write):
    page, markdown = write(first=instructed(), zero=directed())
    for shown in (SIGNATURE, "python scripts/evaluate.py --directions de-fr", "50.0% (45.0% to",
                  "12.5%", "95.0%", "87.5%", "51.50", "44.4", "0.010"):  # fmt: skip
        assert shown in page.text, shown
        assert shown in markdown, shown
    assert "✓ uppercase: obeyed" in page.text and "✗ plain: not obeyed" in page.text
    assert "(empty)" in page.text
    assert "✓ uppercase, ✗ plain" in markdown
    assert len(page.all("figure")) == 2  # interpolation, directions


def test_hostile_text_is_text(write):
    page, markdown = write(first=instructed(HOSTILE), zero=directed(HOSTILE))
    assert page.all("script") == page.all("img") == page.all("iframe") == []
    assert not any(name.startswith("on") for _, found in page.elements for name in found)
    assert page.fetched == []
    assert "<script>alert(1)</script>" in page.text
    assert "\x00" not in page.text and "␀" in page.text
    # what is in code is text; what opens a tag or an image outside of it would not be
    outside = re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown)
    assert "`*" not in outside.replace("\\`", "") and "&lt;script>" in outside
    assert not re.search(r"(?<!\\)\[x|<script|<img", outside)


def test_nothing_is_fetched_from_elsewhere_and_a_policy_forbids_it(write):
    page, _ = write(first=instructed(), second=instructed(), zero=directed())
    assert page.fetched == []
    assert page.all("script") == page.all("link") == []
    (css,) = [text for text in page.texts if "color-scheme" in text]
    assert "url(" not in css and "@import" not in css
    policies = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policies[0].startswith("default-src 'none'")
    addresses = [a["href"] for a in page.all("a")]
    assert len(addresses) == 3
    assert {address[1:] for address in addresses} <= {f.get("id") for _, f in page.elements}
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(set(ids)) == len(ids)  # also those inside the plots


def test_tables_have_captions_and_every_heading_a_scope(write):
    page, _ = write(first=instructed(), zero=directed())
    tags = [tag for tag, _ in page.elements]
    assert tags.count("table") == tags.count("caption") > 8
    assert {heading["scope"] for heading in page.all("th")} == {"row", "col"}
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    for svg in page.all("svg"):
        assert svg.get("aria-hidden") == "true" or svg["aria-label"]
    assert all(float(h["style"].split()[1]) <= 1 for h in page.all("td") if "style" in h)


def test_reports_of_a_kind_are_compared(write):
    better = instructed()
    better["response_rate"] = {**better["response_rate"], "mean": 0.9999,
                               "by_instruction": {"uppercase": 0.9998}}  # fmt: skip
    page, markdown = write(one=instructed(), two=better, zero=directed())
    assert "Instructions, report by report" in page.text
    assert "Directions, report by report" not in page.text
    assert "| two | 1.0% | 100.0% |" in markdown
    assert table(["instruction", "one", "two"], [["uppercase", "50.0", "100.0"]]) in markdown
    alone, _ = write(one=instructed(), zero=directed())
    assert "report by report" not in alone.text


def test_reports_of_earlier_versions_are_shown_with_what_they_have(write):
    earlier = instructed()
    for key in ("triples", "order", "reranked", "samples"):
        del earlier[key]
    earlier["examples"] = {"uppercase": {"source": "a", "base": "b", "tuned": "<b>C</b>"}}
    page, _ = write(old=earlier)
    assert "<b>C</b>" in page.text
    assert "triple" not in page.text and "reranking" not in page.text


def test_formality_is_shown_too(write):
    kind = {"accuracy": 0.912, "coverage": 0.5, "counts": {"formal": 1}, "domains": {},
            "bleu": 30.0, "chrf2": 55.0}  # fmt: skip
    page, markdown = write(
        sie={
            "command": "python", "conditions": {}, "signatures": {"bleu": SIGNATURE},
            "systems": {"tuned": {"formal": kind, "informal": kind}},
            "examples": [{"source": HOSTILE}],
        }
    )  # fmt: skip
    assert "91.2%" in page.text and "| tuned | informal | 91.2%" in markdown
    assert page.all("script") == [] and "<script>alert(1)</script>" in page.text


def test_what_is_no_report_is_refused_in_a_sentence_and_nothing_is_written(tmp_path):
    def refusal(content):
        (tmp_path / "report.json").write_text(content, encoding="utf-8")
        with pytest.raises(InputError) as refused:
            write_combined_report([tmp_path / "report.json"], tmp_path / "all.html")
        assert not list(tmp_path.glob("all.*"))
        return str(refused.value)

    assert "is no report: it has none of the keys response_rate, directions" in refusal("[1]")
    assert "is not JSON" in refusal("{")
    assert "is not JSON" in refusal("[" * 100_000)
    assert "is no complete report (KeyError 'adequacy')" in refusal('{"response_rate": {}}')
    for key in instructed():
        if key not in (
            "command", "examples", "triples", "order", "reranked", "samples",
        ):  # fmt: skip
            assert "is no complete report" in refusal(json.dumps({**instructed(), key: 1})), key
    broken = copy.deepcopy(directed())
    broken["samples"][0]["outputs"]["mt"]["marks"] = "<script>"
    assert "is no complete report" in refusal(json.dumps(broken))
    with pytest.raises(InputError, match="missing.json can't be read"):
        read_reports([tmp_path / "missing.json"])


def test_both_files_are_written_once_and_under_their_names(write, tmp_path):
    write(first=instructed())
    path = tmp_path / "first" / "report.json"
    with pytest.raises(InputError, match="all.html exists; give --force"):
        write_combined_report([path], tmp_path / "all.html")
    (tmp_path / "all.html").unlink()
    with pytest.raises(InputError, match="all.md exists"):
        write_combined_report([path], tmp_path / "all.html")
    assert not (tmp_path / "all.html").exists()
    with pytest.raises(InputError, match="ending in .html"):
        write_combined_report([path], tmp_path / "all.md", force=True)


def test_reports_are_named_by_what_tells_them_apart():
    assert name_paths(["w/a/report.json", "w/b/report.json"]) == ["a", "b"]
    assert name_paths(["x/a/report.json", "y/a/report.json"]) == ["x/a", "y/a"]
    assert name_paths(["x/first.json", "x/second.json"]) == ["first.json", "second.json"]
    with pytest.raises(InputError, match="is given twice"):
        name_paths(["x/report.json", "x/../x/report.json"])


def test_the_script_says_what_it_wrote(run_script, tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(directed()), encoding="utf-8")
    output = tmp_path / "all.html"
    done = run_script("report.py", path, "--output", output, "--title", "Two & more")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(tmp_path / "all.html"), str(tmp_path / "all.md")]
    assert "<h1>Two &amp; more</h1>" in (tmp_path / "all.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_without_a_network_shows_it_all(browser, write, tmp_path, scheme):
    write(first=instructed(HOSTILE), zero=directed(HOSTILE))
    context = browser.new_context(
        offline=True, viewport={"width": 360, "height": 740}, color_scheme=scheme
    )
    page = context.new_page()
    page.set_default_timeout(300_000)
    requests, problems = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.on("console", lambda line: problems.append(line.text))
    page.goto((tmp_path / "all.html").as_uri())
    assert requests == [(tmp_path / "all.html").as_uri()]
    assert problems == []
    # wide tables scroll inside themselves, the page does not
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.locator("figure svg").count() == 2
    assert page.locator(".sample .obeyed").count() == 2
    colours = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    brightness = [sum(map(int, re.findall(r"\d+", colour))) for colour in colours]
    assert (brightness[0] > brightness[1]) == (scheme == "light")
    context.close()
