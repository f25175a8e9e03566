"""Every module can be imported alone, says what it is for and, if pure, has a unit test."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "shared",
    "services",
    "operations",
    "embedded",
    "deploycheck",
    "docgen",
    "bench",
    "tradedad_client",
)
HOMES = {"tradedad_client": ROOT / "clients" / "python" / "src"}
MODULES = sorted(
    ".".join(path.relative_to(home).with_suffix("").parts).removesuffix(".__init__")
    for package in PACKAGES
    for home in [HOMES.get(package, ROOT)]
    for path in (home / package).rglob("*.py")
)

# Third-party packages are imported once. Then each module is imported in a fork of its own, so that
# an import by one module cannot hide a missing import of another. Modules of shared come first and,
# once each of them can be imported alone, stay for the forks of all others: this saves most of the
# time.
IMPORT_EACH = """
import gc, os, sys
import aiohttp.web, msgspec, nats, prometheus_client, pydantic_settings, pymongo, structlog
import upstox_client, uvloop
gc.disable()  # a collection in a fork would copy memory
failed = []
def import_each(names):
    for name in names:
        child = os.fork()
        if child == 0:
            try:
                __import__(name)
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            failed.append(name)
shared = [name for name in sys.argv[1:] if name.startswith("shared")]
import_each(shared)
if not failed:
    for name in shared:
        __import__(name)
    import_each(name for name in sys.argv[1:] if name not in shared)
sys.exit(", ".join(failed) or 0)
"""


def test_each_module_can_be_imported_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, *MODULES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def file_of(module: str) -> Path:
    path = HOMES.get(module.split(".")[0], ROOT) / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.mark.parametrize("module", MODULES)
def test_each_module_has_a_docstring_with_a_short_first_line(module: str) -> None:
    doc = ast.get_docstring(ast.parse(file_of(module).read_text()))
    assert doc, "the module has no docstring"
    first = doc.splitlines()[0]
    assert first.endswith((".", "?")), first
    assert len(first) <= 100


# Docstrings of attributes are strings after an assignment: ast.get_docstring does not return them.
RIDDLE = re.compile(r"\s*(What|Who|Whoever)\b")


def riddles(source: str) -> list[str]:
    """Docstrings that begin with a pronoun in place of the standard term."""
    return [
        node.value.value.splitlines()[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node.value.value, str) and RIDDLE.match(node.value.value)
    ]


def test_no_docstring_begins_with_what_or_who() -> None:
    files = {module: file_of(module).read_text() for module in MODULES}
    found = {module: begun for module, text in files.items() if (begun := riddles(text))}
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        '"""What waits for a client."""',
        'class Priority:\n    """Who wants a page."""',
        'def read() -> None:\n    """Whoever reads."""',
        'LIMIT = 1\n"""\nWhat fits."""',
    ],
)
def test_a_docstring_that_begins_with_what_or_who_is_found(source: str) -> None:
    assert len(riddles(source)) == 1


def test_a_docstring_may_begin_with_whole_or_whether() -> None:
    assert riddles('"""Whether a page is whole."""\n"""Whole pages."""') == []


@pytest.mark.parametrize("package", ["shared", "services", "embedded", "docgen", "tradedad_client"])
def test_no_other_distribution_has_a_package_of_this_name(package: str) -> None:
    # An editable install declares no packages, other distributions do.
    assert set(packages_distributions().get(package, [])) <= {"trade-dad", "trade-dad-client"}
    module = __import__(package)
    assert Path(module.__file__ or "").parent == HOMES.get(package, ROOT) / package


def test_each_unit_test_has_the_name_of_a_module() -> None:
    strays = []
    for path in (ROOT / "tests" / "unit").rglob("test_*.py"):
        place = path.relative_to(ROOT / "tests" / "unit")
        name = place.name.removeprefix("test_")
        folder = place.parent
        homes = [
            ROOT / folder,
            ROOT / "services" / folder,
            HOMES["tradedad_client"] / folder,
        ]
        if not any((home / name).is_file() for home in homes):
            strays.append(str(place))
    assert strays == []


PURE_CONTRACT = "pure logic imports no socket"
# Pure modules that need no unit test of their own, each with the reason.
WITHOUT_UNIT_TEST: dict[str, str] = {
    "services.auth.core.ports": "interfaces without code",
    "services.gateway.fanout.framing": "an interface without code",
    "services.ingest.normalise.merge_result": "a structure without code",
    "services.simulator.feed.modes": "an enumeration",
    "services.simulator.orders.risk_checks": "an interface without code",
    "services.trading.journal.entry": "structs without code",
    "services.trading.journal.record": "structs without code",
    "services.trading.orders.events": "structs without code",
    "services.trading.paper.results": "classes without code",
    "shared.contracts.roles": "a constant",
}


def pure_modules() -> set[str]:
    """All modules of the import contract of pure logic, those of its packages included."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = config["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if one["name"] == PURE_CONTRACT)
    return {
        module
        for module in MODULES
        for source in contract["source_modules"]
        if module == source or module.startswith(f"{source}.")
    }


def is_package(module: str) -> bool:
    home = HOMES.get(module.split(".")[0], ROOT)
    return (home / Path(*module.split("."))).is_dir()


def unit_test_of(module: str) -> Path:
    """The place of a module's unit test, relative to the repository."""
    *folders, name = module.removeprefix("services.").split(".")
    return Path("tests", "unit", *folders, f"test_{name}.py")


def test_each_pure_module_has_a_unit_test() -> None:
    expected = {module for module in pure_modules() if not is_package(module)}
    missing = {module for module in expected if not (ROOT / unit_test_of(module)).is_file()}
    listed = "".join(
        f"\n  {module} has no {unit_test_of(module)}"
        for module in sorted(missing - WITHOUT_UNIT_TEST.keys())
    )
    assert listed == "", f"pure modules without a unit test:{listed}"
    assert sorted(WITHOUT_UNIT_TEST.keys() - missing) == [], "exceptions that have a test"
