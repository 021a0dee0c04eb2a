"""Logs of training runs as records: an iteration, and named numbers, in the order of the file.

Memory does not grow with the log: each record is handed on as it is read. Nothing that a log names is run.
"""
