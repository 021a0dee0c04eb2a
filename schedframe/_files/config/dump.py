"""Writes plain data as a config file: YAML, TOML or JSON."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._files.config.document import FORMATS, check_suffix

_WIDTH = 100


def dump(data: Mapping[str, Any], path: Path, *, comments: Sequence[str] = ()) -> str:
    """Return the text of a config file with `data`, in the format that the suffix of `path` names.

    Args:
        data: plain data; TOML has no ``None``.
        path: the file; it is not written.
        comments: lines at the top; left out of JSON, which has no comments.

    Raises:
        ConfigError: `path` has an unknown suffix, or TOML is to hold ``None``.
    """
    check_suffix(path)
    suffix = path.suffix.lower()
    if suffix == ".json":
        return json.dumps(data, indent=2) + "\n"
    body = _toml(data, path) if suffix == ".toml" else _yaml(data)
    letters = ((letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line) for line in comments)
    text = "".join(f"# {''.join(line)}\n" for line in letters) + body
    if FORMATS[suffix].parse(text).data != data:
        raise SchedframeError(f"{path}: the text does not hold the data that it was made from; this is a bug")
    return text


def _toml(data: Mapping[str, Any], path: Path) -> str:
    import tomli_w

    for key, value in data.items():
        if value is None:
            fault = "would be removed by a null, which TOML does not have; write the file as YAML or JSON"
            raise ConfigError(str(path), [Problem(key, fault)])
    return tomli_w.dumps(data)


def _yaml(data: Mapping[str, Any]) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.representer import SafeRepresenter

    class Representer(SafeRepresenter):
        """Writes ``3.0e-05``, which YAML 1.1 takes for a number too."""

        def represent_float(self, number: float) -> Any:
            mantissa, sign, exponent = repr(number).partition("e")
            text = f"{mantissa}.0e{exponent}" if sign and "." not in mantissa else repr(number)
            return self.represent_scalar("tag:yaml.org,2002:float", text)

    Representer.add_representer(float, Representer.represent_float)
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = Representer
    is_nested = any(isinstance(value, Mapping | list | tuple) for value in data.values())
    yaml.default_flow_style = None if is_nested else False
    yaml.width = _WIDTH
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = io.StringIO()
    yaml.dump(dict(data), stream)
    return stream.getvalue()
