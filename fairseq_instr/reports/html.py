"""Reports as one HTML page: nothing is fetched, nothing is executed, all text is text.

Style and plots are inside the page, a policy in its head forbids the browser to fetch or run
anything, and every string is escaped where it is put in: models write what they like.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any, Callable, List, NamedTuple, Sequence
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fairseq_instr.reports.parts import Cell, Code, Emphasis, Paragraph, Section, Strong

PAGE = Path(__file__).parent / "page"
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_INK = "#0b0c0d"
_COLOURS = {
    _INK: "currentColor",
    "#4477aa": "var(--blue)",
    "#aa3377": "var(--purple)",
    "#ccbb44": "var(--yellow)",
}
"""Colours that plots are drawn with -> the page's, which are others by night."""
_NUMBER = re.compile(r"[–±()\d.,%\s-]+|.*\d%.*")
_TAGS = ((Strong, "strong"), (Emphasis, "em"), (Code, "code"))


class Part(NamedTuple):
    """A report on the page."""

    name: str
    html: Markup


def render_page(title: str, parts: Sequence[Part], summary: Markup = Markup("")) -> str:  # noqa: B008
    """The page."""
    css = Markup((PAGE / "report.css").read_text(encoding="utf-8"))
    template = _environment().get_template("report.html")
    return template.render(title=title, css=css, parts=parts, summary=summary)


def render_sections(sections: Sequence[Section], part: str = "") -> Markup:
    """Sections as HTML, their headings one level below their own.

    Args:
        part: name of the report, for what must be unique on a page.
    """
    environment = _environment()
    environment.globals["svg"] = lambda plot: draw_svg(plot.draw, plot.caption, part)
    return Markup(environment.get_template("sections.html").render(sections=sections))


def save_figure(draw: Callable, out, settings: Any = None, **options: Any) -> None:
    """Draw a plot without a screen and save it, under settings of matplotlib."""
    # imported here: only a plot needs it, and it takes its time
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with matplotlib.rc_context(settings):
        figure = draw(pyplot)
        figure.savefig(out, bbox_inches="tight", **options)
        pyplot.close(figure)


def draw_svg(draw: Callable, caption: str, salt: str = "") -> Markup:
    """A plot as an SVG element that takes the page's colour of text and its width.

    Args:
        salt: makes the identifiers inside differ from those of other plots on the page.
    """
    settings: Any = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": f"{salt} {caption}",
        "text.parse_math": False,  # a name with dollar signs is no formula
        **dict.fromkeys(
            ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK
        ),
    }
    out = io.BytesIO()
    save_figure(draw, out, settings, format="svg", transparent=True, metadata={"Date": None})
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(out.getvalue())
    for metadata in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(metadata)
    for attribute in ("width", "height"):
        root.attrib.pop(attribute, None)
    root.set("role", "img")
    root.set("aria-label", caption)
    used = set(re.findall(r"#([\w.-]+)", out.getvalue().decode("utf-8")))
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)  # names of groups, the same in every plot
        style = element.get("style", "")
        for colour, own in _COLOURS.items():
            style = style.replace(colour, own)
        if style:
            element.set("style", style)
    # in points; narrower than that, letters are too small to read
    width = float(root.get("viewBox", "0 0 400 300").split()[2])
    root.set("style", f"min-width: {width:.0f}px; max-width: {1.4 * width:.0f}px")
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inline"] = _inline
    environment.tests["number"] = lambda value: _NUMBER.fullmatch(str(value)) is not None
    environment.tests["cell"] = lambda value: isinstance(value, Cell)
    environment.globals["kind"] = lambda block: type(block).__name__
    return environment


# pictures of control characters; tab and line breaks are white space
_SIGNS = {code: 0x2400 + code for code in range(32) if code not in (9, 10, 13)}
_SIGNS.update({0x7F: 0x2421, **dict.fromkeys((*range(0xD800, 0xE000), 0xFFFE, 0xFFFF), 0xFFFD)})


def visible(text: str) -> str:
    """Text in which what no page may hold has a sign: control characters, lone surrogates."""
    return str(text).translate(_SIGNS)


def _finalize(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _inline(parts: Sequence[str]) -> Markup:
    """A paragraph's strings, or one, in their elements."""
    shown: List[Markup] = []
    for part in parts if isinstance(parts, Paragraph) else [parts]:
        text = Markup.escape(visible(str(part)))
        tag = next((tag for kind, tag in _TAGS if isinstance(part, kind)), None)
        shown.append(Markup(f"<{tag}>{text}</{tag}>") if tag else text)
    return Markup("").join(shown)
