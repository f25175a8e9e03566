"""The one application that is registered at the simulated Upstox."""

from dataclasses import dataclass, field
from hmac import compare_digest
from http import HTTPStatus

from services.simulator.envelope import refuse
from services.simulator.settings import SimulatorSettings


@dataclass(frozen=True, slots=True)
class Application:
    """What a client must show of itself."""

    client_id: str
    redirect_uris: frozenset[str]
    client_secret: str = field(repr=False)

    @classmethod
    def of(cls, settings: SimulatorSettings) -> "Application":
        """The application of the settings."""
        uris = (uri.strip() for uri in settings.redirect_uris.split(","))
        return cls(
            settings.client_id,
            frozenset(uri for uri in uris if uri),
            settings.client_secret.get_secret_value(),
        )

    def check_address(self, client_id: str, redirect_uri: str) -> None:
        """Raises Refusal (400 UDAPI100068) unless both are registered."""
        if client_id != self.client_id or redirect_uri not in self.redirect_uris:
            raise refuse(
                HTTPStatus.BAD_REQUEST,
                "UDAPI100068",
                "Check your 'client_id' and 'redirect_uri'; one or both are incorrect.",
            )

    def check_credentials(self, client_id: str, client_secret: str) -> None:
        """Raises Refusal (401 UDAPI100016) unless id and secret belong together."""
        same = compare_digest(client_secret.encode(), self.client_secret.encode())
        if client_id != self.client_id or not same:
            raise refuse(HTTPStatus.UNAUTHORIZED, "UDAPI100016", "Invalid Credentials")
