"""promtool and amtool accept all files, and each alert fires when it should."""

from pathlib import Path

import pytest

from docgen.monitoring import check
from tests.support.monitoring import monitoring_program


def test_promtool_and_amtool_accept_rules_dashboards_and_configurations() -> None:
    for name in ("promtool", "amtool"):
        monitoring_program(name)
    assert list(check.program_problems()) == []


def test_a_query_with_an_error_of_syntax_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monitoring_program("promtool")
    monkeypatch.setattr(
        check, "queries_as_rules", lambda _: "groups: [{name: a, rules: [{record: a, expr: sum(}]}]"
    )
    (problem,) = check.program_problems()
    assert "could not parse expression" in problem


@pytest.mark.parametrize("path", sorted(check.RULE_TESTS.glob("*.yml")), ids=lambda path: path.stem)
def test_alerts_fire_in_the_cases_of_their_tests(path: Path) -> None:
    monitoring_program("promtool")
    assert list(check.rule_test_problems([path])) == []


def test_an_alert_that_does_not_fire_when_it_should_is_found(tmp_path: Path) -> None:
    monitoring_program("promtool")
    text = (check.RULE_TESTS / "servers.yml").read_text()
    text = text.replace("../", f"{check.RULE_TESTS.parent}/")
    assert "values: '1e8x4'" in text
    faulty = tmp_path / "servers.yml"
    faulty.write_text(text.replace("values: '1e8x4'", "values: '1e10x4'"))
    (problem,) = check.rule_test_problems([faulty])
    assert 'alertname="DiskFull"' in problem
