"""Parts of HTTP services: tokens, error answers, OpenAPI, client addresses."""
