"""Why a loss cannot be predicted, or not well: sentences with the number that decided, and what would help."""

from collections.abc import Iterable
from dataclasses import dataclass

from schedframe._errors import ForesightError


@dataclass(frozen=True)
class Reason:
    """One reason.

    Attributes:
        name: of its kind, lower-case words with hyphens.
        subject: the log or the schedule that it is about.
        sentence: what is wrong, with the number, and what would help.
    """

    name: str
    subject: str
    sentence: str

    def __str__(self) -> str:
        """The reason as one line."""
        return f"{self.subject}: {self.sentence}"


def refuse(reasons: Iterable[Reason]) -> None:
    """Raise the error of the `reasons`, if there are any.

    Raises:
        ForesightError: there are.
    """
    found = tuple(reasons)
    if found:
        raise ForesightError(found)
