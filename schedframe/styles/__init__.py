"""The names that authors of styles import.

A learning-rate style subclasses `LRCurve`, `LRShape` or `LRStyle`, a weight-decay style `WDCurve`,
`WDShape` or `WDStyle`: use the first that can express the formula. A field that holds another style is
typed `AnyLRStyle`, `AnyLRCurve` or `AnyWDStyle`, never the abstract class itself. An option that is a
length in steps is typed `Length`, so that ``10%`` and ``2000 iters`` work in it, or `CooldownLength` if it
is the length of a cooldown that ends at lr_decay_steps.

The built-in styles are in `schedframe.styles.lr`, `schedframe.styles.wd`, `schedframe.styles.couplings` (weight decay
that follows the learning rate), `schedframe.styles.phases`, `schedframe.styles.each` and `schedframe.styles.combined`.
"""

from schedframe._units.lengths import CooldownLength, Length
from schedframe.styles._base import (
    Cooldown,
    LRCurve,
    LRPoint,
    LRShape,
    LRStyle,
    Style,
    WDCurve,
    WDPoint,
    WDShape,
    WDStyle,
)
from schedframe.styles._byname import AnyLRCurve, AnyLRStyle, AnyWDStyle

__all__ = [
    "AnyLRCurve",
    "AnyLRStyle",
    "AnyWDStyle",
    "Cooldown",
    "CooldownLength",
    "LRCurve",
    "LRPoint",
    "LRShape",
    "LRStyle",
    "Length",
    "Style",
    "WDCurve",
    "WDPoint",
    "WDShape",
    "WDStyle",
]
