"""Exit codes of the command line: 0 good, 1 findings, 2 cannot be used."""

CANNOT_BE_USED = 2
READER_IS_GONE = 141
"""What a shell reports for a program that wrote into a closed pipe."""


class Findings(SystemExit):
    """Ends a command that ran and reports findings, with exit code 1."""

    def __init__(self) -> None:
        super().__init__(1)
