"""What a checkpoint says, and what counts on resume."""
