"""The errors that a process has logged with a traceback: nothing from outside may cause one."""


def tracebacks(log: str) -> str:
    """The lines of a log that have a traceback; empty if there is none."""
    return "\n".join(line for line in log.splitlines() if "Traceback" in line)
