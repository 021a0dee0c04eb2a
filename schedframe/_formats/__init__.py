"""The file formats of a config: one module each, with one function ``parse(text)``."""
