"""Megatron-LM's own scripts with schedframe's schedules."""
