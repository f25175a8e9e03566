"""Checks rules, dashboards and runbook: ``python -m docgen.monitoring.check``.

Where promtool and amtool are installed, they check the syntax of everything, and run the tests of the
rules.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import yaml

from docgen.monitoring.dashboards.all import DASHBOARDS
from docgen.monitoring.panels import Dashboard
from docgen.monitoring.rule_files import RULES, Rules, read_rules
from docgen.monitoring.series import Series, exported_series, problems, recorded_labels
from embedded.daemons import ROOT

PROMETHEUS_CONFIG: Final = ROOT / "deploy" / "prometheus" / "prometheus.yml"
ALERTMANAGER_CONFIG: Final = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
RULE_TESTS: Final = RULES / "tests"
RUNBOOK: Final = ROOT / "docs" / "operations.md"
PARTS: Final = ("**Look first:**", "**Do:**")
SEVERITIES: Final = ("page", "ticket")
_TIMEOUT_SECS: Final = 60
_WINDOW: Final = "5m"


def with_recorded(known: Series, rules: Rules) -> dict[str, frozenset[str]]:
    """`known` and the series of recording rules."""
    recorded = {rule.record: recorded_labels(rule.expr) for rule in rules.recordings}
    return {**known, **recorded}


def rule_problems(rules: Rules, known: Series) -> Iterator[str]:
    """Problems of each rule."""
    for rule in (*rules.recordings, *rules.alerts):
        name = rule.record or rule.alert
        yield from (f"rule {name}: {problem}" for problem in problems(rule.expr, known))
    for rule in rules.alerts:
        if rule.labels.get("severity") not in SEVERITIES:
            yield f"rule {rule.alert}: its severity must be one of {', '.join(SEVERITIES)}"
        if rule.annotations.get("runbook") != f"docs/{RUNBOOK.name}#{rule.alert.lower()}":
            yield f"rule {rule.alert}: the annotation runbook must link its entry"
        if not rule.annotations.get("summary"):
            yield f"rule {rule.alert}: there is no summary"
    counts = Counter(rule.record or rule.alert for rule in (*rules.recordings, *rules.alerts))
    yield from (f"rule {name}: there are {count}" for name, count in counts.items() if count > 1)


def runbook_problems(rules: Rules, text: str) -> Iterator[str]:
    """Alerts without an entry in the runbook, and entries without an alert."""
    section = text.partition("\n## Alerts\n")[2].partition("\n## ")[0]
    parts = re.split(r"^#### (\w+)$", section, flags=re.MULTILINE)[1:]
    entries = dict(zip(parts[::2], parts[1::2], strict=True))
    alerts = {rule.alert for rule in rules.alerts}
    for alert in sorted(alerts - entries.keys()):
        yield f"alert {alert} has no entry in docs/{RUNBOOK.name}"
    for entry in sorted(entries.keys() - alerts):
        yield f"docs/{RUNBOOK.name} has an entry for {entry}, which is no alert"
    for entry, body in entries.items():
        yield from (f"the entry {entry} lacks {part}" for part in PARTS if part not in body)


def dashboard_problems(dashboards: Sequence[Dashboard], known: Series) -> Iterator[str]:
    """Problems of each panel."""
    every = {**known, "ALERTS": frozenset({"alertname", "alertstate", "severity"})}
    for dashboard in dashboards:
        for panel in dashboard.panels:
            place = f"dashboard {dashboard.uid}, panel {panel.title}"
            for query, _ in panel.queries:
                yield from (f"{place}: {problem}" for problem in problems(query, every))


def all_problems() -> list[str]:
    """Every problem that can be found without a program."""
    rules = read_rules()
    known = with_recorded(exported_series(), rules)
    return [
        *rule_problems(rules, known),
        *runbook_problems(rules, RUNBOOK.read_text(encoding="utf-8")),
        *dashboard_problems(DASHBOARDS, known),
    ]


def queries_as_rules(dashboards: Sequence[Dashboard]) -> str:
    """A rule file with each panel's queries, by which promtool can check their syntax."""
    queries = [
        query.replace("$__rate_interval", _WINDOW)
        for dashboard in dashboards
        for panel in dashboard.panels
        for query, _ in panel.queries
    ]
    rules = [{"record": f"panel:{at}", "expr": query} for at, query in enumerate(queries)]
    text: str = yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]})
    return text


def program_problems() -> Iterator[str]:
    """Problems found by promtool and amtool. Programs that are not installed are printed."""
    with tempfile.TemporaryDirectory() as folder:
        panels = Path(folder) / "panels.yml"
        panels.write_text(queries_as_rules(DASHBOARDS), encoding="utf-8")
        yield from _run("promtool", "check", "config", str(PROMETHEUS_CONFIG))
        yield from _run("promtool", "check", "rules", str(panels))
        yield from _run("amtool", "check-config", str(ALERTMANAGER_CONFIG))


def rule_test_problems(files: Iterable[Path]) -> Iterator[str]:
    """The cases of the files in which an alert does not do what they expect."""

    def run(file: Path) -> list[str]:
        return list(_run("promtool", "test", "rules", str(file)))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(run, files):
            yield from found


def _run(program: str, *arguments: str) -> Iterator[str]:
    if (path := shutil.which(program)) is None:
        print(f"{program} is not installed, so `{program} {arguments[0]}` was not run")
        return
    done = subprocess.run(  # noqa: S603
        [path, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_SECS, check=False
    )
    if done.returncode != 0:
        yield f"{program} {' '.join(arguments)}:\n{done.stdout}{done.stderr}"


def main() -> int:
    """Print all problems; the exit code."""
    tests = rule_test_problems(sorted(RULE_TESTS.glob("*.yml")))
    found = [*all_problems(), *program_problems(), *tests]
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
