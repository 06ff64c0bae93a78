"""Reports on one page: parsed as HTML, and in Chromium without a network where it is installed."""

from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.reports.combined import name_paths, read_reports, write_page
from fairseq_instr.text.markdown import table

HOSTILE = (
    '<script>alert(1)</script>"><img src=https://evil.example/x.png onerror=alert(1)> '
    "![x](https://evil.example/y.png) `*_| $\\frac \x00\u202e\ud800\uffff"
)
SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
FETCHING = {"href", "src", "srcset", "xlink:href", "action", "data", "poster", "background"}
KINDS = ("instructions", "directions", "formality", "robustness", "general_tasks")


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
        html, markdown = write_page(paths, tmp_path / "all.html", force=True)
        return Page(html), markdown.read_text(encoding="utf-8")

    return write


@pytest.fixture
def write_all(write, make_report):
    """`write_all(text)` -> a page of one report of each kind, under their names."""
    return lambda *text: write(**{kind: make_report(kind, *text) for kind in KINDS})


def test_figures_signatures_commands_and_samples_are_on_the_page_and_in_its_twin(write_all):
    page, markdown = write_all()
    for shown in (SIGNATURE, "fairseq-instr directions --directions de-fr", "50.0% (45.0% to",
                  "12.50", "87.5%", "51.50", "44.4", "0.010", "91.2%", "85.0%"):  # fmt: skip
        assert shown in page.text, shown
        assert shown in markdown, shown
    assert "✓ uppercase: obeyed" in page.text and "✗ plain: not obeyed" in page.text
    assert "(empty)" in page.text
    assert "✓ uppercase, ✗ plain" in markdown
    assert len(page.all("figure")) == 2  # interpolation, directions


def test_hostile_text_is_text(write_all):
    page, markdown = write_all(HOSTILE)
    assert page.all("script") == page.all("img") == page.all("iframe") == []
    assert not any(name.startswith("on") for _, found in page.elements for name in found)
    assert page.fetched == []
    assert "<script>alert(1)</script>" in page.text
    assert "\x00" not in page.text and "␀" in page.text
    # what is in code is text; what opens a tag or an image outside of it would not be
    outside = re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown)
    assert "`*" not in outside.replace("\\`", "") and "&lt;script>" in outside
    assert not re.search(r"(?<!\\)\[x|<script|<img", outside)


def test_nothing_is_fetched_from_elsewhere_and_a_policy_forbids_it(write_all):
    page, _ = write_all()
    assert page.fetched == []
    assert page.all("script") == page.all("link") == []
    (css,) = [text for text in page.texts if "color-scheme" in text]
    assert "url(" not in css and "@import" not in css
    policies = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policies[0].startswith("default-src 'none'")
    addresses = [a["href"] for a in page.all("a")]
    assert len(addresses) == len(KINDS)
    assert {address[1:] for address in addresses} <= {f.get("id") for _, f in page.elements}
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(set(ids)) == len(ids)  # also those inside the plots


def test_tables_have_captions_and_every_heading_a_scope(write_all):
    page, _ = write_all()
    tags = [tag for tag, _ in page.elements]
    assert tags.count("table") == tags.count("caption") > 8
    assert {heading["scope"] for heading in page.all("th")} == {"row", "col"}
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    for svg in page.all("svg"):
        assert svg.get("aria-hidden") == "true" or svg["aria-label"]
    assert all(float(h["style"].split()[1]) <= 1 for h in page.all("td") if "style" in h)


def test_reports_of_a_kind_are_compared(write, make_report):
    better = make_report("instructions")
    better["response_rate"] = {**better["response_rate"], "mean": 0.9999,
                               "by_instruction": {"uppercase": 0.9998}}  # fmt: skip
    first, zero = make_report("instructions"), make_report("directions")
    page, markdown = write(one=first, two=better, zero=zero)
    assert "Instructions, report by report" in page.text
    assert "Directions, report by report" not in page.text
    assert "| two | 1.0% | 100.0 |" in markdown
    assert table(["instruction", "one", "two"], [["uppercase", "50.0", "100.0"]]) in markdown
    assert "report by report" not in write(one=first, zero=zero)[0].text
    assert "Directions, report by report" in write(a=zero, b=zero)[1]


def test_reports_of_version_1_are_shown_with_what_they_have(write, make_report):
    earlier = make_report("instructions")
    for key in ("kind", "version", "triples", "reranked", "samples", "bleu"):
        del earlier[key]
    earlier["examples"] = {"uppercase": {"source": "a", "base": "b", "tuned": "<b>C</b>"}}
    page, _ = write(old=earlier, new=make_report("instructions"))
    assert "<b>C</b>" in page.text
    assert "measured before version 2" in page.text
    alone = write(old=earlier)[0].text
    assert "triples of instructions" not in alone and "hypothes" not in alone


@pytest.mark.parametrize("kind", KINDS)
def test_any_figure_may_be_missing(write, make_report, kind):
    report = make_report(kind)
    for key in report:
        if key not in ("kind", "version"):
            write(report={name: value for name, value in report.items() if name != key})
    write(report={key: None for key in report if key not in ("kind", "version")} | {
        key: report[key] for key in ("kind", "version")})  # fmt: skip


def test_what_is_no_report_is_refused_in_a_sentence_and_nothing_is_written(tmp_path, make_report):
    def refuse(content, named=""):
        (tmp_path / "report.json").write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=f"report.json.*{named}") as refused:
            write_page([tmp_path / "report.json"], tmp_path / "all.html")
        assert "\n" not in str(refused.value)
        assert not list(tmp_path.glob("all.*"))

    for content in ("[1]", "{", "[" * 100_000, "{}", '{"kind": "directions", "version": 9}',
                    '{"kind": "poem"}', '{"kind": 1}'):  # fmt: skip
        refuse(content)
    for kind in KINDS:
        report = make_report(kind)
        for key in set(report) - {"formality"}:
            refuse(json.dumps({**report, key: ["a"] if key == "version" else 1}), key)
    broken = copy.deepcopy(make_report("instructions"))
    broken["samples"][0]["outputs"]["base"]["marks"] = "<script>"
    refuse(json.dumps(broken), "marks")
    broken = copy.deepcopy(make_report("instructions"))
    broken["pairs"]["by_pair"]["a + b"] = "much"
    refuse(json.dumps(broken), "by_pair")
    with pytest.raises(InputError, match="missing.json"):
        read_reports([tmp_path / "missing.json"])


def test_both_files_are_written_once_and_under_their_names(write, make_report, tmp_path):
    write(first=make_report("instructions"))
    path = tmp_path / "first" / "report.json"
    with pytest.raises(InputError, match="all.html .*--force"):
        write_page([path], tmp_path / "all.html")
    (tmp_path / "all.html").unlink()
    with pytest.raises(InputError, match="all.md"):
        write_page([path], tmp_path / "all.html")
    assert not (tmp_path / "all.html").exists()
    with pytest.raises(InputError, match="--output"):
        write_page([path], tmp_path / "all.md", force=True)


def test_reports_are_named_by_what_tells_them_apart():
    assert name_paths(["w/a/report.json", "w/b/report.json"]) == ["a", "b"]
    assert name_paths(["x/a/report.json", "y/a/report.json"]) == ["x/a", "y/a"]
    assert name_paths(["x/first.json", "x/second.json"]) == ["first.json", "second.json"]
    with pytest.raises(InputError, match="x/report.json"):
        name_paths(["x/report.json", "x/../x/report.json"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_without_a_network_shows_it_all(browser, write_all, tmp_path, scheme):
    write_all(HOSTILE)
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
