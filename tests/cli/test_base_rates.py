"""`fairseq-instr base-rates`: aligned files in, a YAML file of rates out."""

import pytest
import yaml

from fairseq_instr.cli.main import main


@pytest.fixture
def text(tmp_path):
    for name, lines in {"test.en": "A dog.\nStop!\n", "test.de": "EIN HUND.\nHalt!\n"}.items():
        (tmp_path / name).write_text(lines, encoding="utf-8")
    return f"{tmp_path}/test.en,{tmp_path}/test.de"


def test_rates_are_written_with_the_name_of_the_text(text, tmp_path):
    output = tmp_path / "rates.yaml"
    command = ["base-rates", "--pair", f"de={text}", "--text", "two", "--output", str(output)]
    assert main(command) == 0
    content = yaml.safe_load(output.read_text(encoding="utf-8"))
    assert (content["text"], content["pairs"]) == ("two", {"de": 2})
    assert content["rates"]["de"]["uppercase"] == content["rates"]["de"]["exclamation"] == 0.5
    assert main(command) == 1  # it exists
    assert main([*command, "--pair", f"de={text}", "--force"]) == 0
    assert yaml.safe_load(output.read_text(encoding="utf-8"))["pairs"] == {"de": 4}
    (tmp_path / "test.de").write_text("Halt!\n", encoding="utf-8")
    assert main([*command, "--force"]) == 1  # it is not aligned
    for side in ("en", "de"):
        (tmp_path / f"test.{side}").write_text("")
    assert main([*command, "--force"]) == 1  # a rate over no line says nothing
    assert yaml.safe_load(output.read_text(encoding="utf-8"))["pairs"] == {"de": 4}


@pytest.mark.parametrize("pair", ["de", "de=a", "=a,b", "de=a,"])
def test_a_pair_that_is_no_pair_is_refused(pair, tmp_path, capsys):
    output = tmp_path / "rates.yaml"
    assert main(["base-rates", "--pair", pair, "--text", "x", "--output", str(output)]) == 1
    assert "--pair" in capsys.readouterr().err and not output.exists()
