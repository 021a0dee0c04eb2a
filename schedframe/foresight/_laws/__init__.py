"""Formulas of the loss under a learning-rate schedule, one module for each, and their registry."""
