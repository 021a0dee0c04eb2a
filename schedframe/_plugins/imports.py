"""What ``--import`` names, imported after what ``SCHEDFRAME_IMPORT`` names."""

import os
import threading
from collections.abc import Iterable

from schedframe._errors import PluginError
from schedframe._plugins.one_off import VARIABLE, import_named, is_file, listed

_lock = threading.RLock()


def import_styles(names: Iterable[str], by: str = "--import") -> None:
    """Import what registers styles, after what ``SCHEDFRAME_IMPORT`` names.

    The names are added to that variable, so that processes which this one starts import the same. To name again what
    is imported changes nothing; a file is known by its content.

    Args:
        names: each a file, where it ends in ``.py`` or has a path separator, else the dotted name of a module.
        by: what the user named them with, for errors.

    Raises:
        PluginError: one is not there, is not Python, fails or registers no style; none of its styles is registered.
    """
    from schedframe._plugins import imported  # noqa: F401  for what it does

    with _lock:
        for name in names:
            for_others = os.path.abspath(name) if is_file(name) else name
            if "," in for_others:
                raise PluginError(
                    f"{by} names {name!r}, which has a comma in its path, and commas separate the names in {VARIABLE}; "
                    f"give one name at a time, or rename the file"
                )
            import_named(name, by)
            os.environ[VARIABLE] = ",".join(dict.fromkeys([*listed(), for_others]))
