"""The settings that the user gives a stack: variables, and below them files in a secrets folder."""

import os

from embedded.settings import all_variables
from operations.secret_files import NATS_PASSWORDS
from shared.errors import ConfigError
from shared.runtime.setting_sources import SECRETS_DIR, read_secret_files, stripped


def user_environment() -> dict[str, str]:
    """Return this process's environment with the texts of the user's secret files.

    The folder's own variable is left out: the processes of a stack read the folder of the secrets
    that the stack generates. NATS passwords in the user's folder are ignored, because the stack's
    nats-server accepts only generated ones. Raises ConfigError if a file cannot be used.
    """
    environment = dict(os.environ)
    directory = environment.pop(SECRETS_DIR, None)
    if directory is None:
        return environment
    names = all_variables().keys() - {SECRETS_DIR, *NATS_PASSWORDS} - environment.keys()
    texts, problems = read_secret_files(stripped(directory), names)
    if problems:
        raise ConfigError(problems)
    return texts | environment
