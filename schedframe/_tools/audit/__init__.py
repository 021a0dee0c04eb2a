"""What runs logged against what a schedule specifies."""
