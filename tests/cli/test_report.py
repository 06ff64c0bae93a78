"""`fairseq-instr report`."""

import json


def test_the_command_says_what_it_wrote(start, tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"kind": "directions", "version": 2}), encoding="utf-8")
    done = start("report", path, "--output", tmp_path / "all.html", "--title", "Two & more")
    assert done.status == 0, done.err
    assert done.out.splitlines() == [str(tmp_path / "all.html"), str(tmp_path / "all.md")]
    assert "<h1>Two &amp; more</h1>" in (tmp_path / "all.html").read_text(encoding="utf-8")
