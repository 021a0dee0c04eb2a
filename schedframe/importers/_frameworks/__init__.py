"""The built-in importers: one module for each framework."""
