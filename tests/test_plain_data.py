"""YAML and JSON of users: what is read, and what is refused by its entry."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional, Union

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.plain_data import build, read_json, read_yaml


def test_content_is_read(tmp_path):
    path = tmp_path / "content.json"
    path.write_text('\ufeff{"name": ["größer", 1.5, null]}', encoding="utf-8")
    assert read_json(path, "") == {"name": ["größer", 1.5, None]}
    assert read_yaml(path, "settings") == {"name": ["größer", 1.5, None]}


@pytest.mark.parametrize("content", [None, b"", b'{"a": ', b'"gr\xf6\xdfer"', b"[" * 100_000])
def test_what_is_no_json_is_refused_with_what_to_do(tmp_path, content):
    path = tmp_path / "content.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="content.json.*; export it again$"):
        read_json(path, "export it again")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="; export it again$"):
        read_json(tmp_path, "export it again")
    with pytest.raises(InputError, match="^settings"):
        read_yaml(tmp_path, "settings")


@pytest.mark.parametrize(
    "content",
    [b"{", b"a: \xff", b"a: &x 1\nb: *x", b"!!python/object:os.system x", b"? [a]\n: b\n? {c: d}"],
)
def test_what_is_no_plain_yaml_is_refused(tmp_path, content):
    path = tmp_path / "settings.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match="settings.yaml is not YAML"):
        read_yaml(path, "--settings")


@dataclass
class Settings:
    """What a file may hold."""

    text: str
    number: Union[int, float] = 1
    texts: Dict[str, str] = field(default_factory=dict)
    flag: bool = False


class Row(NamedTuple):
    """What a line may hold."""

    names: List[str]
    anything: Any = None
    maybe: Optional[int] = None


@pytest.mark.parametrize(
    "kind, content",
    [
        (Settings, {"text": "a"}),
        (Settings, {"text": "a", "number": 0.5, "texts": {"de": "German"}, "flag": True}),
        (Row, {"names": [], "anything": {"x": [1]}, "maybe": None}),
        (Row, {"names": ["a", "b"], "maybe": 3}),
    ],
)
def test_entries_of_their_kinds_make_an_instance(kind, content):
    assert build(kind, content, "file") == kind(**content)


@pytest.mark.parametrize(
    "kind, content, named",
    [
        (Settings, [], "text, number, texts, flag"),
        (Settings, {}, "text"),
        (Settings, {"text": None}, "text is None"),
        (Settings, {"text": "a", "other": 1}, "'other'"),
        (Settings, {"text": "a", 1: 1}, "1"),
        (Settings, {"text": "a", "number": True}, "number is True"),
        (Settings, {"text": "a", "number": "1"}, "number is '1'"),
        (Settings, {"text": "a", "texts": {1: "a"}}, "texts is"),
        (Settings, {"text": "a", "texts": ["a"]}, "texts is"),
        (Settings, {"text": "a", "flag": 1}, "flag is 1"),
        (Row, {"names": ["a", 1]}, "names is"),
        (Row, {"names": "ab"}, "names is"),
        (Row, {"names": [], "maybe": 1.0}, "maybe is 1.0"),
    ],
)
def test_an_entry_that_is_unknown_missing_or_of_another_kind_is_named(kind, content, named):
    with pytest.raises(InputError, match=f"^file: .*{named}"):
        build(kind, content, "file")


def test_other_entries_can_be_left_out():
    assert build(Row, {"names": [], "other": 1}, "file", ignore_others=True) == Row([])
