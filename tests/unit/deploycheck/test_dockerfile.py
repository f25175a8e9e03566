"""A fault in the Dockerfile is found, by hadolint or by the project's own rules."""

from pathlib import Path

import pytest

from deploycheck.dockerfile import check
from embedded.daemons import ROOT

TEXT = (ROOT / "deploy" / "images" / "Dockerfile").read_text()
FAULTS = {
    "base without a digest": (
        "slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d",
        "slim-bookworm",
        "the base docker.io/library/python:3.11.14-slim-bookworm has no registry, tag and digest",
    ),
    "another base": (
        "FROM ${BASE} AS production",
        "FROM debian:12 AS production",
        "FROM debian:12: only the pinned base and stages may be used",
    ),
    "root": ("USER 10001:10001", "USER root", "the last USER must be a number above 0"),
    "no health check": ("HEALTHCHECK --interval", "LABEL --interval", "there is no HEALTHCHECK"),
    "wrong port": ("GATEWAY_OPS_PORT=7401", "GATEWAY_OPS_PORT=7400", "is 7400, not 7401"),
    "simulator in production": (
        "COPY --from=build /app /app",
        "COPY services/simulator /app",
        "production: copies services/simulator",
    ),
    "tests in production": ("COPY shared shared", "COPY tests tests", "build: copies tests"),
    "whole folder": ("COPY shared shared", "COPY . .", "build: copies ."),
    "another uv": ("uv==0.13.9", "uv", "uv must be "),
    "add": ("COPY shared shared", "ADD shared shared", "DL3020"),
}


def test_the_file_has_no_problem() -> None:
    assert check(ROOT / "deploy" / "images" / "Dockerfile") == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, tmp_path: Path) -> None:
    old, new, expected = FAULTS[fault]
    assert old in TEXT
    path = tmp_path / "Dockerfile"
    path.write_text(TEXT.replace(old, new, 1))
    assert any(expected in line for line in check(path)), check(path)


def test_what_is_not_for_images_is_not_sent_to_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert not allowed & {"embedded", "tests", "bench", "docgen", ".secrets", ".data", ".git"}
