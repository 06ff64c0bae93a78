"""YAML and JSON files of users: plain values, read and checked against a class.

    @dataclass
    class Settings:
        user: str
        languages: Dict[str, str] = field(default_factory=dict)

    settings = build(Settings, read_yaml("settings.yaml", "--prompt"), "--prompt settings.yaml")

The class says what a file may hold: an entry that is unknown, missing or of another kind is an
`InputError` that names the file and the entry.
"""

from __future__ import annotations

import inspect
import json
import os
import typing
from collections import abc
from pathlib import Path
from typing import Any, Type, TypeVar

import yaml

from fairseq_instr.errors import InputError

MAX_FILE_BYTES = 4 * 1024 * 1024
"""Largest YAML file that is read."""
_WORDS = {
    str: "a text", bool: "true or false", int: "a whole number", float: "a number",
    list: "a list", dict: "entries", type(None): "nothing",
}  # fmt: skip
_COLLECTIONS = {abc.Mapping: dict, abc.Sequence: list, tuple: list}
T = TypeVar("T")


class _Loader(yaml.SafeLoader):
    """Plain values alone: an alias may stand for more values than there is memory."""

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, "aliases are not accepted", mark)
        return super().compose_node(parent, index)


def read_yaml(path, kind: str) -> object:
    """Content of a YAML file.

    Args:
        kind: what the file should be, to begin an error with, such as `inventory`.

    Raises:
        InputError: if the file can't be read, is too large, or is no YAML of plain values.
    """
    try:
        if os.path.getsize(path) > MAX_FILE_BYTES:
            raise InputError(f"{kind} {path} is larger than {MAX_FILE_BYTES} bytes: refused")
        return yaml.load(Path(path).read_text(encoding="utf-8-sig"), Loader=_Loader)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{kind} {path} can't be read: {error.strerror}") from None
    # some tags are built by Python's own types, which raise what they like
    except Exception as error:
        raise InputError(f"{kind} {path} is not YAML: {error}") from None


def read_json(path, remedy: str) -> object:
    """Content of a JSON file.

    Args:
        remedy: what to do about a missing or broken file, to end an error with, such as
            `convert it again`.

    Raises:
        InputError: if the file can't be read, or is no JSON in UTF-8.
    """
    try:
        return parse_json(Path(path).read_text(encoding="utf-8-sig"), str(path))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; {remedy}") from None
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}; {remedy}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not JSON: {error}; {remedy}") from None
    except InputError as error:
        raise InputError(f"{error}; {remedy}") from None


def parse_json(text: str, where: str) -> object:
    """A JSON value; where the text stands begins the `InputError` if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not JSON: {error!s:.200}") from None


def build(kind: Type[T], content: object, where: str, ignore_others: bool = False) -> T:
    """An instance of a class from the entries of a YAML or JSON mapping.

    Args:
        kind: dataclass or `NamedTuple` whose fields are the entries. A field without a default
            must be there. Fields are annotated with str, bool, int, float, Any, Optional, Union,
            and lists and mappings of these.
        where: what the content was read from, to begin an error with.
        ignore_others: leave out entries that the class does not have.

    Raises:
        InputError: if the content is no mapping, or an entry is unknown, missing or of another
            kind.

    Example: `build(Triple, {"source": 1}, "line 3")` -> "line 3: source is 1; expected a text".
    """
    kinds = typing.get_type_hints(kind)
    fields = inspect.signature(kind).parameters
    if not isinstance(content, dict):
        raise InputError(
            f"{where}: expected the entries {', '.join(fields)}, found {content!r:.80}"
        )
    if ignore_others:
        content = {key: value for key, value in content.items() if key in fields}
    for key, value in content.items():
        if key not in fields:
            raise InputError(f"{where}: unknown entry {key!r:.80}; accepted: {', '.join(fields)}")
        if not _fits(value, kinds[key]):
            raise InputError(f"{where}: {key} is {value!r:.80}; expected {_words(kinds[key])}")
    for key, field in fields.items():
        if key not in content and field.default is inspect.Parameter.empty:
            raise InputError(f"{where}: {key} is missing; expected {_words(kinds[key])}")
    return kind(**content)


def _fits(value: object, kind: Any) -> bool:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return True
    if origin is typing.Union:
        return any(_fits(value, choice) for choice in arguments)
    if origin is None:
        if kind is float:
            return type(value) in (int, float)
        return type(value) is _COLLECTIONS.get(kind, kind)  # true is no whole number
    if type(value) is not _COLLECTIONS.get(origin, origin):
        return False
    if isinstance(value, dict):
        return all(_fits(k, arguments[0]) and _fits(v, arguments[1]) for k, v in value.items())
    return all(_fits(item, arguments[0]) for item in typing.cast(list, value))


def _words(kind: Any) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Union:
        return " or ".join(_words(choice) for choice in arguments)
    if origin is None:
        return _WORDS.get(_COLLECTIONS.get(kind, kind), "a value")
    held = _words(arguments[-1] if origin is not tuple else arguments[0])
    collection = _COLLECTIONS.get(origin, origin)
    return f"{_WORDS[collection]}, each {held}"
