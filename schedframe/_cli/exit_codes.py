"""Exit codes of the command line."""

FOUND = 3
"""Stands for the exit code 1 of findings until the process ends: typer and rich exit with 1 on a closed pipe."""
