"""Fixtures of all tests with real servers."""

from tests.support.patience import patient_code

__all__ = ["patient_code"]
