"""Tests of pytorch/pytorch:test/optim/test_lrscheduler.py at 01f9ef3 that no schedule file says, by their reasons."""

_METRIC = "it follows a metric"
_OBJECT = "it is about torch's objects, and no learning rate"
_WARNING = "it is about a warning, and no learning rate"
_STATE = "it is about what torch's objects save"
_POSITION = "step() of schedframe has no position"
_TENSOR = "it is about learning rates that are tensors"

_BY_REASON = {
    _METRIC: [
        *(f"test_reduce_lr_on_plateau{number}" for number in range(1, 9)),
        *(f"test_compound_reduce_lr_on_plateau{number}" for number in range(1, 6)),
        "test_reduce_lr_on_plateau_get_last_lr_before_step",
        "test_reduce_lr_on_plateau_preserves_lr_type",
        "test_reduce_lr_on_plateau_state_dict",
        "test_add_param_group_does_not_break_reduce_lr_on_plateau",
        "test_add_param_group_errors_reduce_lr_on_plateau",
        "test_lr_scheduler_checkpoint_on_plateau",
    ],
    _WARNING: [
        *(f"test_old_pattern_warning{how}" for how in ("", "_with_arg", "_resuming", "_resuming_with_arg")),
        "test_old_pattern_warning_with_overridden_optim_step",
        *(f"test_new_pattern_no_warning{how}" for how in ("", "_with_arg", "_with_overridden_optim_step")),
        "test_sequentiallr_no_warnings",
    ],
    _OBJECT: [
        "test_error_when_getlr_has_epoch",
        "test_no_cyclic_references",
        "test_no_cyclic_references_in_step",
        "test_cycle_lr_cycle_momentum_fail_with_momentumless_optimizer",
        "test_cycle_lr_cycle_momentum_with_beta1_optimizer",
        "test_cycle_lr_removed_after_out_of_scope",
        "test_multiplicative_lr_with_lr_lambda",
        "test_CosineAnnealingWarmRestarts_T_cur_reset",
    ],
    _STATE: [
        *(f"test_{name}_lr_state_dict" for name in ("step", "multi_step", "exp_step", "cosine", "swa")),
        "test_CosineAnnealingWarmRestarts_lr_state_dict",
        "test_lambda_lr_state_dict_fn",
        "test_lambda_lr_state_dict_obj",
        "test_cycle_lr_state_dict_picklable",
        "test_cycle_lr_scale_fn_restored_from_state_dict",
        "test_lr_scheduler_state_dict_load",
        "test_lr_scheduler_checkpoint",
        "test_cos_anneal_lr_continue",
        "test_raise_error_when_last_epoch_is_greater_than_0_and_initial_lr_is_not_specified",
    ],
    _POSITION: [
        f"test_{name}_is_constant_for_constant_epoch"
        for name in ("step_lr", "exponential_lr", "constantlr", "linear_linearlr", "polynomial_lr")
    ],
    _TENSOR: [
        "test_constant_initial_lr",
        *(f"test_constant_initial_params_{name}" for name in ("cyclelr", "onecyclelr", "swalr")),
    ],
    "a warmup may begin at 0": ["test_linearlr_start_factor_limits1"],
    "two schedulers of one optimizer take turns, and only a bound is checked": ["test_cosine_then_cyclic"],
}
NOT_WRITTEN = {test: reason for reason, tests in _BY_REASON.items() for test in tests}
