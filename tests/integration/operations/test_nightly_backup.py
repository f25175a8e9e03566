"""The command of the nightly backup on Kubernetes takes one, and deletes those that are too old."""

import asyncio
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploycheck import compose
from embedded.daemons import ROOT
from operations.backup.folders import KEPT
from operations.backup.manifest import read_manifest, write_manifest
from operations.backup.restore import verify_backup
from shared.runtime import exit_codes
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.manifests import Manifests

DAYS = 14
SNAPSHOTS = "--setParameter minSnapshotHistoryWindowInSeconds=3600"


def run(folder: Path, settings: MongoSettings) -> subprocess.CompletedProcess[str]:
    """Run the container's command with another folder and this Python."""
    container = Manifests().container("CronJob", "backup")
    (script,) = container["args"]
    assert script.count("/backups/") == 1
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TRADEDAD_MONGO_URL": settings.url.get_secret_value(),
        "TRADEDAD_MONGO_DATABASE": settings.database,
    }
    return subprocess.run(
        [*container["command"], script.replace("/backups/", f"{folder}/")],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
async def taken(mongo: Mongo, mongo_settings: MongoSettings, tmp_path: Path) -> Path:
    """A folder of backups, with the one that the command has taken."""
    await mongo.db["numbers"].insert_one({"_id": 1})
    folder = tmp_path / "backups"
    done = await asyncio.to_thread(run, folder, mongo_settings)
    assert done.returncode == 0, done.stderr
    return folder


def add_older(folder: Path, days: range) -> None:
    (newest,) = folder.iterdir()
    manifest = read_manifest(newest)
    for age in days:
        copy = folder / f"older-{age}"
        shutil.copytree(newest, copy)
        taken_at = datetime.now(UTC) - timedelta(days=age)
        write_manifest(copy, manifest.model_copy(update={"taken_at": taken_at}))
    newest.rename(folder / "newest")  # the same minute has the same name


def test_the_backups_of_two_weeks_are_kept(taken: Path, mongo_settings: MongoSettings) -> None:
    add_older(taken, range(1, 20))
    done = run(taken, mongo_settings)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in taken.iterdir()}
    (new,) = names - {"newest", *(f"older-{age}" for age in range(1, DAYS))}
    assert verify_backup(taken / new).documents == 1


def test_a_backup_that_fails_leaves_the_newest(taken: Path, mongo_settings: MongoSettings) -> None:
    add_older(taken, range(20, 30))
    away = MongoSettings.model_validate(
        {"url": "mongodb://127.0.0.1:9/?replicaSet=none", "database": mongo_settings.database}
    )
    assert run(taken, away).returncode == exit_codes.TEMPFAIL
    assert len(list(taken.iterdir())) == KEPT
    assert (taken / "newest").is_dir()


def test_mongod_keeps_the_snapshot_of_a_backup_for_an_hour_in_both_deployments() -> None:
    (of_compose,) = compose.read(ROOT / "docker-compose.yml")["services"]["mongo"]["command"]
    (of_kubernetes,) = Manifests().container("StatefulSet", "mongo")["args"]
    assert SNAPSHOTS in of_compose
    assert SNAPSHOTS in of_kubernetes
