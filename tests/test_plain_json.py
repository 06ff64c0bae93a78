import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.plain_json import read_json


def test_content_is_read(tmp_path):
    path = tmp_path / "content.json"
    path.write_text('{"name": ["größer", 1.5, null]}', encoding="utf-8")
    assert read_json(path, "") == {"name": ["größer", 1.5, None]}


@pytest.mark.parametrize(
    "content, error",
    [
        (None, "does not exist"),
        (b"", "is not JSON: Expecting value"),
        (b'{"name": ', "is not JSON: Expecting value"),
        (b'"gr\xf6\xdfer"', "is not JSON: .* can't decode byte"),
        (b"[" * 100_000, "is not JSON: "),
    ],
)
def test_what_is_no_json_is_refused_with_what_to_do(tmp_path, content, error):
    path = tmp_path / "content.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=f"content.json {error}.*; export it again$"):
        read_json(path, "export it again")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="can't be read: .*; export it again$"):
        read_json(tmp_path, "export it again")
