"""What one does with a schedule beside running it."""
