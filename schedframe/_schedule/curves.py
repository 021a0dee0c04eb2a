"""The curves of the param groups with one role: where they are drawn, and their values at many steps."""

from collections.abc import Iterable

from schedframe._plan.evaluate import curves_at
from schedframe._plan.rule import merge, rules_named
from schedframe._plan.sampling import end_of, steps_of
from schedframe._schedule.keys import Keys


class RoleCurves:
    """The curves of one role. Steps are counted from the schedule's own step 0.

    Attributes:
        plan: everything that determines them, but for `wd_mult`.
        wd_mult: the factor on the weight decay.
    """

    def __init__(self, keys: Keys, role: str) -> None:
        """Take the rules of `role` into account.

        Raises:
            ValueError: there is no such role.
        """
        rules = rules_named(keys.groups, role)
        self.plan = keys.plan.under(rules)
        self.wd_mult: float = merge(rules).get("wd_mult", 1.0)
        self._keys = keys

    def steps(self, points: int, close: float = 0.0) -> list[float]:
        """Return `points` steps from 0 to the end of the run, or of the decay, dense where the curves are curved.

        There are fewer where lines through them are as `close` to the curves as that part of the highest value. All
        changes of the batch size are among them, so that lines over iterations are close to the curves too.
        """
        units, start = self._keys.scale.units, self._keys.start_step
        changes = () if units.batch_sizes is None or "iters" not in units.known() else units.batch_sizes.stretches[1:]
        to_steps = units.converter("iters", units.clock) if changes else float
        also = [to_steps(iteration) - start for iteration, _, _ in changes]
        return steps_of(self.plan, end_of(self.plan, self._keys.scale.run_steps), points, also, close)

    def values(self, steps: Iterable[float]) -> tuple[list[float], list[float | None]]:
        """Return learning rate and weight decay at each of `steps`, the latter after its `wd_mult`.

        Raises:
            PluginError: a style fails at one of them.
        """
        values = [curves_at(self.plan, step) for step in steps]
        return [lr for lr, _ in values], [None if wd is None else wd * self.wd_mult for _, wd in values]
