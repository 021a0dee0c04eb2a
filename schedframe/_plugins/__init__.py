"""Who adds what: installed distributions, files that a user names, and hooks."""
