"""A schedule that goes on from another one."""
