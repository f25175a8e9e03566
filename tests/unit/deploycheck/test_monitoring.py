"""A rule file or dashboard that a cluster would not get is found."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from deploycheck import monitoring
from deploycheck.kustomize.render import RenderError, render
from embedded.daemons import ROOT

FOLDER = Path("k8s") / "monitoring"


@pytest.fixture
def deploy(tmp_path: Path) -> Path:
    """A copy of the folder `deploy`."""
    ignored = shutil.ignore_patterns("secrets")
    return Path(shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=ignored))


def test_the_monitoring_has_no_problem() -> None:
    assert monitoring.check(ROOT / "deploy") == []


def test_a_dashboard_that_is_not_listed_is_found(deploy: Path) -> None:
    (deploy / "grafana" / "dashboards" / "tradedad-orders.json").write_text("{}")
    assert monitoring.check(deploy) == [
        "ConfigMap tradedad-dashboards: has no tradedad-orders.json"
    ]


def test_a_rule_file_that_is_not_listed_is_found(deploy: Path) -> None:
    (deploy / "prometheus" / "rules" / "more.yml").write_text("groups: []")
    assert monitoring.check(deploy) == ["ConfigMap tradedad-rules: has no more.yml"]


def test_a_missing_config_map_is_found(deploy: Path) -> None:
    path = deploy / FOLDER / "kustomization.yaml"
    path.write_text(path.read_text().replace("- ../../alertmanager\n", ""))
    assert monitoring.check(deploy) == ["there is no ConfigMap tradedad-alertmanager"]


def test_dashboards_that_no_config_map_can_hold_are_found(deploy: Path) -> None:
    (deploy / "grafana" / "dashboards" / "tradedad-auth.json").write_text("x" * (1 << 20))
    assert monitoring.check(deploy) == ["ConfigMap tradedad-dashboards: is larger than 1 MiB"]


def test_a_listed_file_that_does_not_exist_is_found(deploy: Path) -> None:
    (deploy / "grafana" / "dashboards" / "tradedad-auth.json").unlink()
    with pytest.raises(RenderError, match=r"tradedad-auth\.json"):
        monitoring.check(deploy)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_the_monitoring_is_rendered_as_by_kubectl() -> None:
    folder = ROOT / "deploy" / FOLDER
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True
    )
    expected = yaml.load_all(done.stdout, Loader=yaml.CSafeLoader)
    assert {item["metadata"]["name"]: item for item in render(folder)} == {
        item["metadata"]["name"]: item for item in expected
    }
