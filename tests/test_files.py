"""Files appear whole or not at all."""

import errno
import os

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.files import (
    atomic_folder,
    atomic_path,
    making,
    refuse_to_overwrite,
    write_atomically,
    writing_lines,
)


def test_a_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "out.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename has to stay on one file system
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["out.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("old", [{}, {"out.txt": "old"}])
def test_a_failure_leaves_things_as_they_were(tmp_path, error, old):
    for name, content in old.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(error):
        with atomic_path(tmp_path / "out.txt", force=True) as temporary:
            temporary.write_text("half")
            raise error
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == old


@pytest.mark.parametrize("make", [making, atomic_path, atomic_folder])
def test_folders_that_a_failure_leaves_empty_go_again(tmp_path, make):
    (tmp_path / "mine").mkdir()
    for folder in (tmp_path / "mine", tmp_path / "new" / "newer"):
        with pytest.raises(RuntimeError):
            with make(folder if make is making else folder / "out"):
                raise RuntimeError
    assert list(tmp_path.rglob("*")) == [tmp_path / "mine"]
    with pytest.raises(RuntimeError):
        with making(tmp_path / "new" / "newer"):
            (tmp_path / "new" / "part").touch()
            raise RuntimeError
    assert sorted(os.listdir(tmp_path / "new")) == ["part"]


def test_an_existing_file_is_refused_before_any_work(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(InputError, match=r"out\.txt.*--force"):
        with atomic_path(path):
            raise AssertionError("the block must not run")
    with pytest.raises(InputError, match="--force"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    write_atomically(path, "new", force=True)
    assert path.read_text() == "new"
    refuse_to_overwrite(path, force=True)


def test_a_disk_that_can_t_be_written_is_told_with_the_path(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/out.txt"):
        write_atomically(tmp_path / "file" / "out.txt", "no folder")
    with pytest.raises(InputError, match="out.txt.*No space left"):
        with atomic_path(tmp_path / "out.txt"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # as `write` raises it
    monkeypatch.setattr(os, "replace", raise_read_only)
    with pytest.raises(InputError, match="out.txt.*Read-only"):
        write_atomically(tmp_path / "out.txt", "text")
    with pytest.raises(InputError, match="out.*Read-only"):
        with atomic_folder(tmp_path / "out") as temporary:
            (temporary / "a").write_text("")
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_whose_successor_can_t_take_its_name_stays(tmp_path, monkeypatch):
    output, replace = tmp_path / "out", os.replace
    output.mkdir()
    (output / "a").write_text("old")

    def only_away(source, target):
        if os.fspath(target) == os.fspath(output) and not os.fspath(source).endswith(".old"):
            raise_read_only(source, target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", only_away)
    with pytest.raises(InputError, match="out.*Read-only"):
        with atomic_folder(output, force=True, marker="a") as temporary:
            (temporary / "a").write_text("new")
    assert os.listdir(tmp_path) == ["out"]
    assert (output / "a").read_text() == "old"


def raise_read_only(source, target):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(source), None, str(target))


def test_an_error_about_another_file_stays_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError):
        with atomic_path(tmp_path / "out.txt"):
            open(tmp_path / "missing")


def test_files_appear_together_or_not_at_all(tmp_path):
    paths = [tmp_path / "a", tmp_path / "new" / "b"]
    with pytest.raises(RuntimeError):
        with writing_lines(paths) as files:
            files[0].write("half")
            raise RuntimeError
    assert not any(path.exists() for path in paths)
    paths[1].parent.mkdir(exist_ok=True)
    paths[1].write_text("old")
    with pytest.raises(InputError, match="b exists"):
        with writing_lines(paths):
            raise AssertionError("the block must not run")
    with pytest.raises(InputError, match="a"):
        with writing_lines([paths[0], paths[0]]):
            raise AssertionError("the block must not run")
    with writing_lines(paths, force=True) as files:
        for file in files:
            file.write("ä\n")
    assert [path.read_bytes() for path in paths] == ["ä\n".encode()] * 2
