"""The files of the web page."""

from pathlib import Path

import pytest

from services.gateway.http.static_files import OWN_PAGE, read_files
from shared.errors import ConfigError


def test_the_built_in_page_has_three_compressible_files() -> None:
    files = read_files(OWN_PAGE)
    assert set(files) == {"/", "/page.css", "/page.js"}
    assert all(
        file.gzipped is not None and len(file.gzipped) < len(file.body) for file in files.values()
    )


def test_content_types_do_not_depend_on_the_machine(tmp_path: Path) -> None:
    for name in ("index.html", "a.svg", "b.woff2", "c.webmanifest", "d.other"):
        (tmp_path / name).write_bytes(b"x")
    types = {path: file.content_type for path, file in read_files(tmp_path).items()}
    assert types == {
        "/": "text/html; charset=utf-8",
        "/a.svg": "image/svg+xml",
        "/b.woff2": "font/woff2",
        "/c.webmanifest": "application/manifest+json",
        "/d.other": "application/octet-stream",
    }


def test_the_etag_changes_only_with_the_content(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("1")
    before = read_files(tmp_path)["/"].etag
    assert read_files(tmp_path)["/"].etag == before
    (tmp_path / "index.html").write_text("2")
    assert read_files(tmp_path)["/"].etag != before


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("x")
    (folder / "link.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(ConfigError, match="leads out"):
        read_files(folder)


def test_a_file_name_with_special_characters_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("x")
    (tmp_path / "{name}.txt").write_text("x")
    with pytest.raises(ConfigError, match="name"):
        read_files(tmp_path)


def test_the_error_names_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere has no index\.html"):
        read_files(tmp_path / "nowhere")
