"""One config file derived from another: keys change, comments stay."""
