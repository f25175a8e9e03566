"""Secrets are made once and are nobody else's to read."""

import stat
from pathlib import Path

from embedded.secrets import NATS_PASSWORDS, ensure_secrets


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    made = ensure_secrets(tmp_path / "secrets")
    assert set(NATS_PASSWORDS) < set(made)
    assert len(set(made.values())) == len(made)
    assert ensure_secrets(tmp_path / "secrets") == made


def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    ensure_secrets(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_secret_never_looks_like_a_number_to_nats_server(tmp_path: Path) -> None:
    assert all(secret[0].isalpha() for secret in ensure_secrets(tmp_path).values())
