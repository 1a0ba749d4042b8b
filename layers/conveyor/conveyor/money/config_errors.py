"""What is wrong with a file under `config/`."""


class BadConfig(ValueError):
    """A file under `config/` is not understood. The message names the line or the field, and what is expected."""
