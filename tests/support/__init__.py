"""Fixtures that tests share: real servers, services, message builders and waits."""
