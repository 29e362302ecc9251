"""The report on a scorer says what its command says."""

import pytest

from tests import report
from tests.lem import PROJECT


@pytest.mark.skipif(not report.DATA.is_dir(), reason="needs ../shared/data/lem")
def test_the_report_on_lek_2_1_is_what_its_command_writes() -> None:
    found = PROJECT / "agents" / "scorers" / "tables" / "lek@2.1.md"

    assert found.read_text(encoding="utf-8") == report.report()
