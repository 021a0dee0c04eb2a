"""What determines both curves, evaluated and checked: pure, without optimizer, file or plugin."""
