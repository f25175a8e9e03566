"""The wheels have the code for production, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from embedded.daemons import ROOT
from embedded.page.build import build

SERVICES = ("auth", "gateway", "ingest", "persister", "trading")


def build_wheel(project: Path, folder: Path) -> zipfile.ZipFile:
    """Build a project's wheel, without network access."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    build()
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


def test_the_wheel_has_the_built_page_with_the_licences_of_its_packages(
    wheel: zipfile.ZipFile,
) -> None:
    page = {name for name in wheel.namelist() if name.startswith("services/gateway/web/")}
    assert "services/gateway/web/index.html" in page
    (script,) = (name for name in page if name.endswith(".js"))
    assert {f"{script}.gz", "services/gateway/web/index.html.gz"} <= page
    licences = wheel.read("services/gateway/web/licences.md").decode()
    assert "preact" in licences
    assert "MIT" in licences
    assert not any("node_modules" in name for name in wheel.namelist())


def folders(wheel: zipfile.ZipFile, depth: int) -> set[str]:
    parts = [name.split("/") for name in wheel.namelist()]
    return {"/".join(names[:depth]) for names in parts if len(names) > depth}


def metadata(wheel: zipfile.ZipFile) -> list[str]:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return wheel.read(name).decode().splitlines()


def test_the_wheel_has_the_services_commands_and_shared_only(wheel: zipfile.ZipFile) -> None:
    packages = {name for name in folders(wheel, 1) if not name.endswith(".dist-info")}
    assert packages == {"operations", "services", "shared"}
    services = {name for name in folders(wheel, 2) if name.startswith("services/")}
    assert services == {f"services/{name}" for name in SERVICES}


def test_the_wheel_has_every_file_of_its_packages(wheel: zipfile.ZipFile) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "services", "shared", "operations"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    expected = {name for name in tracked if not name.startswith("services/simulator/")}
    assert expected - set(wheel.namelist()) == set()


def test_services_start_from_the_wheel_without_the_source_tree(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path)
    # The source tree is importable in this environment, so it is removed from the path.
    program = (
        "import sys\n"
        f"sys.path = [{str(tmp_path)!r}, *(p for p in sys.path if p not in ({str(ROOT)!r}, ''))]\n"
        f"for name in {SERVICES}:\n"
        "    module = __import__(f'services.{name}.__main__')\n"
        f"    assert module.__file__.startswith({str(tmp_path)!r}), module.__file__\n"
        "for name in ('embedded', 'docgen', 'deploycheck', 'services.simulator'):\n"
        "    try:\n"
        "        __import__(name)\n"
        "    except ImportError:\n"
        "        continue\n"
        "    raise AssertionError(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_client_has_a_wheel_of_its_own(tmp_path: Path) -> None:
    wheel = build_wheel(ROOT / "clients" / "python", tmp_path)
    packages = {name for name in folders(wheel, 1) if not name.endswith(".dist-info")}
    assert packages == {"tradedad_client"}
    assert "tradedad_client/py.typed" in wheel.namelist()
    assert "tradedad_client/CHANGELOG.md" in wheel.namelist()
    lines = metadata(wheel)
    assert "License-Expression: Apache-2.0" in lines
    assert "Author: Trade Dad developers" in lines
    assert {"Provides-Extra: pandas", "Provides-Extra: polars"} <= {*lines}


def test_the_wheel_names_its_licence_and_authors(wheel: zipfile.ZipFile) -> None:
    lines = metadata(wheel)
    assert "License-Expression: Apache-2.0" in lines
    assert "Author: Trade Dad developers" in lines
    assert any(name.endswith("/licenses/LICENSE") for name in wheel.namelist())


def test_both_packages_have_the_same_licence() -> None:
    licence = (ROOT / "LICENSE").read_text()
    assert "Apache License" in licence
    assert (ROOT / "clients" / "python" / "LICENSE").read_text() == licence
