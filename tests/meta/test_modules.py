"""Every module stands alone and says what it is for."""

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("shared", "services", "embedded", "docgen", "bench", "tradedad_client")
HOMES = {"tradedad_client": ROOT / "clients" / "python" / "src"}
MODULES = sorted(
    ".".join(path.relative_to(home).with_suffix("").parts).removesuffix(".__init__")
    for package in PACKAGES
    for home in [HOMES.get(package, ROOT)]
    for path in (home / package).rglob("*.py")
)

# Third-party packages are loaded once; then each module is imported in a fork of its own,
# so that what one module has imported cannot hide what another has forgotten.
IMPORT_EACH = """
import gc, os, sys
import aiohttp.web, msgspec, nats, prometheus_client, pydantic_settings, pymongo, structlog
import upstox_client, uvloop
gc.disable()  # a fork that tidies up copies memory
failed = []
for name in sys.argv[1:]:
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
sys.exit(", ".join(failed) or 0)
"""


@pytest.mark.timeout(300)
def test_each_module_imports_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, *MODULES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", MODULES)
def test_each_module_says_in_one_line_what_it_is_for(module: str) -> None:
    path = HOMES.get(module.split(".")[0], ROOT) / Path(*module.split("."))
    source = path.with_suffix(".py") if not path.is_dir() else path / "__init__.py"
    doc = ast.get_docstring(ast.parse(source.read_text()))
    assert doc, "a module without a docstring"
    first = doc.splitlines()[0]
    assert first.endswith((".", "?")), first
    assert len(first) <= 100


@pytest.mark.parametrize("package", ["shared", "services", "embedded", "docgen", "tradedad_client"])
def test_a_top_level_package_is_ours_alone(package: str) -> None:
    # An editable install declares no packages; what another distribution brings shows.
    assert set(packages_distributions().get(package, [])) <= {"trade-dad", "trade-dad-client"}
    module = __import__(package)
    assert Path(module.__file__ or "").parent == HOMES.get(package, ROOT) / package


def test_unit_tests_mirror_the_tree() -> None:
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
