"""Where it listens, and what it refuses before it does."""

from __future__ import annotations

import json
import threading
import urllib.request

import pytest

pytest.importorskip("waitress")

from fairseq_instr.errors import InputError
from fairseq_instr.playground.server import make_server


def test_it_answers_on_loopback(tuned, base, data_bin):
    server, address = make_server(tuned=tuned, base=base, data=data_bin, port=0)
    assert address.startswith("http://127.0.0.1:")
    threading.Thread(target=server.run, daemon=True).start()
    try:
        with urllib.request.urlopen(f"{address}/instructions") as answer:
            assert json.load(answer)["systems"] == ["base", "tuned"]
        taken = address.rpartition(":")[2]
        with pytest.raises(InputError, match=f"--port {taken}"):
            make_server(tuned=tuned, data=data_bin, port=int(taken))
    finally:
        server.close()


@pytest.mark.parametrize(
    "options, named",
    [({"tuned": "tuned.pt"}, "--data"), ({"tuned": "tuned.pt", "port": 70000}, "--port 70000")],
)
def test_what_is_missing_is_named(options, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tuned.pt").touch()
    with pytest.raises(InputError, match=named):
        make_server(**options)
