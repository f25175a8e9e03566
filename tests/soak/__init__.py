"""Random faults on a whole stack for many minutes: ``python -m tests.soak``."""
