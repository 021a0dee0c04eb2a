"""Runs the command line as ``python -m schedframe``."""

from schedframe._cli import main

main()
