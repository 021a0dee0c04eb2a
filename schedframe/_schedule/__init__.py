"""The declared schedule: the keys of a config, and what is built from them."""
