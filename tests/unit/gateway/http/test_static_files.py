"""The files of the web page."""

import gzip
from pathlib import Path

import pytest

from services.gateway.http import static_files
from services.gateway.http.static_files import page_files, read_files
from shared.errors import ConfigError


def test_text_is_compressed_once_and_pictures_are_not(tmp_path: Path) -> None:
    for name in ("index.html", "app.js", "photo.png"):
        (tmp_path / name).write_bytes(b"x" * 1_000)
    files = read_files(tmp_path)
    page, script, photo = files["/"], files["/app.js"], files["/photo.png"]
    assert page.gzipped is not None
    assert script.gzipped is not None
    assert len(script.gzipped) < len(script.body)
    assert photo.gzipped is None


def test_a_prepared_file_is_sent_instead_and_has_no_path(tmp_path: Path) -> None:
    prepared = gzip.compress(b"x" * 1_000, compresslevel=1, mtime=7)
    (tmp_path / "index.html").write_bytes(b"x" * 1_000)
    (tmp_path / "index.html.gz").write_bytes(prepared)
    files = read_files(tmp_path)
    assert list(files) == ["/"]
    assert files["/"].gzipped == prepared


@pytest.mark.parametrize(
    "prepared",
    [
        gzip.compress(b"x" * 999),
        gzip.compress(b"x" * 1_001),
        gzip.compress(b"x" * 1_000)[:-4],
        gzip.compress(b"x" * 1_000)[:-8] + b"\0" * 8,
        gzip.compress(b"x" * 1_000)[:10] + b"\xff" * 20,
        b"x" * 1_000,
        b"",
    ],
    ids=["shorter", "longer", "cut", "other-checksum", "broken", "not-compressed", "empty"],
)
def test_a_prepared_file_of_another_content_is_ignored(tmp_path: Path, prepared: bytes) -> None:
    (tmp_path / "index.html").write_bytes(b"x" * 1_000)
    (tmp_path / "index.html.gz").write_bytes(prepared)
    files = read_files(tmp_path)
    assert list(files) == ["/"]
    gzipped = files["/"].gzipped
    assert gzipped is not None
    assert gzipped != prepared
    assert gzip.decompress(gzipped) == b"x" * 1_000


def test_an_archive_that_belongs_to_no_file_is_served(tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    (tmp_path / "data.gz").write_bytes(b"x")
    assert read_files(tmp_path)["/data.gz"].body == b"x"


def test_a_source_tree_without_a_built_page_serves_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_files, "OWN_PAGE", tmp_path / "web")
    files = page_files(None)
    assert b"make web" in files["/"].body
    assert files["/"].cache_control == "no-cache"


def test_a_folder_that_is_set_replaces_the_built_in_page(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("another")
    assert page_files(tmp_path)["/"].body == b"another"


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
