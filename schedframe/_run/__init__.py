"""What runs: a position on a plan, on an optimizer."""
