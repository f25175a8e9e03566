"""Logs are written to stderr in one format, for this project and for libraries."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.runtime import logs
from shared.runtime.settings import LogSettings

CANARY = "canary-secret-77d0"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def configure(level: str = "info", log_format: str = "json") -> None:
    logs.configure(LogSettings.model_validate({"level": level, "format": log_format}), "oven")


def fail() -> None:
    password = CANARY
    raise ZeroDivisionError(len(password))


def test_a_line_is_json_with_the_service_the_level_and_the_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure()
    logs.get_logger("test").info("heated", degrees=180)
    logging.getLogger("library").warning("too %s", "hot")
    own, other = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (own["event"], own["degrees"]) == ("heated", 180)
    assert (own["service"], own["level"]) == ("oven", "info")
    assert (other["event"], other["level"], other["service"]) == ("too hot", "warning", "oven")


def test_lines_below_the_level_are_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    configure("warning")
    logs.get_logger("test").info("heated")
    logging.getLogger("pymongo").info("connected")
    assert capsys.readouterr().err == ""


def test_libraries_that_log_much_are_limited_to_warnings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("debug")
    logging.getLogger("pymongo.topology").info("changed")
    logging.getLogger("pymongo.topology").warning("lost")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "lost"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_local_variables(
    capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    configure(log_format=log_format)
    try:
        fail()
    except ZeroDivisionError:
        logs.get_logger("test").exception("failed")
    text = capsys.readouterr().err
    assert "ZeroDivisionError" in text
    assert CANARY not in text
