"""When the page is built again, and what is said if it cannot be."""

from pathlib import Path

import pytest

from embedded.page import build as page_build
from embedded.page.build import PageError, install, is_built, run_tool, sources_digest


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small folder `web`, with its modules and the gateway's folder beside it."""
    web = tmp_path / "web"
    (web / "src").mkdir(parents=True)
    (web / "src" / "main.ts").write_text("1")
    (web / "package-lock.json").write_text("{}")
    modules = web / "node_modules"
    modules.mkdir()
    paths = {
        "SOURCES": web,
        "MODULES": modules,
        "OUTPUT": tmp_path / "output",
        "_TURN": web / ".build.lock",
        "_INSTALLED": modules / ".installed",
        "_BUILT": modules / ".built",
    }
    for name, path in paths.items():
        monkeypatch.setattr(page_build, name, path)
    return web


def test_a_change_of_any_source_changes_the_digest(web: Path) -> None:
    digests = {sources_digest()}
    (web / "src" / "main.ts").write_text("2")
    digests.add(sources_digest())
    (web / "src" / "main.ts").rename(web / "src" / "other.ts")
    digests.add(sources_digest())
    assert len(digests) == 3


def test_installed_packages_and_the_lock_of_the_build_are_no_sources(web: Path) -> None:
    before = sources_digest()
    (web / "node_modules" / "package.js").write_text("1")
    (web / ".build.lock").touch()
    assert sources_digest() == before


def test_a_page_is_built_until_a_source_changes_or_the_page_is_removed(
    web: Path, tmp_path: Path
) -> None:
    assert not is_built()
    output = tmp_path / "output"
    output.mkdir()
    (output / "index.html").touch()
    (web / "node_modules" / ".built").write_text(sources_digest())
    assert is_built()
    (web / "src" / "main.ts").write_text("2")
    assert not is_built()
    (web / "src" / "main.ts").write_text("1")
    assert is_built()
    (output / "index.html").unlink()
    assert not is_built()


def test_packages_are_installed_once_for_each_lock_file(
    web: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[Path] = []
    monkeypatch.setattr(
        page_build, "install_packages", lambda folder, timeout_secs: installed.append(folder)
    )
    install()
    install()
    assert installed == [web]
    (web / "package-lock.json").write_text('{"lockfileVersion": 3}')
    install()
    assert installed == [web, web]


def test_a_tool_that_fails_is_named_with_its_words(web: Path) -> None:
    tool = web / "node_modules" / "tool.mjs"
    tool.write_text('process.stdout.write("no such type"); process.exitCode = 1;')
    with pytest.raises(PageError, match=r"tool\.mjs --check failed:\nno such type"):
        run_tool("tool.mjs", "--check")


def test_a_tool_that_hangs_is_ended(web: Path) -> None:
    (web / "node_modules" / "tool.mjs").write_text("setInterval(() => {}, 1000);")
    with pytest.raises(PageError, match=r"tool\.mjs took over 0\.5 s"):
        run_tool("tool.mjs", timeout_secs=0.5)
