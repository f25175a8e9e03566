"""Old backups beside a new one are deleted, and nothing else; two runs never write the same folder."""

import errno
import fcntl
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.backup.folders import KEPT, BackupFailed, BackupRuns, delete_old, new_folder
from operations.backup.manifest import Manifest, write_manifest

NOW = datetime(2026, 11, 30, 20, 30, tzinfo=UTC)
DAYS = 14
DATABASE = "tradedad"
LOCK = ".lock"


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


def add_backup(backups: Path, name: str, age: timedelta, database: str = DATABASE) -> Path:
    folder = backups / name
    folder.mkdir()
    (folder / "bars_5m.bson.gz").write_bytes(b"x")
    manifest = Manifest(
        taken_at=NOW - age, cluster_time=(1, 1), database=database, mongodb_version="7.0",
        tradedad_version="0.1.0", collections=[],
    )  # fmt: skip
    write_manifest(folder, manifest)
    return folder


def add_nightly(backups: Path, ages: range) -> None:
    for age in ages:
        add_backup(backups, f"night-{age:02}", timedelta(days=age))


def add_part(backups: Path, name: str, age: timedelta, file: str = "bars_5m.bson.gz") -> Path:
    part = backups / f"{name}.part"
    part.mkdir()
    (part / file).write_bytes(b"x")
    set_age(part, age)
    return part


def set_age(path: Path, age: timedelta) -> None:
    at = (NOW - age).timestamp()
    os.utime(path, (at, at))


def names(backups: Path) -> list[str]:
    return sorted(path.name for path in backups.iterdir())


def delete(backups: Path) -> list[str]:
    lines: list[str] = []
    delete_old(backups / "new", DATABASE, DAYS, NOW, lines.append)
    return lines


def test_older_backups_are_deleted_by_the_moment_in_their_manifest(backups: Path) -> None:
    add_nightly(backups, range(1, 17))
    add_backup(backups, "before-upgrade", timedelta(hours=1))
    lines = delete(backups)
    assert names(backups) == ["before-upgrade", *(f"night-{age:02}" for age in range(1, 15))]
    assert lines == [f"{backups}/night-{age}: deleted" for age in (15, 16)]


def test_many_backups_of_one_day_push_out_no_other(backups: Path) -> None:
    add_nightly(backups, range(1, DAYS))
    for number in range(30):
        add_backup(backups, f"manual-{number}", timedelta(hours=number / 10))
    assert delete(backups) == []


def test_the_newest_stay_when_no_backup_was_taken_for_long(backups: Path) -> None:
    add_nightly(backups, range(20, 30))
    delete(backups)
    assert names(backups) == [f"night-{age}" for age in range(20, 20 + KEPT)]


def test_what_is_no_backup_is_left_alone(backups: Path) -> None:
    add_nightly(backups, range(1, KEPT + 1))
    (backups / "lost+found").mkdir()
    (backups / "2020-01-01T2030Z").mkdir()
    (backups / "keys.tar.gz").touch()
    damaged = add_backup(backups, "damaged", timedelta(days=90)) / "manifest.json"
    damaged.write_text("{}")
    elsewhere = add_backup(backups.parent, "elsewhere", timedelta(days=90))
    (backups / "link").symlink_to(elsewhere)
    before = names(backups)
    assert delete(backups) == []
    assert names(backups) == before
    assert elsewhere.is_dir()


def test_a_part_that_is_a_day_old_is_deleted_unless_a_run_writes_it(backups: Path) -> None:
    add_part(backups, "killed", timedelta(days=2))
    add_part(backups, "recent", timedelta(hours=23))
    with new_folder(backups / "running") as part:
        set_age(part, timedelta(days=2))
        assert delete(backups) == [f"{backups}/killed.part: deleted"]
        assert names(backups) == ["recent.part", "running.part"]


def test_a_backup_that_cannot_be_deleted_does_not_keep_the_others(backups: Path) -> None:
    add_nightly(backups, range(1, KEPT + 1))
    add_nightly(backups, range(20, 23))
    (backups / "night-21.part").mkdir()
    (backups / "night-21.part" / "x").touch()
    lines = delete(backups)
    assert [line.partition(": ")[2].partition(":")[0] for line in lines] == [
        "deleted", "cannot be deleted", "deleted"
    ]  # fmt: skip
    assert "night-21" in names(backups)
    assert not {"night-20", "night-22"} & set(names(backups))


@pytest.mark.parametrize("file", ["manifest.json", ".manifest.json.1a2b3c4d", LOCK])
def test_every_file_of_a_killed_run_is_deleted(backups: Path, file: str) -> None:
    add_part(backups, "killed", timedelta(days=2), file)
    assert delete(backups) == [f"{backups}/killed.part: deleted"]
    assert names(backups) == []


@pytest.mark.parametrize("file", ["film.mkv", "manifest.json.orig", ".manifest.jsonx", "bars.gz"])
def test_a_part_with_a_file_of_somebody_else_is_left_alone(backups: Path, file: str) -> None:
    part = add_part(backups, "download", timedelta(days=2), file)
    (part / "bars_5m.bson.gz").touch()
    set_age(part, timedelta(days=2))
    assert delete(backups) == [
        f"{part}: is not deleted: it holds {file}, which no backup writes"
    ]  # fmt: skip
    assert names(part) == sorted(["bars_5m.bson.gz", file])


@pytest.mark.parametrize("is_link", [False, True])
def test_a_part_with_a_folder_is_left_alone(backups: Path, is_link: bool) -> None:
    part = add_part(backups, "disk", timedelta(days=2))
    inner = part / "photos.bson.gz"
    if is_link:
        inner.symlink_to(backups.parent)
    else:
        inner.mkdir()
    set_age(part, timedelta(days=2))
    assert len(delete(backups)) == 1
    assert names(part) == ["bars_5m.bson.gz", "photos.bson.gz"]


def test_an_old_backup_with_a_file_of_somebody_else_keeps_its_name(backups: Path) -> None:
    add_nightly(backups, range(1, KEPT + 1))
    old = add_backup(backups, "old", timedelta(days=90))
    (old / "notes.txt").touch()
    assert delete(backups) == [f"{old}: is not deleted: it holds notes.txt, which no backup writes"]
    assert names(old) == ["bars_5m.bson.gz", "manifest.json", "notes.txt"]


def test_backups_of_another_database_neither_count_nor_are_deleted(backups: Path) -> None:
    add_nightly(backups, range(20, 20 + KEPT + 1))
    for age in (1, 2, 90, 91):
        add_backup(backups, f"other-{age}", timedelta(days=age), "paper")
    assert delete(backups) == [f"{backups}/night-{20 + KEPT}: deleted"]
    assert {f"other-{age}" for age in (1, 2, 90, 91)} <= set(names(backups))


def test_a_part_that_another_run_deletes_meanwhile_does_not_keep_the_others(
    backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = [add_part(backups, f"gone-{number}", timedelta(days=2)) for number in range(2)]
    add_part(backups, "killed", timedelta(days=2))
    stat, scandir = Path.stat, os.scandir

    def stat_after_deletion(path: Path, **options: bool) -> os.stat_result:
        if path == gone[0]:
            shutil.rmtree(path)
        return stat(path, **options)

    def list_after_deletion(path: Path) -> object:
        if path == gone[1]:
            path.joinpath("bars_5m.bson.gz").unlink()
            path.rmdir()
        return scandir(path)

    monkeypatch.setattr(Path, "stat", stat_after_deletion)
    monkeypatch.setattr(os, "scandir", list_after_deletion)
    assert sorted(delete(backups)) == [
        *(f"{path}: cannot be deleted: {os.strerror(errno.ENOENT)}" for path in gone),
        f"{backups}/killed.part: deleted",
    ]
    assert names(backups) == []


def test_a_folder_that_cannot_be_listed_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "backups"
    file.touch()
    assert delete(file) == [f"{file}: cannot be deleted: {os.strerror(errno.ENOTDIR)}"]


def test_an_old_backup_is_deleted_when_no_file_can_be_made(
    backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_nightly(backups, range(1, KEPT + 1))
    add_backup(backups, "old", timedelta(days=90))
    open_file = os.open

    def open_on_full_disk(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT and not path.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return open_file(path, flags, mode)

    monkeypatch.setattr(os, "open", open_on_full_disk)
    assert delete(backups) == [f"{backups}/old: deleted"]


def test_a_first_backup_has_nothing_beside_it(tmp_path: Path) -> None:
    assert delete(tmp_path / "none") == []


def test_a_folder_gets_its_name_at_the_end(backups: Path) -> None:
    with new_folder(backups / "a") as part:
        (part / "x").touch()
        assert names(backups) == ["a.part"]
    assert names(backups) == ["a"]
    assert names(backups / "a") == ["x"]
    assert (backups / "a").stat().st_mode & 0o077 == 0


def test_a_failure_leaves_nothing(backups: Path) -> None:
    def fail() -> None:
        with new_folder(backups / "a") as part:
            (part / "x").touch()
            raise RuntimeError("no connection")

    with pytest.raises(RuntimeError, match="no connection"):
        fail()
    assert names(backups) == []


def test_a_backup_that_another_process_writes_is_left_to_it(backups: Path) -> None:
    with new_folder(backups / "a") as part:
        (part / "x.bson.gz").touch()
        with (
            pytest.raises(BackupRuns, match=r"a\.part: another process"),
            new_folder(backups / "a"),
        ):
            pass
        assert names(part) == [LOCK, "x.bson.gz"]
    assert names(backups / "a") == ["x.bson.gz"]


def test_the_lock_excludes_others_where_it_needs_a_writable_file(
    backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def flock_of_nfs(descriptor: int, operation: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock_of_nfs)
    with new_folder(backups / "a") as part:
        with pytest.raises(BackupRuns), new_folder(backups / "a"):
            pass
        set_age(part, timedelta(days=2))
        assert delete(backups) == []
    assert names(backups) == ["a"]
    assert names(backups / "a") == []


def fail_to_lock(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fail(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", fail)


def test_a_file_system_without_locks_is_used(
    backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_lock(monkeypatch, errno.ENOLCK)
    with new_folder(backups / "a"):
        pass
    assert names(backups) == ["a"]


def test_another_failure_of_a_lock_does_not_count_as_locked(
    backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_lock(monkeypatch, errno.EBADF)
    with (
        pytest.raises(OSError, match=os.strerror(errno.EBADF)),
        new_folder(backups / "a"),
    ):
        pass
    assert not (backups / "a").exists()


def test_a_part_of_somebody_else_is_not_used(backups: Path) -> None:
    part = add_part(backups, "a", timedelta(), "film.mkv")
    with pytest.raises(BackupFailed, match=r"film\.mkv, which no"), new_folder(backups / "a"):
        pass
    assert names(part) == ["film.mkv"]


def test_what_a_killed_run_has_left_is_used_again(backups: Path) -> None:
    add_part(backups, "a", timedelta())
    with new_folder(backups / "a") as part:
        assert names(part) == [LOCK]
    assert names(backups) == ["a"]


def test_a_backup_is_never_overwritten(backups: Path) -> None:
    (backups / "a").mkdir()
    with pytest.raises(BackupFailed, match="never overwritten"), new_folder(backups / "a"):
        pass
