"""A folder has one holder, and its lock ends with the last process that has it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.folder_lock import FolderInUseError, FolderLock, check_unlocked
from tests.support.patience import PATIENCE_SECS


def test_a_second_holder_is_refused_with_the_folder_and_the_process_of_the_first(
    tmp_path: Path,
) -> None:
    first = FolderLock(tmp_path).acquire()
    with pytest.raises(FolderInUseError) as caught:
        FolderLock(tmp_path).acquire()
    (line,) = caught.value.problems
    assert line.startswith(
        f"TRADEDAD_STACK_DATA_DIR: {tmp_path} is in use by another stack (process {os.getpid()});"
    )
    first.release()
    FolderLock(tmp_path).acquire().release()


def test_a_check_does_not_keep_the_lock(tmp_path: Path) -> None:
    check_unlocked(tmp_path)
    check_unlocked(tmp_path)
    lock = FolderLock(tmp_path).acquire()
    with pytest.raises(FolderInUseError):
        check_unlocked(tmp_path)
    lock.release()


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from embedded.folder_lock import FolderLock\n"
        "FolderLock(Path(sys.argv[1])).acquire(); print('locked', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(FolderInUseError, match=f"process {holder.pid}"):
            check_unlocked(tmp_path)
        holder.kill()
        holder.wait(PATIENCE_SECS)
    check_unlocked(tmp_path)


def test_a_child_that_inherits_the_lock_holds_it_for_its_own_life(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path).acquire()
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[lock.descriptor]) as child:
        lock.release()
        with pytest.raises(FolderInUseError):
            check_unlocked(tmp_path)
        child.kill()
        child.wait(PATIENCE_SECS)
    check_unlocked(tmp_path)
