"""How far a transfer is, for a screen that shows it."""


class Progress:
    """Shows nothing. Screens show it in their own way."""

    def begins(self, files: int, total: int) -> None:
        """Say how many files are fetched, and how many bytes they have."""

    def resumes(self, file: str, at: int) -> None:
        """Say that the first bytes of a file are there from an earlier command."""

    def advances(self, file: str, count: int) -> None:
        """Say that some more bytes of a file are there."""


SILENT = Progress()
