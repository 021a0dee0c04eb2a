"""Views of a schedule: its curves as rows of values."""
