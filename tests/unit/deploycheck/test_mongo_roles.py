"""A collection that a service uses and its role lacks is found."""

import shutil
from pathlib import Path

from deploycheck.mongo_roles import check, collections
from embedded.daemons import ROOT


def test_every_role_has_the_collections_of_its_service_and_no_other() -> None:
    assert check(ROOT) == []


def test_collections_are_found_in_code() -> None:
    assert collections(ROOT / "services" / "auth") == {
        "audit", "sessions", "throttles", "users", "watchlists",
    }  # fmt: skip


def test_a_missing_and_an_unused_collection_are_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy" / "mongo", tmp_path / "deploy" / "mongo")
    shutil.copytree(ROOT / "services", tmp_path / "services")
    role = tmp_path / "deploy" / "mongo" / "persister-role.json"
    role.write_text(role.read_text().replace('"gaps"', '"holes"'))
    assert check(tmp_path) == [
        "persister-role.json: lacks the collection gaps",
        "persister-role.json: holes is not used",
    ]
