"""A folder of secrets is complete after the first call, and a second one changes nothing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from operations.deployments import BACKUP_ROLES, DEPLOYMENTS
from operations.first_secrets import SecretFolder
from services.trading.links.seal_keys import load_key_ring
from services.trading.links.sealing import Place
from shared.runtime.clock import SystemClock


def fill(folder: Path, deployment: str) -> list[str]:
    made = SecretFolder(folder)
    made.fill(DEPLOYMENTS[deployment], SystemClock(), datetime.now(UTC))
    return made.created


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("deployment", sorted(DEPLOYMENTS))
def test_a_second_call_creates_nothing(deployment: str, tmp_path: Path) -> None:
    created = fill(tmp_path / "secrets", deployment)
    before = contents(tmp_path / "secrets")
    assert sorted(created) == sorted(before)
    assert fill(tmp_path / "secrets", deployment) == []
    assert contents(tmp_path / "secrets") == before


def test_a_deleted_secret_is_replaced_and_the_others_are_kept(tmp_path: Path) -> None:
    fill(tmp_path, "compose")
    before = contents(tmp_path)
    (tmp_path / "TRADEDAD_AUTH_NATS_PASSWORD").unlink()
    assert fill(tmp_path, "compose") == ["TRADEDAD_AUTH_NATS_PASSWORD"]
    after = contents(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {
        "TRADEDAD_AUTH_NATS_PASSWORD"
    }


@pytest.mark.parametrize("deployment", sorted(DEPLOYMENTS))
def test_trading_can_seal_with_the_first_sealing_key(deployment: str, tmp_path: Path) -> None:
    fill(tmp_path, deployment)
    ring = load_key_ring(tmp_path / "seal-keys")
    place = Place("upstox_links", "user-1", "token")
    assert ring.open(ring.seal("a token", place), place) == "a token"


def test_only_the_owner_can_read_anything(tmp_path: Path) -> None:
    fill(tmp_path / "secrets", "kubernetes")
    for path in [tmp_path / "secrets", *(tmp_path / "secrets").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_connection_url_names_every_member_and_the_users_password(tmp_path: Path) -> None:
    fill(tmp_path, "kubernetes")
    password = (tmp_path / "auth-mongo-password").read_text()
    assert (tmp_path / "auth-mongo-url").read_text() == (
        f"mongodb://auth:{password}@mongo-0.mongo:27017,mongo-1.mongo:27017,mongo-2.mongo:27017/"
        "?replicaSet=tradedad&authSource=tradedad&tls=true&tlsCAFile=/run/ca/ca.crt"
    )


@pytest.mark.parametrize("deployment", sorted(DEPLOYMENTS))
def test_a_folder_from_before_backups_gets_their_users_and_nothing_else(
    deployment: str, tmp_path: Path
) -> None:
    fill(tmp_path, deployment)
    names = [f"{user}-mongo-{kind}" for user in BACKUP_ROLES for kind in ("password", "url")]
    for name in names:
        (tmp_path / name).unlink()
    before = contents(tmp_path)
    assert fill(tmp_path, deployment) == names
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    for user in BACKUP_ROLES:
        assert f"mongodb://{user}:{after[f'{user}-mongo-password'].decode()}@" in (
            after[f"{user}-mongo-url"].decode()
        )
