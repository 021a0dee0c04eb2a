"""What is here but for the tests is run by an interpreter before them."""

collect_ignore = ["composer_startup"]
