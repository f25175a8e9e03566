"""Every service is registered in each place that docs/new-service.md lists."""

import re
import tomllib
from collections.abc import Callable
from typing import Any, Final

import pytest

from docgen.metrics_page import metrics_by_package
from docgen.monitoring.rule_files import read_rules
from docgen.reference import METRICS_PAGE, SETTINGS_PAGE
from embedded.daemons import ROOT
from embedded.settings import SERVICES, port_variables
from operations.secret_files import NATS_PASSWORDS
from shared.runtime.settings import SERVICE_PREFIXES

GUIDE: Final = (ROOT / "docs" / "new-service.md").read_text()
PYPROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS: Final[dict[str, dict[str, Any]]] = {
    contract["name"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]
}
ALL_SERVICES: Final = sorted(
    path.name for path in (ROOT / "services").iterdir() if (path / "__init__.py").is_file()
)
EXCEPTIONS: Final = {
    # The simulator is not a service of production.
    "simulator": {"NATS account", "NATS password", "alerts"},
}


def has_standard_files(name: str) -> bool:
    files = ("__init__.py", "__main__.py", "app.py", "settings.py", "metrics.py")
    return all((ROOT / "services" / name / file).is_file() for file in files)


def has_own_ports(name: str) -> bool:
    ports = port_variables()
    own = {variable for variable in ports if variable.startswith(f"TRADEDAD_{name.upper()}_")}
    others = {port for variable, port in ports.items() if variable not in own}
    return f"TRADEDAD_{name.upper()}_OPS_PORT" in own and not others & {ports[v] for v in own}


def is_in_procfile(name: str) -> bool:
    line = f"{name}: exec python -m embedded.supervisor python -m services.{name}"
    return line in (ROOT / "Procfile").read_text().splitlines()


def has_nats_account(name: str) -> bool:
    config = (ROOT / "deploy" / "nats" / "authorization.conf").read_text()
    user = f"user: {name}, password: $TRADEDAD_{name.upper()}_NATS_PASSWORD"
    accounts = re.split(r"\n  (?=[A-Z]+ \{)", config)
    return sum(user in account for account in accounts) == 1


def has_layers_contract(name: str) -> bool:
    contract = CONTRACTS.get(f"{name}: layers", {})
    return contract.get("containers") == [f"services.{name}"] and contract["exhaustive"]


def has_pure_modules(name: str) -> bool:
    sources = CONTRACTS["pure logic imports no socket"]["source_modules"]
    return any(source.startswith(f"services.{name}.") for source in sources)


def has_metrics(name: str) -> bool:
    metrics = metrics_by_package()[f"services.{name}"]
    return bool(metrics) and all(
        metric.name.startswith(f"tradedad_{name}_")
        and f"`{metric.name}`" in METRICS_PAGE.read_text()
        for metric in metrics
    )


def is_scraped(name: str) -> bool:
    lines = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text().splitlines()
    return f"  - job_name: {name}" in lines


def has_alerts(name: str) -> bool:
    alerts = {rule.alert: rule.expr for rule in read_rules().alerts}
    (services,) = re.findall(r'up\{job=~"([^"]+)"\}', alerts["ServiceDown"])
    is_missed = f'absent(up{{job="{name}"}})' in alerts["ServiceMissing"]
    return name in services.split("|") and is_missed


def is_in_directory_index(name: str) -> bool:
    index = (ROOT / "ARCHITECTURE.md").read_text().split("## Directory index")[1]
    return f"| `services/{name}/` |" in index


def has_tests(kind: str, name: str) -> bool:
    return any((ROOT / "tests" / kind / name).rglob("test_*.py"))


PLACES: Final[dict[str, Callable[[str], bool]]] = {
    "standard files": has_standard_files,
    "settings prefix": lambda name: name.upper() in SERVICE_PREFIXES,
    "settings class": lambda name: name in SERVICES,
    "operations port": has_own_ports,
    "Procfile": is_in_procfile,
    "NATS account": has_nats_account,
    "NATS password": lambda name: f"TRADEDAD_{name.upper()}_NATS_PASSWORD" in NATS_PASSWORDS,
    "layers contract": has_layers_contract,
    "pure modules": has_pure_modules,
    "settings page": lambda name: (
        f"`TRADEDAD_{name.upper()}_OPS_PORT`" in SETTINGS_PAGE.read_text()
    ),
    "metrics page": has_metrics,
    "scraping": is_scraped,
    "alerts": has_alerts,
    "directory index": is_in_directory_index,
    "unit tests": lambda name: has_tests("unit", name),
    "integration tests": lambda name: has_tests("integration", name),
}


def test_the_guide_lists_exactly_the_places_that_are_checked() -> None:
    table = GUIDE.split("## The places")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|`]+) \| ", table, re.MULTILINE)
    assert rows == ["place", *PLACES]


@pytest.mark.parametrize("service", ALL_SERVICES)
def test_a_service_is_in_every_place(service: str) -> None:
    expected = PLACES.keys() - EXCEPTIONS.get(service, set())
    assert [place for place in PLACES if place in expected and not PLACES[place](service)] == []


def test_a_missing_place_is_found() -> None:
    name = "archive"
    assert [place for place in PLACES if place != "metrics page" and PLACES[place](name)] == []
