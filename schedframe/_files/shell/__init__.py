"""Reads shell scripts as data: what each command's words are, as far as the file itself determines them."""
