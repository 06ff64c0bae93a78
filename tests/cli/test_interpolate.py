"""`fairseq-instr interpolate`."""

from fairseq_instr.cli.main import main


def test_an_output_that_is_there_is_kept(base, tuned, tmp_path, capsys):
    output = tmp_path / "mixed.pt"
    output.write_text("precious")
    command = ["interpolate", "--base", base, "--tuned", tuned, "--tuned-weight", 0.5]
    command = [*map(str, command), "--output", str(output)]
    assert main(command) == 1
    assert "--force" in capsys.readouterr().err
    assert output.read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["mixed.pt"]
    assert main([*command, "--force"]) == 0
    assert "0.5 base + 0.5 tuned" in capsys.readouterr().out
