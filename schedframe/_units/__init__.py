"""Numbers and lengths as people write them."""
