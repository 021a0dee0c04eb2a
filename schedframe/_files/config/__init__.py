"""The file formats of a config: a module with ``parse(text)`` for each."""
