"""The command: where it listens, and what it refuses before it does."""

from __future__ import annotations

import json
import threading
import urllib.request

import pytest

pytest.importorskip("waitress")

from fairseq_instr.cli.playground import _parser, main, make_server
from fairseq_instr.errors import InputError


def test_it_answers_on_loopback(tuned, base, data_bin):
    options = ["--tuned", str(tuned), "--base", str(base), "--data", str(data_bin), "--port", "0"]
    server, address = make_server(_parser().parse_args(options))
    assert address.startswith("http://127.0.0.1:")
    threading.Thread(target=server.run, daemon=True).start()
    try:
        with urllib.request.urlopen(f"{address}/instructions") as answer:
            assert json.load(answer)["systems"] == ["base", "tuned"]
        taken = address.rpartition(":")[2]
        with pytest.raises(InputError, match=f"--port {taken} can't be used: .*; give another"):
            make_server(_parser().parse_args([*options[:-1], taken]))
    finally:
        server.close()


def test_an_exported_folder_serves_too(tuned, data_bin, tmp_path):
    pytest.importorskip("ctranslate2")
    from fairseq_instr.serving.export import export_ctranslate2

    export_ctranslate2(tuned, data_bin, tmp_path / "served")
    server, _ = make_server(
        _parser().parse_args(["--tuned", str(tmp_path / "served"), "--port", "0"])
    )
    server.close()


@pytest.mark.parametrize(
    "options, message",
    [
        (["--tuned", "tuned.pt"], "tuned.pt is a checkpoint: give its data-bin by --data"),
        (["--tuned", "tuned.pt", "--port", "70000"], "--port 70000 is not accepted"),
    ],
)
def test_what_is_missing_is_named(options, message):
    with pytest.raises(InputError, match=message):
        main(options)
