"""promtool and amtool accept all files, and each alert fires when it should."""

import subprocess

import pytest

from docgen.monitoring import check
from docgen.monitoring.rule_files import RULES
from tests.support.monitoring import monitoring_program
from tests.support.patience import TEST_TIMEOUT_SECS


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


@pytest.mark.parametrize("path", sorted((RULES / "tests").glob("*.yml")), ids=lambda p: p.stem)
def test_alerts_fire_in_the_cases_of_their_tests(path: object) -> None:
    done = subprocess.run(
        [monitoring_program("promtool"), "test", "rules", str(path)],
        capture_output=True,
        text=True,
        timeout=TEST_TIMEOUT_SECS / 2,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
