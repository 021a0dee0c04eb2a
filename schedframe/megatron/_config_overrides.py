"""Converts rules for param groups to Megatron's own overrides."""

from typing import Any

from schedframe._plan.rule import GroupRule
from schedframe._run.groups.roles import tags_of
from schedframe._schedule.schedule import Schedule
from schedframe.megatron._scheduler import refuse_other_clocks
from schedframe.megatron._versions import override_keys

_BOUNDS = ("max_lr", "min_lr", "start_wd", "end_wd", "lr_mult", "wd_mult")


def config_overrides(schedule: Schedule, model: Any = None) -> dict[Any, dict[str, Any]]:
    """Return the rules by name of `schedule` as Megatron's ``{ParamKey: ParamGroupOverride}``.

    Megatron makes its param groups by them, beside its own overrides::

        overrides = {**get_standard_config_overrides(config), **config_overrides(schedule, model)}
        optimizer = get_megatron_optimizer(config, model, config_overrides=overrides)
        scheduler = schedframe.megatron.build(schedule, optimizer)

    Where several match one parameter, Megatron merges them, and raises a ``ValueError`` where they differ. Rules by
    key and by index need no override: `Schedule.build` applies them.

    Args:
        schedule: the schedule with the rules.
        model: the model chunks that the optimizer will have. With it, a rule that fits no parameter is reported now,
            with the nearest names; it is a collective under ``torch.distributed``. Without it, `Schedule.build`
            reports it.

    Raises:
        ConfigError: a rule fits no parameter of any rank, the clock does not count samples, or Megatron Core is older
            than 0.16 and has no overrides.
    """
    refuse_other_clocks(schedule)
    param_key, predicate = override_keys()
    if model is not None:
        schedule.param_groups(model)
    overrides: dict[Any, dict[str, Any]] = {}
    for rule in schedule.groups:
        if not rule.match.is_by_parameter:
            continue
        if rule.match.kind == "param":
            key = param_key(name=rule.match.value)
        else:
            key = param_key(with_name_predicate=predicate(name=str(rule.match), fn=_fits(rule)))
        given = {name: value for name, value in rule.sets().items() if name in _BOUNDS and value is not None}
        overrides[key] = {**overrides.get(key, {}), **given, **tags_of(schedule.groups, rule)}
    return overrides


def _fits(rule: GroupRule) -> Any:
    return lambda parameter, name: rule.match.fits_parameter(name, parameter)
