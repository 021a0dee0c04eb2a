"""The version, in one place: read by the build, by the registry and by users."""

__version__ = "0.1.0"
