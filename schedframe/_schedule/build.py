"""Builds the scheduler that runs a declared schedule on an optimizer, or reports everything that prevents it."""

from typing import Any

from schedframe._errors import ConfigError, Problem
from schedframe._run.groups import roles as _roles
from schedframe._run.groups.bounds import make_plain
from schedframe._run.groups.following import contradictions
from schedframe._run.optimizers import as_one
from schedframe._run.policy import policy_of
from schedframe._run.scheduler import OptimizerParamScheduler
from schedframe._schedule.findings import errors_of


def build(
    schedule: Any,
    optimizer: Any,
    *,
    use_checkpoint: bool | None,
    override: bool | None,
    process_group: Any = None,
    scheduler: type[OptimizerParamScheduler] = OptimizerParamScheduler,
) -> OptimizerParamScheduler:
    """Return the `scheduler` that runs `schedule` on `optimizer`; see `Schedule.build`."""
    optimizer = as_one(optimizer)
    groups = list(optimizer.param_groups)
    plan = schedule.plan
    problems = errors_of(schedule, schedule.origin, groups)
    roles = _roles.Roles()
    try:
        make_plain(groups)
        roles = _roles.assign_roles(schedule.groups, groups, process_group)
    except ConfigError as error:
        problems += error.problems
    else:
        problems += contradictions(plan, roles, groups)
    policy = schedule.resume.policy
    if (use_checkpoint, override) != (None, None):
        policy = policy_of(use_checkpoint, override)
    if policy != schedule.resume.policy and "resume" in schedule.model_fields_set:
        fault = f"the flags select {policy}; remove one of the two, or make them the same"
        problems.append(Problem("resume", fault, schedule.resume.policy))
    if problems:
        raise schedule.origin.error(problems)
    return scheduler.from_plan(
        plan,
        optimizer,
        roles=roles,
        policy=policy,
        override_keys=schedule.resume.override,
        parent=schedule.parent,
        units=schedule.scale.units,
    )
