"""Reading YAML files of users: plain values alone, of a bounded size."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from fairseq_instr.errors import InputError

MAX_FILE_BYTES = 4 * 1024 * 1024


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
        path: of it.
        kind: what it should be, to begin an error with, such as `inventory`.

    Raises:
        InputError: if it can't be read, is too large, or is no YAML of plain values.
    """
    try:
        if os.path.getsize(path) > MAX_FILE_BYTES:
            raise InputError(f"{kind} {path} is larger than {MAX_FILE_BYTES} bytes: refused")
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{kind} {path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{kind} {path} is not YAML: {error}") from None
    try:
        return yaml.load(text, Loader=_Loader)
    # some tags are built by Python's own types, which raise what they like
    except Exception as error:
        raise InputError(f"{kind} {path} is not YAML: {error}") from None
