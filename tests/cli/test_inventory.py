"""`fairseq-instr inventory`: shows the catalogue, writes a data-bin's inventory."""

import pytest

from fairseq_instr.cli.main import main
from fairseq_instr.instructions import Inventory, catalogue


def test_the_list_has_a_line_for_every_instruction_with_where_its_data_come_from(capsys):
    assert main(["inventory", "--list"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0].partition("=")[0] for line in lines] == list(catalogue())
    for line, instruction in zip(lines, catalogue().values()):
        assert line.split()[1:3] == [instruction.axis, instruction.source_of_data]
        assert line.endswith(instruction.phrases[0])


def test_an_inventory_is_written_in_the_order_named_and_never_over_another(tmp_path, capsys):
    path = tmp_path / "instructions.yaml"
    command = ["inventory", "--output", str(path), "uppercase,to:de", "begin-with"]
    assert main(command) == 0
    assert Inventory.load(path).names == ("uppercase", "to:de", "begin-with")
    assert main(command[:-1]) == 1
    assert "--force" in capsys.readouterr().err
    assert main([*command[:-1], "--force"]) == 0
    assert Inventory.load(path).names == ("uppercase", "to:de")
    assert main([*command[:-2], "formal swiss", "--force"]) == 0
    assert Inventory.load(path).names == ("formal", "swiss")


@pytest.mark.parametrize(
    "arguments, named",
    [
        ([], "--output"),
        (["uppercase"], "--output"),
        (["--output", "x.yaml"], "--list"),
        (["--output", "x.yaml", "uppercas"], "uppercas"),
        (["--output", "x.yaml", "begin-with=Heute"], "begin-with"),
        (["--output", "x.yaml", "uppercase", "uppercase"], "uppercase"),
    ],
)
def test_what_is_missing_or_not_accepted_is_named(arguments, named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["inventory", *arguments]) == 1
    assert named in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
