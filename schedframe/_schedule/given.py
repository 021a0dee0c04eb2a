"""The keys of a config as they are given, for programs that read the signature of a class."""

from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from schedframe._run.policy import Resume
from schedframe._schedule.keys import Keys
from schedframe._schedule.shorthand import STANDS_IN
from schedframe.styles._base import Style


def fields_as_given() -> dict[str, FieldInfo]:
    """Return the fields by the names of the keys, as jsonargparse and Lightning's command line read them.

    What a key accepts depends on the keys before it, so each field admits any value, and the class validates them
    together. Its default is what a config would give. A key that another one stands in for may be left out.
    """
    return {
        name: FieldInfo(annotation=Any, default=_default(name, field), description=field.description)
        for name, field in Keys.model_fields.items()
    }


def _default(name: str, field: FieldInfo) -> Any:
    if field.is_required():
        return None if name in STANDS_IN else PydanticUndefined
    default = field.default
    if isinstance(default, Style):
        return default.style
    if isinstance(default, Resume):
        return default.policy
    return list(default) if isinstance(default, tuple) else default
