"""The two spellings of ``WSD``: a table with its options, and Megatron's two arguments beside its name."""

from typing import Any, NamedTuple

from schedframe.styles._base import LRCurve, LRStyle
from schedframe.styles.lr import WSD

FLAT_WSD = ("wsd_decay_steps", "lr_wsd_decay_style")
"""The options of WSD, which Megatron takes as arguments beside the style's name."""


class FlatWSD(NamedTuple):
    """The options of a ``WSD`` style."""

    wsd_decay_steps: float
    lr_wsd_decay_style: LRCurve


def is_bare(style: object) -> bool:
    """Return whether `style` is the name of WSD, whose options stand beside it."""
    return style in ("WSD", "wsd")


def table_of(wsd_decay_steps: Any, lr_wsd_decay_style: Any) -> dict[str, Any]:
    """Return WSD as a table, from Megatron's two arguments."""
    return {"style": "WSD", "wsd_decay_steps": wsd_decay_steps, "lr_wsd_decay_style": lr_wsd_decay_style}


def flat_of(style: LRStyle) -> FlatWSD | None:
    """Return what Megatron's two arguments are for `style`; ``None`` where it is not WSD."""
    return FlatWSD(style.wsd_decay_steps, style.lr_wsd_decay_style) if isinstance(style, WSD) else None


def description_of(option: str) -> str:
    """Return the description of one of the options."""
    return str(WSD.model_fields[option].description)
