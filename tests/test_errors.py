"""One line for what the user did wrong; everything else as before."""

import sys

import pytest

from fairseq_instr.errors import (
    LONGEST_MESSAGE,
    InputError,
    find_input_error,
    install_exception_hook,
)


@pytest.fixture
def hook(monkeypatch):
    """The hook over one that records what it is given."""
    shown = []
    monkeypatch.setattr(sys, "excepthook", lambda *exception: shown.append(exception))
    install_exception_hook()

    def show(error):
        sys.excepthook(type(error), error, error.__traceback__)
        return shown

    return show


def raised(outer, inner, **chained):
    """An error raised while another one was dealt with, or from it."""
    try:
        try:
            raise inner
        except Exception:
            if chained:
                raise outer from chained["cause"]
            raise outer  # noqa: B904 (as fairseq writes it)
    except Exception as error:
        return error


CAUSE = InputError("the cause")
WRAPPED = [raised(Exception("what fairseq says"), CAUSE), raised(KeyError(), CAUSE, cause=CAUSE)]


@pytest.mark.parametrize("error", WRAPPED)
def test_a_wrapped_input_error_is_shown_alone(hook, capsys, error):
    assert hook(error) == []
    assert capsys.readouterr().err == "fairseq_instr: error: the cause\n"


@pytest.mark.parametrize("gap", ["\n  ", "\u2028", "\x85"])
def test_an_error_is_one_line_that_is_bounded_and_can_be_printed(gap):
    assert issubclass(InputError, ValueError)
    assert str(InputError(f"first{gap}second")) == "first second"
    message = str(InputError("x" * 10**6 + " at the end"))
    assert len(message) <= LONGEST_MESSAGE and message.endswith("at the end")
    assert str(InputError("name '\ud800'")) == r"name '\ud800'"


def test_another_error_can_be_explained(monkeypatch, capsys):
    monkeypatch.setattr(sys, "excepthook", lambda *exception: None)
    install_exception_hook(lambda traceback: InputError(f"at line {traceback.tb_lineno}"))
    error = raised(ZeroDivisionError(), KeyError())
    sys.excepthook(type(error), error, error.__traceback__)
    line = error.__traceback__.tb_lineno
    assert capsys.readouterr().err == f"fairseq_instr: error: at line {line}\n"


@pytest.mark.parametrize(
    "error", [raised(KeyError(), KeyError()), raised(KeyError(), CAUSE, cause=None)]
)
def test_other_errors_go_to_the_hook_before(hook, capsys, error):
    assert hook(error) == [(type(error), error, error.__traceback__)]
    assert capsys.readouterr().err == ""


def test_the_hook_is_installed_once(hook):
    installed = sys.excepthook
    install_exception_hook()
    assert sys.excepthook is installed


def test_a_ring_of_errors_ends():
    first, second = KeyError(), KeyError()
    first.__context__, second.__context__ = second, first
    assert find_input_error(first) is None
