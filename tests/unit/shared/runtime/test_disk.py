"""Free space is measured, logged once per change of its state, and does not flap."""

from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from shared.runtime import disk
from shared.runtime.disk import DiskWatch, Space
from shared.runtime.disk_space import free_space
from shared.runtime.settings import RuntimeSettings

SETTINGS = RuntimeSettings(disk_low_bytes=1_000, disk_critical_bytes=100)


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The free space that the next measurement finds."""
    found = [2_000]
    monkeypatch.setattr(disk, "free_space", lambda _: found[0])
    return found


async def test_each_change_of_the_state_is_logged_once_with_the_folder(free: list[int]) -> None:
    watch = DiskWatch("test", Path("/data"), SETTINGS)
    spaces = []
    with capture_logs() as logged:
        for free_bytes in (2_000, 999, 998, 99, 50, 124, 126, 1_249, 1_250, 1_000):
            free[0] = free_bytes
            await watch.measure()
            spaces.append(watch.space)
    assert spaces == [
        Space.ENOUGH, Space.LOW, Space.LOW, Space.CRITICAL, Space.CRITICAL, Space.CRITICAL,
        Space.LOW, Space.LOW, Space.ENOUGH, Space.ENOUGH,
    ]  # fmt: skip
    levels = [line["log_level"] for line in logged]
    assert levels == ["warning", "error", "warning", "info"]
    assert all(line["folder"] == "/data" for line in logged)
    assert [line["free_bytes"] for line in logged] == [999, 99, 126, 1_250]


async def test_the_metric_is_the_last_measurement(free: list[int]) -> None:
    free[0] = 1_234
    await DiskWatch("metric", Path("/data"), SETTINGS).measure()
    assert REGISTRY.get_sample_value("tradedad_disk_free_bytes", {"store": "metric"}) == 1_234


@pytest.mark.parametrize(
    ("free_bytes", "space"), [(50, Space.CRITICAL), (2_000, Space.ENOUGH)], ids=["full", "enough"]
)
async def test_a_disk_that_cannot_be_measured_keeps_its_state_and_is_logged_once(
    free: list[int], monkeypatch: pytest.MonkeyPatch, free_bytes: int, space: Space
) -> None:
    watch = DiskWatch("test", Path("/data"), SETTINGS)
    free[0] = free_bytes
    await watch.measure()

    def fail(_: Path) -> int:
        raise OSError("stale file handle")

    with capture_logs() as logged:
        for _ in range(2):
            with monkeypatch.context() as broken:
                broken.setattr(disk, "free_space", fail)
                await watch.measure()
                await watch.measure()
            assert (watch.space, watch.free_bytes) == (space, free_bytes)
            await watch.measure()
            await watch.measure()
    assert [line["log_level"] for line in logged] == ["warning", "info"] * 2
    assert all(line["folder"] == "/data" for line in logged)
    assert logged[0]["event"].startswith("free space is unknown")
    assert logged[0]["error"] == "stale file handle"


def test_the_space_of_a_folder_that_does_not_exist_is_that_of_its_parent(tmp_path: Path) -> None:
    assert free_space(tmp_path / "not" / "yet") == pytest.approx(free_space(tmp_path), rel=0.5)
