"""Prints which distribution a tag names: ``schedframe-rex-v0.1.0`` is version 0.1.0 of schedframe-rex."""

import re
import sys

from release.distributions import distributions

_TAG = re.compile(r"(?P<name>schedframe(-[a-z0-9]+)*)-v(?P<version>[0-9][^-]*)")


def named_by(tag: str) -> str:
    """Return the name of the distribution that `tag` releases.

    Raises:
        SystemExit: there is no such distribution, or its sources have another version.
    """
    match = _TAG.fullmatch(tag)
    if match is None:
        sys.exit(f"{tag}: a release tag is NAME-vVERSION, such as schedframe-rex-v0.1.0")
    name, version = match["name"], match["version"]
    known = distributions()
    if name not in known:
        sys.exit(f"{tag}: there is no distribution {name}; there are {', '.join(known)}")
    if known[name].version != version:
        sys.exit(f"{tag}: {name} has version {known[name].version} here")
    return name


if __name__ == "__main__":
    print(f"distribution={named_by(sys.argv[1])}")
