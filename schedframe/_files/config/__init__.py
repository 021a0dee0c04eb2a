"""The file formats of a config: for each a module with ``parse(text)``, and one with ``edit(text, old, new)``."""
