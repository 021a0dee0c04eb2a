"""Schedules as one page of HTML, which works offline."""
