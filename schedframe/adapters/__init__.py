"""Schedules in other trainers, one module for each framework.

Importing this package imports no framework; each module imports its own. Everywhere `schedule` is a `Schedule` or the
path of its file, one step is one update of the optimizer, and `num_training_steps`, where the trainer gives it, is
checked against the length of the run.
"""
