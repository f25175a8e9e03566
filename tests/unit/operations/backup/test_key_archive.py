"""An archive holds all files of the folders, for its owner only."""

import subprocess
from pathlib import Path

import pytest

from operations.backup.key_archive import KeysNotSaved, save_keys


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    signing, sealing = tmp_path / "a" / "signing-keys", tmp_path / "b" / "seal-keys"
    (sealing / "old").mkdir(parents=True)
    signing.mkdir(parents=True)
    (signing / "1.pem").write_text("one")
    (sealing / "old" / "2.key").write_text("two")
    return [signing, sealing]


def test_tar_unpacks_every_file(tmp_path: Path, folders: list[Path]) -> None:
    archive = tmp_path / "keys.tar.gz"
    assert save_keys(archive, folders) == 2
    assert archive.stat().st_mode & 0o077 == 0
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "-xzpf", archive, "-C", out], check=True)
    assert (out / "signing-keys" / "1.pem").read_text() == "one"
    assert (out / "seal-keys" / "old" / "2.key").read_text() == "two"


def test_a_linked_key_is_stored_as_a_file(tmp_path: Path, folders: list[Path]) -> None:
    elsewhere = tmp_path / "elsewhere.pem"
    elsewhere.write_text("linked")
    (folders[0] / "2.pem").symlink_to(elsewhere)
    archive = tmp_path / "keys.tar.gz"
    assert save_keys(archive, folders) == 3
    elsewhere.unlink()
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "-xzpf", archive, "-C", out], check=True)
    assert (out / "signing-keys" / "2.pem").read_text() == "linked"


def test_an_archive_is_never_overwritten(tmp_path: Path, folders: list[Path]) -> None:
    archive = tmp_path / "keys.tar.gz"
    archive.write_text("kept")
    with pytest.raises(FileExistsError):
        save_keys(archive, folders)
    assert archive.read_text() == "kept"


def test_a_folder_without_files_is_an_error_and_leaves_no_archive(
    tmp_path: Path, folders: list[Path]
) -> None:
    archive = tmp_path / "keys.tar.gz"
    with pytest.raises(KeysNotSaved, match="nowhere"):
        save_keys(archive, [*folders, tmp_path / "nowhere"])
    with pytest.raises(KeysNotSaved, match="same name"):
        save_keys(archive, [folders[0], folders[0]])
    assert not archive.exists()
