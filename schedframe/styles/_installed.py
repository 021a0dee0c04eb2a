"""The registries of styles: those built in, and what plugins and programs add to them."""

from pydantic import BaseModel

from schedframe._plugins.registry import Registry
from schedframe._plugins.source import Source
from schedframe.styles._base import LRStyle, Style, WDStyle

lr_styles: Registry[LRStyle] = Registry(
    "LR",
    LRStyle,
    builtins={
        "WSD": "schedframe.styles.lr:WSD",
        "constant": "schedframe.styles.lr:Constant",
        "cosine": "schedframe.styles.lr:Cosine",
        "each": "schedframe.styles.each:Each",
        "exponential": "schedframe.styles.lr:Exponential",
        "floored": "schedframe.styles.combined:Floored",
        "geometric": "schedframe.styles.lr:Geometric",
        "inverse-square-root": "schedframe.styles.lr:InverseSquareRoot",
        "linear": "schedframe.styles.lr:Linear",
        "minus-power": "schedframe.styles.lr:MinusPower",
        "minus_sqrt": "schedframe.styles.lr:MinusSqrt",
        "multi-step": "schedframe.styles.lr:MultiStep",
        "phases": "schedframe.styles.phases:Phases",
        "polynomial": "schedframe.styles.lr:Polynomial",
        "product": "schedframe.styles.combined:Product",
        "power-law": "schedframe.styles.lr:PowerLaw",
        "quarter-cosine": "schedframe.styles.lr:QuarterCosine",
    },
    aliases={"1-sqrt": "minus_sqrt", "inverse_square_root": "inverse-square-root", "wsd": "WSD"},
)
"""The learning-rate styles."""

wd_styles: Registry[WDStyle] = Registry(
    "WD",
    WDStyle,
    builtins={
        "adamc": "schedframe.styles.couplings:AdamC",
        "constant": "schedframe.styles.wd:WDConstant",
        "constant-effective": "schedframe.styles.couplings:ConstantEffective",
        "cooldown": "schedframe.styles.wd:WDCooldown",
        "cosine": "schedframe.styles.wd:WDCosine",
        "exponential": "schedframe.styles.wd:WDExponential",
        "geometric": "schedframe.styles.wd:WDGeometric",
        "independent": "schedframe.styles.couplings:Independent",
        "linear": "schedframe.styles.wd:WDLinear",
        "lr-curve": "schedframe.styles.wd:WDFromLRCurve",
        "phases": "schedframe.styles.phases:WDPhases",
    },
    aliases={},
)
"""The weight-decay styles."""


def source_of(style: Style | type[Style]) -> Source:
    """Return where `style` comes from: distribution, version and target; the class alone if it is not installed."""
    cls = style if isinstance(style, type) else type(style)
    return wd_styles.source_of(cls) if issubclass(cls, WDStyle) else lr_styles.source_of(cls)


def sources_within(path: str, style: Style) -> dict[str, Source]:
    """Return the sources of `style` and of every style that it holds, by dotted path from `path`."""
    return {path: source_of(style), **_sources_inside(path, style)}


def _sources_inside(path: str, table: BaseModel) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for name in type(table).model_fields:
        value = getattr(table, name)
        for index, item in enumerate(value if isinstance(value, list | tuple) else (value,)):
            inner = f"{path}.{name}" + (f".{index}" if item is not value else "")
            if isinstance(item, BaseModel):
                found.update(sources_within(inner, item) if isinstance(item, Style) else _sources_inside(inner, item))
    return found
