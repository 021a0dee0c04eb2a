"""From bytes to plain data and back; nothing here knows what a schedule is."""
