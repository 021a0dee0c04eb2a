"""Writes what ``schedframe new`` makes as a template of copier: ``python -m release.plugin_template FOLDER``.

A plugin that copier made is updated by ``copier update`` when the template has a new version. The folder is published
as a repository of its own, whose tags are the versions of schedframe.
"""

import sys
from datetime import date
from pathlib import Path

from release.address import address
from schedframe._cli.starter import GROUPS, LICENSES, MINIMUM, SUMMARIES, filled, templates

_ASKED = """\
_min_copier_version: "9.0"
_subdirectory: "{{ kind }}"
_message_after_copy: "next: cd {{ _copier_conf.dst_path }} && pip install -e '.[test]' && pytest"

name:
  type: str
  help: Name of the style or of the hooks, in kebab-case
  validator: "{% if not (name | regex_search('^[a-z][a-z0-9]*(-[a-z0-9]+)*$')) %}use lower-case letters, digits and \
single hyphens, such as late-cosine{% endif %}"
kind:
  type: str
  help: What the plugin adds
  choices: {A learning-rate style: lr, A weight-decay style: wd, Hooks: hook}
license:
  type: str
  help: Its license
  choices: [@LICENSES@]
author:
  type: str
  help: Its author
  default: its authors
"""
_COMPUTED = {
    "NAME": "{{ name }}",
    "DISTRIBUTION": "schedframe-{{ name }}",
    "MODULE": "schedframe_{{ name | replace('-', '_') }}",
    "CLASS": "{{ name.split('-') | map('capitalize') | join }}",
    "LICENSE": "{{ license }}",
    "AUTHOR": "{{ author }}",
}
_ANSWERS = "# Written by copier, which reads it in `copier update`.\n{{ _copier_answers | to_nice_yaml -}}\n"
_README = """\
# The template of a schedframe plugin

Made from [schedframe]({address}); do not edit it here. It is what `schedframe new` writes, for plugins that are
to be updated later:

```console
$ copier copy {address}-plugin-template schedframe-late-cosine
$ copier update
```
"""


def write(folder: Path) -> None:
    """Write the template into `folder`, which must not exist."""
    folder.mkdir(parents=True)
    (folder / "copier.yml").write_text(_ASKED.replace("@LICENSES@", ", ".join(LICENSES)), "utf-8")
    (folder / "README.md").write_text(_README.format(address=address()), "utf-8")
    for kind in GROUPS:
        for path, text in _files(kind).items():
            file = folder / kind / f"{path}.jinja"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")


def _files(kind: str) -> dict[str, str]:
    """Return the template of every file of a plugin, by the template of its path."""
    module, class_name = _COMPUTED["MODULE"], _COMPUTED["CLASS"]
    words = {
        **_COMPUTED,
        "TARGET": module if kind == "hook" else f"{module}:{class_name}",
        "GROUP": GROUPS[kind],
        "SUMMARY": SUMMARIES[kind].format(name=_COMPUTED["NAME"]),
        "MINIMUM": MINIMUM,
        "YEAR": str(date.today().year),
    }
    licenses = {license: templates(kind, license) for license in LICENSES}
    texts = {
        **licenses[LICENSES[0]],
        "LICENSE": "".join(
            f"{{% if license == '{license}' %}}{texts['LICENSE']}{{% endif %}}" for license, texts in licenses.items()
        ),
    }
    made = {filled(path, words): filled(text, words) for path, text in texts.items()}
    return {**made, "{{ _copier_conf.answers_file }}": _ANSWERS}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
