"""Reads the recording and alerting rules in deploy/prometheus/rules."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import yaml

from embedded.daemons import ROOT

RULES: Final = ROOT / "deploy" / "prometheus" / "rules"


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One rule: `record` or `alert` is its name."""

    expr: str
    record: str = ""
    alert: str = ""
    hold: str = msgspec.field(default="", name="for")
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class _Group(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    rules: list[Rule]
    interval: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    groups: list[_Group]


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a folder, in the order of the files."""

    recordings: list[Rule]
    alerts: list[Rule]


def read_rules(folder: Path = RULES) -> Rules:
    """Read all rule files of `folder`. Raises msgspec.ValidationError for a field that no rule has."""
    rules = [
        rule
        for path in sorted(folder.glob("*.yml"))
        for group in msgspec.convert(yaml.safe_load(path.read_text()), _File).groups
        for rule in group.rules
    ]
    return Rules(
        recordings=[rule for rule in rules if rule.record],
        alerts=[rule for rule in rules if rule.alert],
    )
