import pytest

from infoplane.spreadsheet import as_text_cell, is_formula


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "="])
def test_text_that_may_be_run_begins_with_an_apostrophe(text):
    assert is_formula(text)
    assert as_text_cell(text) == f"'{text}"
    assert not is_formula(as_text_cell(text))


@pytest.mark.parametrize("text", ["", "fc1.weight", "a=1", "1-1", "'=1", " =1", "(all)", "ü"])
def test_all_other_text_stays(text):
    assert not is_formula(text)
    assert as_text_cell(text) == text
