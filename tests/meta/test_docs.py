"""The documents match the source tree."""

import re
import subprocess
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from docgen.metrics_page import metrics_by_package
from docgen.reference import GENERATORS
from docgen.settings_page import settings_page
from embedded.daemons import ROOT
from embedded.settings import all_variables
from services.gateway.stream.protocol import CloseCode
from shared.errors import Code
from tradedad_client.environment import OPTIONS, variable

ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "bench").glob("*.md"),
        *(ROOT / "clients").glob("*/*.md"),
        *(ROOT / "services").glob("*/*.md"),
    ]
)

# The modules that a tick passes, in order.
LIFE_OF_A_TICK = [
    "services/ingest/feed/upstream.py",
    "services/ingest/feed/wire.py",
    "services/ingest/normalise/normaliser.py",
    "services/ingest/normalise/instrument_state.py",
    "services/ingest/bus/quote_publisher.py",
    "services/gateway/bus/relay.py",
    "services/gateway/fanout/hub.py",
    "services/gateway/fanout/outbox.py",
    "services/gateway/fanout/flush.py",
    "services/gateway/stream/session.py",
    "shared/bus/stream_reader.py",
    "services/persister/entry_decoder.py",
    "services/persister/aggregation/aggregator.py",
    "services/persister/storage/bar_store.py",
]


def test_the_life_of_a_tick_names_its_modules_in_order() -> None:
    section = ARCHITECTURE.split("## The life of a tick")[1].split("\n## ")[0]
    assert re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE) == LIFE_OF_A_TICK


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_and_link_in_a_document_exists(document: Path) -> None:
    text = document.read_text()
    links = [
        document.parent / link.partition("#")[0]
        for link in re.findall(r"\]\(([^)#]+[^)]*)\)", text)
        if not link.startswith("http")
    ]
    paths = [
        ROOT / path
        for path in re.findall(r"`([\w.-]+(?:/[\w.-]+)+/?)`", text)
        if not path.startswith(".") and (ROOT / path.split("/")[0]).is_dir()
    ]
    assert [str(path) for path in links + paths if not path.exists()] == []


def test_the_directory_index_names_every_folder() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    parents = [path.split("/")[:-1] for path in tracked]
    folders = {names[0] for names in parents if names and not names[0].startswith(".")}
    for names in parents:
        if names and names[0] in ("services", "shared"):
            folders |= {"/".join(names[:depth]) for depth in range(1, len(names) + 1)}
    folders.discard("services")
    index = ARCHITECTURE.split("## Directory index")[1].split("\n## ")[0]
    missing = [folder for folder in sorted(folders) if f"`{folder}/" not in index]
    assert missing == []


def test_the_glossary_defines_each_term_once() -> None:
    glossary = ARCHITECTURE.split("## Glossary")[1]
    terms = re.findall(r"^\| ([^|]+) \| ", glossary, re.MULTILINE)
    names = [name for term in terms if term != "term" for name in term.split(", ")]
    assert len(names) > 50
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_every_error_code_is_documented_and_no_other() -> None:
    errors = (ROOT / "docs" / "errors.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", errors, re.MULTILINE)) == set(Code)


def test_every_close_code_is_documented() -> None:
    errors = (ROOT / "docs" / "errors.md").read_text()
    rows = dict(re.findall(r"^\| (\d{4}) \| `(\w+)` \|", errors, re.MULTILINE))
    assert rows == {str(int(code)): code.name for code in CloseCode}


@pytest.mark.parametrize("path", GENERATORS, ids=lambda path: path.name)
def test_a_generated_document_is_up_to_date(path: Path) -> None:
    assert path.read_text() == GENERATORS[path](), "run: make docs"


def test_every_setting_has_a_description() -> None:
    page = settings_page()
    rows = dict(re.findall(r"^\| `(TRADEDAD_\w+)` \| .* \| (.*) \|$", page, re.MULTILINE))
    assert set(rows) | {"TRADEDAD_SECRETS_DIR"} == set(all_variables())
    assert [name for name, text in rows.items() if " " not in text or text[-1] != "."] == []


def test_every_registered_metric_is_documented_and_named_by_the_conventions() -> None:
    metrics = [metric for metrics in metrics_by_package().values() for metric in metrics]
    registered = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in REGISTRY.collect()
        if family.name.startswith("tradedad_")
    }
    assert {metric.name for metric in metrics} == registered
    assert len({metric.name for metric in metrics}) == len(metrics)
    for metric in metrics:
        assert metric.type != "histogram" or metric.name.endswith(("_seconds", "_bytes")), metric
        assert not re.search(r"_(ms|us|millis|micros|kb|mb)(_|$)", metric.name), metric
        assert " " in metric.help, metric


def test_every_variable_that_a_document_names_exists() -> None:
    named = {
        name
        for path in [*DOCUMENTS, *(ROOT / "deploy").rglob("*.conf")]
        for name in re.findall(r"TRADEDAD_[A-Z0-9_]*[A-Z0-9]", path.read_text())
    }
    only_of_nats_server = {"TRADEDAD_OBSERVER_NATS_PASSWORD", "TRADEDAD_TRADING_NATS_PASSWORD"}
    of_client = {variable(option) for option in (*OPTIONS, "upstox_secret")}
    assert named - set(all_variables()) - only_of_nats_server - of_client == set()


def test_every_decision_record_is_numbered_and_in_the_index() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text()
    for path in sorted(folder.glob("0*.md")):
        number, _, title = path.read_text().splitlines()[0].removeprefix("# ").partition(". ")
        assert path.name.startswith(f"{int(number):03}-"), path.name
        assert f"| {number} | [{title}]({path.name}) |" in index, path.name
        for part in ("**Context.**", "**Decision.**", "**Consequence.**"):
            assert part in path.read_text(), (path.name, part)


def test_make_help_lists_every_command_that_the_readme_names() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    named = set(re.findall(r"\bmake ([a-z0-9-]+)", (ROOT / "README.md").read_text()))
    assert {name for name in named if f"make {name} " not in listed} == set()
