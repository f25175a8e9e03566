"""What can be set of the simulator, from ``TRADEDAD_SIMULATOR_*``."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import Port, Secs, ServiceSettings


class SimulatorSettings(ServiceSettings):
    """The simulator's own settings."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_SIMULATOR_")

    host: str = "127.0.0.1"
    """It is for loopback: it has no TLS, and its token guards nothing."""
    port: Port = 7440
    """Port to listen on."""
    ops_port: Port = 7441
    """Where /healthz, /readyz and /metrics listen."""

    seed: int = 1
    """The same seed and start give the same trades, at any speed."""
    start_ms: Annotated[int, Field(ge=0)] | None = None
    """Exchange time at process start, epoch ms; None is the wall clock's time."""
    speed: Annotated[float, Field(gt=0, le=10_000)] = 1.0
    """Exchange seconds per wall second."""
    frame_interval_ms: Annotated[int, Field(ge=10, le=60_000)] = 250
    """Exchange time between feed frames; their times are its multiples since the epoch."""
    trades_per_sec: Annotated[float, Field(gt=0, le=1_000)] = 2.0
    """Mean trades per stock and exchange second."""

    access_token: SecretStr = SecretStr("simulated-token")
    """What requests must bear. It guards nothing real: the market is made up."""

    ledger_max_rows: Annotated[int, Field(ge=1)] = 100_000
    """Quotes and trades remembered per instrument; the oldest are dropped."""

    client_queue_frames: Annotated[int, Field(ge=1)] = 256
    """Frames that wait for one client; one more, and the client is disconnected."""
    send_timeout_secs: Secs = 5.0
    """A client whose socket takes nothing for so long is disconnected."""
    heartbeat_secs: Secs = 10.0
    """Wall time between pings of a silent connection."""
