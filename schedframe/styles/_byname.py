"""Turns a style's name, or a table with its options, into the frozen style, at the moment of validation.

``"rex"`` and ``{style: rex}`` are the same. The class is looked up when the value is seen, so that no
plugin is imported before it is named, and only the named style's options are validated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, PlainValidator, ValidationError, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from schedframe._errors import FAILURES, SchedframeError, StyleLoadError
from schedframe._plugins.claims import recall, snapshot
from schedframe._plugins.registry import Registry
from schedframe._problems import explained
from schedframe._units.lengths import Scale, scale_in
from schedframe.styles._base import LRCurve, LRStyle, Style, WDStyle
from schedframe.styles._installed import lr_styles, source_of, wd_styles

_LONGEST_NAME = 200

FLOORED = "floored"
"""The name of the style that a table with the key ``floor`` is."""

MARK = "x-schedframe-style"
"""Key of a schema that gives the kind of the style that stands there."""


@dataclass(frozen=True, eq=False)
class ByName:
    """An annotation for a field that holds a style.

    Attributes:
        registry: where names are looked up.
        base: the abstract class that the style must implement.
        wrapper: name of the style of `registry` that wraps a learning-rate curve; if set, curves are accepted too.
        scale_in: returns what lengths in the options are measured with, during validation.
    """

    registry: Registry[Any]
    base: type[Style]
    wrapper: str = ""
    scale_in: Callable[[ValidationInfo], Scale] = scale_in

    def measured_with(self, scale_in: Callable[[ValidationInfo], Scale]) -> "ByName":
        """Return the same annotation with another `scale_in`."""
        return replace(self, scale_in=scale_in)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate with `resolve`; serialise by what the value is, not by the field's abstract class."""
        return PlainValidator(self._validate).__get_pydantic_core_schema__(Any, handler)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the two forms: a name, or a table with a ``style`` key."""
        table = {"type": "object", "properties": {"style": {"type": "string"}}, "required": ["style"]}
        return {"anyOf": [{"type": "string"}, table], MARK: self.mark}

    @property
    def mark(self) -> str:
        """The value of `MARK` in the schema of a style of this kind."""
        return f"{self.registry.kind} {self.base.__name__}"

    @snapshot()
    def resolve(self, value: object, scale: Scale | None = None) -> Style:
        """Return the style that `value` specifies.

        Args:
            value: ``"rex"``, ``{"style": "rex", "beta": 0.5}`` or a `Style`.
            scale: what lengths in the options are measured with; without it they are numbers of steps.

        Raises:
            UnknownStyleError: and the registry's other errors, for the name.
            pydantic.ValidationError: for the options.
            ValueError: `value` has none of the three forms.
        """
        if isinstance(value, Style):
            self._refuse_other(type(value), value.style)
            return value
        if isinstance(value, str):
            value = {"style": value}
        elif isinstance(value, dict):
            # the same table is validated for each rule of a schedule; holding it keeps its id
            return recall((self, id(value), scale), lambda: (value, self._resolved(value, scale)))[1]
        return self._resolved(value, scale)

    def _resolved(self, value: object, scale: Scale | None) -> Style:
        if not isinstance(value, Mapping):
            raise ValueError("must be the name of a style, or a table with a `style` key")
        name = value.get("style")
        if not isinstance(name, str):
            raise ValueError("needs a `style` key with the style's name")
        if len(name) > _LONGEST_NAME:
            raise ValueError(f"is a text of {len(name)} characters, which is not the name of a style")
        cls = self.model_of(name)
        canonical = cls.model_fields["style"].default
        if canonical == self.wrapper and name != self.wrapper:
            value = {"curve": dict(value)}
        if "floor" in value and self.base is LRStyle and "floor" not in cls.model_fields:
            return self._floored(value, scale)
        self._refuse_other(cls, canonical)
        try:
            return cls.model_validate({**value, "style": canonical}, context={"scale": scale or Scale()})
        except ValidationError as error:
            raise explained(error, cls) from None
        except (SchedframeError, ValueError):
            raise
        except FAILURES as error:
            raise StyleLoadError(
                f"{source_of(cls)} fails when its options are validated: {type(error).__name__}: {error}"
            ) from error

    def _floored(self, value: Mapping[str, Any], scale: Scale | None) -> Style:
        """Return the style of a table with the key ``floor``; a curve that ends at 0 reaches and tends to it anyway."""
        table = {key: option for key, option in value.items() if key != "floor"}
        style = self._resolved(table, scale)
        floored = self._resolved({"style": FLOORED, "of": style, "floor": value["floor"]}, scale)
        ends_there = isinstance(style, LRCurve) and style.coefficient(1.0) == 0.0
        return style if ends_there and value["floor"] != "cut" else floored

    def model_of(self, name: str) -> type[Style]:
        """Return the class of the style `name`, or the wrapper's class if `name` is a learning-rate curve to wrap.

        Raises:
            UnknownStyleError: and the registry's other errors.
        """
        style: type[Style] | None = self.registry.get(name)
        return style or self.registry[self.wrapper if self.wrapper and name in lr_styles else name]

    def _refuse_other(self, cls: type[Style], name: str) -> None:
        if not issubclass(cls, self.base):
            kinds = {LRStyle: "a learning-rate style", LRCurve: "a curve", WDStyle: "a weight-decay style"}
            kind = kinds[self.base]
            raise ValueError(f"{name!r} is not {kind}; only {kind} is valid here")

    def _validate(self, value: Any, info: ValidationInfo) -> Style:
        try:
            return self.resolve(value, self.scale_in(info))
        except SchedframeError as error:
            raise PydanticCustomError("style", "{message}", {"message": str(error), "error": error}) from error


by_lr_style = ByName(lr_styles, LRStyle)
by_lr_curve = ByName(lr_styles, LRCurve)
by_wd_style = ByName(wd_styles, WDStyle, wrapper="lr-curve")

AnyLRStyle = Annotated[LRStyle, by_lr_style]
"""Any installed learning-rate style."""

AnyLRCurve = Annotated[LRCurve, by_lr_curve]
"""Any installed learning-rate style that is a curve."""

AnyWDStyle = Annotated[WDStyle, by_wd_style]
"""Any installed weight-decay style."""
