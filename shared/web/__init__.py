"""Parts of HTTP services: access tokens, error responses, OpenAPI and client addresses."""
