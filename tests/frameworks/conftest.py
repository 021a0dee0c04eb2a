"""What is here but for the test itself are programs for checkouts of other projects."""

collect_ignore_glob = ["one.py", "trial.py", "try_*.py"]
