"""A shell script as data: its commands, their words expanded."""

from collections.abc import Mapping

from schedframe._files.shell.follower import Script, follow
from schedframe._files.shell.trace import is_trace, untraced
from schedframe._files.shell.words import commands


def read(text: str, given: Mapping[str, str]) -> Script:
    """Return the commands of the script `text`, or of what ``bash -x`` printed of one.

    Args:
        text: the script.
        given: variables whose values are not those of the script.

    Raises:
        Broken: the text cannot be read.
    """
    is_traced = is_trace(text)
    return follow(commands(untraced(text) if is_traced else text), given, is_traced=is_traced)
