"""How large the learning rate is."""

from collections.abc import Iterator

from schedframe.lint._context import RuleContext
from schedframe.lint._rule import Found, rule

_LOWEST, _HIGHEST = 1e-6, 2e-2


@rule(
    "SF601",
    "implausible-max-lr",
    "warning",
    bad="train_samples: 1M\nmax_lr: 3\n",
    good="train_samples: 1M\nmax_lr: 3e-4\n",
)
def find_implausible_peaks(context: RuleContext) -> Iterator[Found]:
    """The max LR is above 0.1 or below 1e-7.

    No language model is trained with such a value. Often the sign of the exponent is missing, or a factor is given
    instead of a rate.
    """
    for group in context.groups:
        peak = group.plan.max_lr
        if peak > 0.1 or 0 < peak < 1e-7:
            message = f"is {'above 0.1' if peak > 0.1 else 'below 1e-7'}, where no language model is trained"
            yield Found(group.key("max_lr"), message, "", None, group.role)


@rule(
    "SF602",
    "unusual-max-lr",
    "note",
    bad="train_samples: 1M\nmax_lr: 5e-2\n",
    good="train_samples: 1M\nmax_lr: 3e-4\n",
)
def find_unusual_peaks(context: RuleContext) -> Iterator[Found]:
    """The max LR is outside the range that published runs of language models used: 1e-6 to 0.02.

    The lowest are those of reinforcement learning from a finetuned model (1e-6: DeepSeekMath, arXiv 2402.03300), the
    highest of AdamW 0.01 (MiniCPM, arXiv 2404.06395) and of Muon 0.02 (github.com/KellerJordan/Muon).
    """
    for group in context.groups:
        peak = group.plan.max_lr
        if 1e-7 <= peak < _LOWEST or _HIGHEST < peak <= 0.1:
            message = f"is outside the range that published runs used, {_LOWEST:g} to {_HIGHEST:g}"
            yield Found(group.key("max_lr"), message, "", None, group.role)
