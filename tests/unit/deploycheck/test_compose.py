"""A fault in docker-compose.yml is found and named."""

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from deploycheck.compose import check, read, with_addition
from embedded.daemons import ROOT


@cache
def _document() -> dict[str, Any]:
    return read(ROOT / "docker-compose.yml")


def problems_after(plant: Callable[[Any], object]) -> list[str]:
    """The problems that a change adds."""
    document = copy.deepcopy(_document())
    plant(document)
    before = check(_document(), ROOT)
    return [line for line in check(document, ROOT) if line not in before]


def test_the_file_has_no_problem() -> None:
    assert check(_document(), ROOT) == []


FAULTS: dict[str, tuple[Callable[[Any], object], str]] = {
    "unknown setting": (
        lambda d: d["services"]["ingest"]["environment"].update(TRADEDAD_INGEST_PLANS="plus"),
        "ingest: TRADEDAD_INGEST_PLANS is not a setting; did you mean TRADEDAD_INGEST_PLAN?",
    ),
    "missing secret": (
        lambda d: d["services"]["auth"]["secrets"].remove("TRADEDAD_AUTH_PEPPER"),
        "auth: TRADEDAD_AUTH_PEPPER is required",
    ),
    "undefined secret": (
        lambda d: d["secrets"].pop("mongo-keyfile"),
        "mongo: there is no secret mongo-keyfile",
    ),
    "secret that nothing makes": (
        lambda d: d["secrets"]["mongo-keyfile"].update(file=".secrets/keyfile"),
        "secret mongo-keyfile: the command for secrets does not make .secrets/keyfile",
    ),
    "secret in the environment": (
        lambda d: d["services"]["trading"]["environment"].update(TRADEDAD_MONGO_URL="mongodb://h"),
        "trading: TRADEDAD_MONGO_URL is a secret and must be a file",
    ),
    "password of another service": (
        lambda d: d["services"]["gateway"]["secrets"].append("TRADEDAD_AUTH_PEPPER"),
        "gateway: TRADEDAD_AUTH_PEPPER is a secret of another service",
    ),
    "nats-server without a password": (
        lambda d: d["services"]["nats"]["secrets"].remove("TRADEDAD_TRADING_NATS_PASSWORD"),
        "nats: there is no TRADEDAD_TRADING_NATS_PASSWORD",
    ),
    "missing service": (
        lambda d: d["services"].pop("persister-demo"),
        "profile demo: does not run persister",
    ),
    "missing dependency": (
        lambda d: d["services"]["auth"]["depends_on"].update(
            redis={"condition": "service_started"}
        ),
        "auth: depends_on: there is no service redis",
    ),
    "dependency without a health check": (
        lambda d: d["services"]["nats"].pop("healthcheck"),
        "ingest: depends_on: nats has no health check",
    ),
    "dependency of another profile": (
        lambda d: d["services"]["ingest"]["depends_on"].update(
            simulator={"condition": "service_healthy"}
        ),
        "ingest: depends_on: simulator is only in the profiles ['demo']",
    ),
    "missing file": (
        lambda d: d["services"]["nginx"]["volumes"].append("./deploy/nginx/no.conf:/x:ro"),
        "nginx: there is no ./deploy/nginx/no.conf",
    ),
    "image without a digest": (
        lambda d: d["services"]["nats"].update(image="nats:latest"),
        "nats: the image nats:latest has no registry, tag and digest",
    ),
    "root": (lambda d: d["services"]["mongo"].pop("user"), "mongo: may run as root"),
    "writable": (
        lambda d: d["services"]["grafana"].pop("read_only"),
        "grafana: can write to its root file system",
    ),
    "capabilities": (
        lambda d: d["services"]["nginx"].update(cap_add=["NET_ADMIN"]),
        "nginx: has capabilities",
    ),
    "unknown network": (
        lambda d: d["services"]["auth"].update(networks=["front"]),
        "auth: there is no network front",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    plant, expected = FAULTS[fault]
    assert expected in problems_after(plant)


def test_the_addition_for_the_operators_app_has_no_problem() -> None:
    addition = read(ROOT / "deploy" / "compose" / "upstox-app.yml")
    assert check(with_addition(_document(), addition), ROOT) == []


def test_a_misspelt_setting_of_an_addition_is_found() -> None:
    addition = {"services": {"trading": {"environment": {"TRADEDAD_TRADING_LIVE_ORDER": "true"}}}}
    (problem,) = check(with_addition(_document(), addition), ROOT)
    assert "did you mean TRADEDAD_TRADING_LIVE_ORDERS?" in problem


def test_the_operators_switch_for_orders_at_upstox_is_off_by_default() -> None:
    environment = _document()["services"]["trading"]["environment"]
    assert environment["TRADEDAD_TRADING_LIVE_ORDERS"] == "false"


@pytest.mark.parametrize("user", ["backup", "restore"])
def test_a_container_of_backups_has_its_own_user_and_reaches_no_other_network(user: str) -> None:
    service = _document()["services"][user]
    assert service["secrets"] == [{"source": f"{user}-mongo-url", "target": "TRADEDAD_MONGO_URL"}]
    assert service["networks"] == ["backend"]
    assert service["profiles"] == ["backup"]
    setup = _document()["services"]["setup"]
    assert "./backups:/volumes/backups" in setup["volumes"]
    assert "/volumes/backups" in setup["command"]


def test_a_variable_has_its_default(tmp_path: Path) -> None:
    path = tmp_path / "compose.yml"
    path.write_text("services: {a: {image: '${IMAGE:-docker.io/a:1}'}}")
    assert read(path) == {"services": {"a": {"image": "docker.io/a:1"}}}
