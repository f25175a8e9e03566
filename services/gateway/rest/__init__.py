"""The REST side of the gateway: /v1."""
