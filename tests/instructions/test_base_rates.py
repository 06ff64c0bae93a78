"""Base rates: counted on literal text, and there for what the catalogue can verify."""

import pytest

from fairseq_instr.instructions import catalogue
from fairseq_instr.instructions.base_rates import base_rate, measure

FORBIDDING = set()  # names of rules that most plain translations obey by nature
PAIRS = [("A dog.", "EIN HUND."), ("A dog.", "Ein Hund."), ("Ten.", "Zehn."), ("Stop!", "Halt!")]


def test_rates_are_shares_of_the_targets():
    rates = measure(PAIRS, "de")
    assert rates["uppercase"] == 1 / 4
    assert rates["exclamation"] == 1 / 4
    assert rates["number-words"] == 1 / 4
    assert rates["long"] == 3 / 4  # 9 characters for 6 twice, 5 for 4
    assert measure([], "de")["uppercase"] == 0.0


def test_instructions_without_a_verifier_or_with_a_slot_have_none():
    rates = measure(PAIRS, "de")
    assert {"news", "at-most", "british"}.isdisjoint(rates)
    assert base_rate("news", "de") is None and base_rate("uppercase", "xx") is None


@pytest.mark.parametrize("language", ["de", "en", "fr", "it", "nl", "ro"])
def test_measured_rates_cover_the_catalogue(language):
    rates = {name: base_rate(name, language) for name in measure([], language)}
    measured = [rate for rate in rates.values() if rate is not None]
    assert all(0 <= rate <= 1 for rate in measured)
    assert len(measured) >= 0.9 * len(rates)  # new ones are measured with the next text
    # the three lengths part the range of all translations
    lengths = [base_rate(name, language) for name in ("short", "isometric", "long")]
    assert 0.99 < sum(lengths) <= 1.0001
    # a rule that writes what translations have anyway teaches little, unless it forbids something
    common = {i.name for i in catalogue().values() if i.rewrite and (rates.get(i.name) or 0) > 0.3}
    assert common <= FORBIDDING
