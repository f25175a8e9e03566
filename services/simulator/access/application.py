"""The one application that is registered at the simulated Upstox."""

from dataclasses import dataclass, field
from hmac import compare_digest

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.settings import SimulatorSettings


@dataclass(frozen=True, slots=True)
class Consent:
    """A user's consent, to be exchanged for a token."""

    user_id: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Application:
    """Credentials and redirect addresses of an OAuth client."""

    client_id: str
    redirect_uris: frozenset[str]
    client_secret: str = field(repr=False)

    @classmethod
    def from_settings(cls, settings: SimulatorSettings) -> "Application":
        """The application that the settings describe."""
        uris = (uri.strip() for uri in settings.redirect_uris.split(","))
        return cls(
            settings.client_id,
            frozenset(uri for uri in uris if uri),
            settings.client_secret.get_secret_value(),
        )

    def check_redirect_uri(self, client_id: str, redirect_uri: str) -> None:
        """Raise ApiError (400 UDAPI100068) unless both are registered."""
        if client_id != self.client_id or redirect_uri not in self.redirect_uris:
            raise ApiError(
                ErrorCode.INVALID_CLIENT,
                "Check your 'client_id' and 'redirect_uri'; one or both are incorrect.",
            )

    def check_credentials(self, client_id: str, client_secret: str) -> None:
        """Raise ApiError (401 UDAPI100016) unless client id and secret match."""
        is_same_secret = compare_digest(client_secret.encode(), self.client_secret.encode())
        if client_id != self.client_id or not is_same_secret:
            raise ApiError(ErrorCode.INVALID_CREDENTIALS, "Invalid Credentials")
