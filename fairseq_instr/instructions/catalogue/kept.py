"""What is copied from the source as it stands: links, placeholders, tags, names.

All of it must stand in the output as often as in the source. Without any in the source there is
nothing to obey.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Callable, List

from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.text.languages import facts
from fairseq_instr.text.letters import canonical, fold_to_ascii

_LINK = r"(?i:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
# {name} {{name}} { -brand } ${X} %{x}, %s %i %.2f %1$d %(n)s, $name; not the % of 100%
_PLACEHOLDER = (
    r"[%$]?\{\{?\s?[$-]?[\w.-]*\s?\}\}?|(?<![\w$])\$[A-Za-z_]\w*"
    r"|(?<![\d%])%(?:\(\w+\))?(?:\d+\$)?[-+0#]?\d*(?:\.\d+)?l{0,2}[sdifuxXeEgGcr@](?!\w)"
)
_TAG = r"</?[A-Za-z][\w:-]*(?:\s[^<>]*)?/?>"
_KEPT = re.compile(f"({_TAG}|{_LINK}|{_PLACEHOLDER})")
_MAY_BE_KEPT = re.compile(r"[<@{%$]|://|www\.", re.IGNORECASE)  # quick: most lines hold nothing
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*(?:=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
_QUOTES = "\"'"
_VOID = {"area", "br", "hr", "img", "input", "link", "meta", "wbr"}
# words that have a capital in English and are translated: pronoun, times, peoples
_NO_NAMES = (
    "I|OK|(?:Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)days?|(?:American|African|Asian|Australian|British"
    "|Canadian|Chinese|Dutch|English|European|French|German|Indian|Italian|Japanese|Mexican|Russian"
    f"|Spanish)s?|{facts('en').months.replace(' ', '|')}"
)
_PART = rf"(?!(?:{_NO_NAMES})(?!\w))[A-Z][\w’'-]*"
# a capital inside a sentence; in German every noun has one, so that sources are never German
_NAME = re.compile(rf"(?<=[a-z0-9,;] ){_PART}(?: {_PART})*")


def _parts(text: str) -> List[str]:
    """A text cut up: every second part is a link, placeholder or tag."""
    return _KEPT.split(text) if _MAY_BE_KEPT.search(text) else [text]


def outside_kept(text: str, change: Callable[[str], str]) -> str:
    """A text changed everywhere but in its links, placeholders and tags."""
    parts = _parts(text)
    parts[::2] = map(change, parts[::2])
    return "".join(parts)


def without_kept(text: str) -> str:
    """A text with a space for each of its links, placeholders and tags."""
    return " ".join(_parts(text)[::2])


def links(text: str) -> List[str]:
    """Web and e-mail addresses."""
    return re.findall(_LINK, text) if _MAY_BE_KEPT.search(text) else []


def placeholders(text: str) -> List[str]:
    """What a program fills in: `{name}`, `{ -brand }`, `%s`, `%1$d`, `%(n)s`, `${X}`, `$name`."""
    return re.findall(_PLACEHOLDER, text) if _MAY_BE_KEPT.search(text) else []


def tags(text: str) -> List[str]:
    """HTML and XML tags, each in one way: the order of attributes says nothing, nor do quotes.

    Example: `tags('<A href=x class="y"/>') == ["<a class=y href=x>"]`.
    """
    found = []
    for tag in re.findall(_TAG, text) if _MAY_BE_KEPT.search(text) else ():
        name, *attributes = _ATTRIBUTE.findall(tag)
        values = sorted(f" {key.lower()}={value.strip(_QUOTES)}" for key, value in attributes)
        found.append(("</" if tag[1] == "/" else "<") + name[0].lower() + "".join(values) + ">")
    return found


def _are_nested(text: str) -> bool:
    """Whether every closing tag has its opening tag before it."""
    opened: List[str] = []
    for tag in tags(text):
        name = tag.strip("</>").split(" ")[0]
        if tag.startswith("</"):
            if not opened or opened.pop() != name:
                return False
        elif name not in _VOID:
            opened.append(name)
    return True


def names(text: str) -> List[str]:
    """Capitalised words within an English sentence, adjacent ones together.

    Example: `On a Monday in New York I met Tom's friend.` has `New York` and `Tom`.
    """
    return [re.sub(r"[’']s$", "", name) for name in _NAME.findall(text)]


def _keeps(find: Callable[[str], List[str]]) -> Callable[[str, Context], bool]:
    def obeys(output: str, context: Context) -> bool:
        wanted = find(context.source)
        return bool(wanted) and Counter(find(output)) == Counter(wanted)

    return obeys


def _keeps_tags(output: str, context: Context) -> bool:
    nested = _are_nested(output) or not _are_nested(context.source)
    return nested and _keeps(tags)(output, context)


def _keeps_names(output: str, context: Context) -> bool:
    """Whole names, but for a genitive; in another case or ASCII where all of the output is."""
    wanted = names(context.source)
    if not wanted:
        return False
    output = canonical(output)
    plain = without_kept(output)
    flags = re.IGNORECASE if plain in (plain.upper(), plain.lower()) else 0
    for name in map(canonical, wanted):
        genitive = "(?:['’]?s)?" if re.search(rf"{re.escape(name)}['’]s", context.source) else ""
        spelled = fold_to_ascii(name, context.language) if output.isascii() else name
        if not re.search(rf"(?<!\w){re.escape(spelled)}{genitive}(?!\w)", output, flags):
            return False
    return True


def _natural(name: str, axis: str, obeys, phrases: str) -> Instruction:
    return Instruction(name, axis, phrases, obeys=obeys, natural=True, layer=Layer.LANGUAGE)


INSTRUCTIONS = [
    _natural(
        "keep-links",
        "links",
        _keeps(links),
        "with links untouched; leave web addresses as they are; links exactly as given;"
        "keep the links; copy every address as it is written; change no link",
    ),
    _natural(
        "keep-placeholders",
        "placeholders",
        _keeps(placeholders),
        "with placeholders untouched; leave placeholders as they are;"
        "placeholders exactly as given; keep the placeholders;"
        "copy every placeholder as it is written; change no placeholder",
    ),
    _natural(
        "keep-tags",
        "tags",
        _keeps_tags,
        "with tags untouched; leave the markup as it is; tags exactly as given; keep the tags;"
        "copy every tag as it is written; change no tag",
    ),
    _natural(
        "keep-names",
        "names",
        _keeps_names,
        "with names untouched; leave names as they are; names exactly as given; keep the names;"
        "copy every name as it is written; translate no name",
    ),
]
