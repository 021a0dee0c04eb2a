"""From a style's name to its class: the built-in table, then entry points, then what was registered.

Looking names up reads metadata; a plugin is imported only when its style is named. The first look-up imports what
``SCHEDFRAME_IMPORT`` names.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import importlib_metadata
from pydantic import BaseModel

from schedframe._errors import (
    StyleConflictError,
    StyleLoadError,
    UnknownStyleError,
    did_you_mean,
)
from schedframe._plugins.distributions import Claim, claims, incompatibility, seen_twice
from schedframe._plugins.python_file import origin_of
from schedframe._plugins.registered import registered
from schedframe._version import __version__

StyleT = TypeVar("StyleT", bound=BaseModel)


@dataclass(frozen=True)
class Source:
    """Where a style comes from.

    Attributes:
        name: the style's name.
        target: ``module:Class``; of a file that was imported as a file, ``my_styles.py:Class``.
        distribution: the installed distribution; ``None`` for a class that a program registered or passed.
        version: the distribution's version.
        path: of a registered class the Python file that it is in, on this machine; ``None`` where it is in none.
        sha256: the digest of that file as it was when the class was registered.
    """

    name: str
    target: str
    distribution: str | None = None
    version: str | None = None
    path: str | None = field(default=None, compare=False)
    sha256: str | None = None

    def __str__(self) -> str:
        """``schedframe-rex 0.1.0 (schedframe_rex:Rex)``, ``/a/file.py (sha256 0123456789ab…)``, or the class alone."""
        if self.distribution:
            return f"{self.distribution} {self.version} ({self.target})"
        return f"{self.path or self.module} ({self.digest})" if self.sha256 else self.target

    @property
    def module(self) -> str:
        """The module of `target`, or the name of the file."""
        return self.target.rpartition(":")[0]

    @property
    def digest(self) -> str:
        """The beginning of the file's digest, ``sha256 0123456789ab…``; empty where there is no file."""
        return f"sha256 {self.sha256[:12]}…" if self.sha256 else ""

    @property
    def identity(self) -> str:
        """What is equal where the same code is meant: of a registered class its file's digest, wherever that lies."""
        return f"{self.target.rpartition(':')[2]} (sha256 {self.sha256})" if self.sha256 else str(self)


@dataclass(frozen=True)
class Listed:
    """One row of what is installed; reading it imports nothing.

    Attributes:
        source: where the style comes from.
        fault: why it cannot be used (clash, blocked, incompatible); empty where nothing is known against it.
        summary: the distribution's own one-line description; of a registered class its docstring's first line.
    """

    source: Source
    fault: str
    summary: str


class Registry(Mapping[str, type[StyleT]], Generic[StyleT]):
    """The styles of one kind, by name.

    Iterating gives the usable names and imports nothing; ``registry["rex"]`` imports that one style.

    Attributes:
        kind: ``"LR"`` or ``"WD"``.
        group: the entry-point group in which distributions declare styles of this kind.
        builtins: the styles that schedframe itself brings, name to ``module:Class``.
        aliases: other spellings of built-in names.
    """

    def __init__(self, kind: str, base: type[Any], builtins: Mapping[str, str], aliases: Mapping[str, str]) -> None:
        """Start with `builtins`; nothing is read or imported yet."""
        self.kind = kind
        self.group = f"schedframe.{kind.lower()}_styles"
        self.builtins = dict(builtins)
        self.aliases = dict(aliases)
        self._base = base
        self._registered: dict[str, Any] = registered[kind]
        self._loaded: dict[Source, type[StyleT]] = {}

    def __iter__(self) -> Iterator[str]:
        """Yield the names that can be asked for, sorted; aliases are left out."""
        return iter(sorted(row.source.name for row in self.listing() if not row.fault))

    def __len__(self) -> int:
        """Count the names that `iter` yields."""
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        """Say whether `name` is a usable name or an alias, without importing it."""
        if not isinstance(name, str):
            return False
        found = self._claims(name)
        provider = None if self.clash(name, found) else self._provider(name, found)
        return provider is not None and not (provider[1] and incompatibility(provider[1]))

    def __getitem__(self, name: str) -> type[StyleT]:
        """Import the style called `name`.

        Raises:
            UnknownStyleError: no installed style has this name, or its distribution is blocked.
            StyleConflictError: more than one distribution claims the name.
            StyleLoadError: importing it fails, or what is there is no style of this kind and name.
            PluginError: ``SCHEDFRAME_ALLOW`` or ``SCHEDFRAME_BLOCK`` names what is not installed, or
                ``SCHEDFRAME_IMPORT`` what cannot be imported.
        """
        source, claim = self._resolve(name)
        if source.name in self._registered:
            style: type[StyleT] = self._registered[source.name]
            return style
        if source not in self._loaded:
            self._loaded[source] = self._load(source, claim)
        return self._loaded[source]

    def get(self, name: str, default: Any = None) -> Any:
        """Import the style called `name`, or return `default` where there is none; see ``[]`` for other errors."""
        try:
            return self[name]
        except UnknownStyleError:
            return default

    def source(self, name: str) -> Source:
        """Say where the style called `name` comes from, without importing it.

        Raises:
            UnknownStyleError: no installed style has this name, or its distribution is blocked.
            StyleConflictError: more than one distribution claims the name.
            PluginError: ``SCHEDFRAME_ALLOW`` or ``SCHEDFRAME_BLOCK`` names what is not installed, or
                ``SCHEDFRAME_IMPORT`` what cannot be imported.
        """
        return self._resolve(name)[0]

    def register(self, style: type[StyleT]) -> type[StyleT]:
        """Make the class `style` known under its own name in this process; usable as a decorator.

        For one-off styles in a training script, or in a file that ``--import`` or ``SCHEDFRAME_IMPORT`` names; what
        others should use is better packaged. Registering the same class again, as when a notebook's cell is run
        twice, replaces it.

        Raises:
            StyleLoadError: `style` is no final style of this kind.
            StyleConflictError: the name is built in, an alias, or registered for another class.
        """
        source = _source_in_a_file(style)
        self._check(style, source)
        name = source.name
        if name in self.builtins or name in self.aliases:
            raise StyleConflictError(f"{self.kind} style {name!r} is built in; give {source.target} a name of its own")
        earlier = SOURCES[self._registered[name]] if name in self._registered else source
        if earlier.identity != source.identity:
            one, other = (earlier.target, source.target) if earlier.sha256 == source.sha256 else (earlier, source)
            raise StyleConflictError(
                f"{self.kind} style {name!r} is already registered for {one}; give {other} another name"
            )
        self._registered[name] = style
        SOURCES[style] = source
        return style

    def listing(self) -> list[Listed]:
        """Return every name with where it comes from and what is known against it, without importing any."""
        found = self._claims()
        rows = [Listed(self._own(name), self.clash(name, found), "") for name in self.builtins]
        rows += [
            Listed(SOURCES[style], self.clash(name, found), inspect.cleandoc(style.__doc__ or "").partition("\n")[0])
            for name, style in self._registered.items()
        ]
        for claim in found:
            name = claim.entry_point.name
            fault = claim.blocked or self.clash(name, found) or incompatibility(claim)
            rows.append(Listed(_source_of_claim(claim), fault, claim.summary))
        return sorted(rows, key=lambda row: (row.source.name, str(row.source)))

    def _claims(self, name: str | None = None) -> list[Claim]:
        """What distributions declare; what ``SCHEDFRAME_IMPORT`` names is registered then."""
        from schedframe._plugins import imported  # noqa: F401  for what it does

        return claims(self.group, name)

    def declared(self, own: Source) -> Source:
        """Return `own`, a class that is at hand, with the distribution that declares it, where one does."""
        if self.builtins.get(own.name) == own.target:
            return self._own(own.name)
        same = [claim for claim in claims(self.group, own.name) if claim.entry_point.value == own.target]
        return min(map(_source_of_claim, same), key=str, default=own)

    def _own(self, name: str) -> Source:
        return Source(name, self.builtins[name], "schedframe", __version__)

    def _resolve(self, name: str) -> tuple[Source, Claim | None]:
        found = self._claims(name)
        clash = self.clash(name, found)
        if clash:
            raise StyleConflictError(f"{self.kind} style {name!r} {clash}")
        provider = self._provider(name, found)
        if provider is None:
            raise self._unknown(name, found)
        return provider

    def _provider(self, name: str, found: list[Claim]) -> tuple[Source, Claim | None] | None:
        canonical = self.aliases.get(name, name)
        if canonical in self.builtins:
            return self._own(canonical), None
        if name in self._registered:
            return SOURCES[self._registered[name]], None
        for claim in found:
            if claim.entry_point.name == name and not claim.blocked:
                return _source_of_claim(claim), claim
        return None

    def clash(self, name: str, found: list[Claim]) -> str:
        """Say who else of `found` claims `name`; empty where at most one provider does."""
        third = {str(claim): claim for claim in found if claim.entry_point.name == name and not claim.blocked}
        block = ",".join(sorted({claim.distribution for claim in third.values()}))
        canonical = self.aliases.get(name, name)
        if third and canonical in self.builtins:
            return (
                f"is built in ({self._own(canonical)}) and claimed by {', '.join(sorted(third))}; built-in names and "
                f"their aliases cannot be taken: uninstall the other, or set SCHEDFRAME_BLOCK={block}"
            )
        providers = sorted(third)
        if name in self._registered:
            providers.append(f"{SOURCES[self._registered[name]]}, registered in this process")
        if len(providers) > 1:
            return (
                f"is provided more than once: {'; '.join(providers)}; uninstall all but one, "
                f"or set SCHEDFRAME_BLOCK to those that you do not want ({block})"
            )
        return ""

    def _unknown(self, name: str, found: list[Claim]) -> UnknownStyleError:
        blocked = [claim for claim in found if claim.entry_point.name == name]
        if blocked:
            return UnknownStyleError(
                f"the {self.kind} style {name!r} comes from {blocked[0]}, and {blocked[0].blocked}; "
                f"change the variable to use it"
            )
        usable = list(self)
        hint = did_you_mean(name, [*usable, *self.aliases]) or "."
        text = (
            f"there is no {self.kind} style {name!r}{hint} Installed: {', '.join(usable)}. "
            f"Other styles come from plugins: pip install the one that provides {name!r}"
        )
        stale = list(seen_twice())
        return UnknownStyleError(f"{text}. {'; '.join(stale)}" if stale else text)

    def _load(self, source: Source, claim: Claim | None) -> type[StyleT]:
        if claim is not None:
            fault = incompatibility(claim)
            if fault:
                raise StyleLoadError(
                    f"{self.kind} style {source.name!r} from {source} cannot be used: {fault}; "
                    f"install versions that fit each other"
                )
        point = importlib_metadata.EntryPoint(name=source.name, value=source.target, group=self.group)
        try:
            style = point.load()
        except (Exception, SystemExit) as error:
            raise StyleLoadError(
                f"{self.kind} style {source.name!r} from {source} cannot be imported: "
                f"{type(error).__name__}: {error}; repair or reinstall it, or leave the style out"
            ) from error
        self._check(style, source)
        SOURCES[style] = source
        return style  # type: ignore[no-any-return]

    def _check(self, style: Any, source: Source) -> None:
        """Refuse what is no usable style of this kind under its own name."""
        fault = ""
        if not (isinstance(style, type) and issubclass(style, self._base)):
            fault = f"it is no subclass of schedframe.styles.{self._base.__name__}"
        elif inspect.isabstract(style):
            fault = f"it does not implement {', '.join(sorted(getattr(style, '__abstractmethods__', ())))}"
        elif not _own_name(style):
            fault = "its field `style` has no default; write style: Literal[NAME] = NAME"
        elif _own_name(style) != source.name:
            own = _own_name(style)
            fault = f"its field `style` says {own!r}, and its entry point {source.name!r}; make them the same"
        if fault:
            raise StyleLoadError(f"{self.kind} style {source.name!r} from {source} cannot be used: {fault}")


SOURCES: dict[type[BaseModel], Source] = {}
"""Where each class comes from that was loaded or registered."""


def source_of_class(style: Any) -> Source:
    return Source(_own_name(style), f"{getattr(style, '__module__', '?')}:{getattr(style, '__qualname__', style)}")


def _source_in_a_file(style: Any) -> Source:
    """The source of a class that no distribution declares, with its file."""
    own = source_of_class(style)
    origin = origin_of(own.module)
    if origin is None:
        return own
    target = f"{origin.name}:{own.target.rpartition(':')[2]}"
    return replace(own, target=target, path=origin.path, sha256=origin.sha256)


def _own_name(style: Any) -> str:
    """The name in the field ``style``; empty where the class has none."""
    field = getattr(style, "model_fields", {}).get("style") if isinstance(style, type) else None
    return field.default if field is not None and isinstance(field.default, str) else ""


def _source_of_claim(claim: Claim) -> Source:
    return Source(claim.entry_point.name, claim.entry_point.value, claim.distribution, claim.version)
