import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairseq_instr.evaluation.proportions import sign_test, wilson_interval


def test_wilson_interval_of_8_in_10():
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(0, 0) == (0, 1)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_rate_and_narrows_with_more_lines(counts):
    successes, trials = counts
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    wider_low, wider_high = wilson_interval(successes * 4, trials * 4)
    assert wider_high - wider_low < high - low


def test_sign_test_of_5_and_0():
    assert sign_test(5, 0) == pytest.approx(2 / 2**5)
    assert sign_test(0, 0) == sign_test(3, 3) == 1


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_sign_test_is_a_probability_and_symmetric(first, second):
    assert 0 < sign_test(first, second) <= 1
    assert sign_test(first, second) == pytest.approx(sign_test(second, first))
