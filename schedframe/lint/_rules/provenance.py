"""Where the styles come from."""

from collections.abc import Iterator

from schedframe._plan.plan import sources_of
from schedframe._plan.rule import key_of
from schedframe._plugins.distributions import OURSELVES
from schedframe.lint._context import RuleContext
from schedframe.lint._rule import Found, rule

_BASE = "train_samples: 1M\nmax_lr: 3e-4\n"


@rule(
    "SF701",
    "style-of-a-plugin",
    "note",
    bad=f"{_BASE}lr_decay_style: rex\n",
    good=f"{_BASE}lr_decay_style: cosine\n",
)
def find_styles_of_plugins(context: RuleContext) -> Iterator[Found]:
    """A style comes from a plugin, which every machine of the run needs in the same version.

    Pin it where the environment of the run is described. The state in a checkpoint names the version, and a resume with
    another one reports it.
    """
    for path, source in sources_of(context.plan).items():
        if source.distribution not in (None, OURSELVES):
            head, _, rest = path.partition(".")
            key = f"{key_of(head)}.{rest}".rstrip(".")
            message = f"comes from {source.distribution} {source.version}, which every machine of the run needs"
            yield Found(key, message, f"pin {source.distribution}=={source.version}")


@rule("SF702", "one-off-style", "note")
def find_one_off_styles(context: RuleContext) -> Iterator[Found]:
    """A style is a class that a file or a program registered, and no installed distribution has it.

    Every process that loads the schedule must import that file first, with ``--import`` or ``SCHEDFRAME_IMPORT``.
    """
    for path, source in sources_of(context.plan).items():
        if source.distribution is None:
            head, _, rest = path.partition(".")
            key = f"{key_of(head)}.{rest}".rstrip(".")
            yield Found(key, f"comes from {source}, and from no installed distribution", "put it into a plugin")
