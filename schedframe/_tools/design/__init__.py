"""A page that edits one file, served on this machine alone."""
