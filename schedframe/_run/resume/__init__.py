"""What a checkpoint contains, and what is used on resume."""
