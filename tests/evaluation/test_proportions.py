import pytest

from fairseq_instr.evaluation.proportions import sign_test, wilson_interval


def test_wilson_interval_of_8_in_10():
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(0, 0) == (0, 1)


def test_sign_test_of_5_and_0():
    assert sign_test(5, 0) == pytest.approx(2 / 2**5)
    assert sign_test(0, 0) == sign_test(3, 3) == 1
