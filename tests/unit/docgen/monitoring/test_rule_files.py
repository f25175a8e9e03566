"""Rule files are read strictly."""

from pathlib import Path

import msgspec
import pytest

from docgen.monitoring.rule_files import read_rules

ALERT = """
groups:
  - name: one
    rules:
      - {alert: Down, expr: up == 0, for: 1m, labels: {severity: page}}
      - {record: a:b, expr: sum(b)}
"""


def test_alerts_and_recordings_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(ALERT)
    rules = read_rules(tmp_path)
    assert [(rule.alert, rule.hold) for rule in rules.alerts] == [("Down", "1m")]
    assert [(rule.record, rule.expr) for rule in rules.recordings] == [("a:b", "sum(b)")]


def test_a_misspelt_field_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(ALERT.replace("labels", "lables"))
    with pytest.raises(msgspec.ValidationError, match="lables"):
        read_rules(tmp_path)
