"""What is declared: the keys of a config, and what can be made of them."""
