"""A schedule that continues another one."""
