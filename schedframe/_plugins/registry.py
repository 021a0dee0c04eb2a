"""From a style's name to its class: the built-in table, then registered classes, then entry points.

Looking names up reads metadata; a plugin is imported only when its style is named. The first look-up imports what
``SCHEDFRAME_IMPORT`` names.
"""

import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import importlib_metadata
from pydantic import BaseModel

from schedframe._elsewhere import hint_for_lr_style
from schedframe._errors import FAILURES, StyleConflictError, StyleLoadError, UnknownStyleError, did_you_mean
from schedframe._plugins.claims import Claim, claims, recall, snapshot
from schedframe._plugins.distributions import misspelt, seen_twice
from schedframe._plugins.registered import registered
from schedframe._plugins.source import Source, name_of, source_in_file, source_of_class
from schedframe._version import __version__

StyleT = TypeVar("StyleT", bound=BaseModel)


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
        self._base: type[BaseModel] = base
        self._registered: dict[str, type[StyleT]] = registered[kind]
        self._loaded: dict[Source, type[StyleT]] = {}
        self._sources: dict[type[BaseModel], Source] = {}

    def __iter__(self) -> Iterator[str]:
        """Yield the names that can be asked for, sorted; aliases are left out."""
        with snapshot():
            claimed = {claim.entry_point.name for claim in self._claims()}
            names = {*self.builtins, *self._registered, *claimed} - self.aliases.keys()
            return iter(sorted(name for name in names if name in self))

    def __len__(self) -> int:
        """Count the names that `iter` yields."""
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        """Return whether `name` is a usable name or an alias, without importing it."""
        try:
            provider = self._find(name) if isinstance(name, str) else None
        except StyleConflictError:
            return False
        return provider is not None and not _incompatibility(provider[1])

    def __getitem__(self, name: str) -> type[StyleT]:
        """Import the style called `name`.

        Raises:
            UnknownStyleError: no installed style has this name, or its distribution is blocked.
            StyleConflictError: more than one distribution claims the name.
            StyleLoadError: importing it fails, or it is not a style of this kind and name.
            PluginError: ``SCHEDFRAME_ALLOW`` or ``SCHEDFRAME_BLOCK`` names what is not installed, or
                ``SCHEDFRAME_IMPORT`` what cannot be imported.
        """
        return self._class_of(*self._provider(name))

    def get(self, name: str, default: Any = None) -> Any:
        """Import the style called `name`, or return `default` where there is none; see ``[]`` for other errors."""
        provider = self._find(name)
        return default if provider is None else self._class_of(*provider)

    def source(self, name: str) -> Source:
        """Return where the style called `name` comes from, without importing it; raises as ``[]`` does."""
        return self._provider(name)[0]

    def source_of(self, style: type[BaseModel]) -> Source:
        """Return where a class comes from; its module and name alone if it is neither installed nor registered."""
        if style not in self._sources:
            source = source_of_class(style)
            if self.builtins.get(source.name) == source.target:
                source = self._builtin(source.name)
            else:
                declared = [claim.source for claim in claims(self.group, source.name)]
                same = [other for other in declared if other.target == source.target]
                source = min(same, key=str, default=source)
            self._sources[style] = source
        return self._sources[style]

    def register(self, style: type[StyleT]) -> type[StyleT]:
        """Make the class `style` known under its own name in this process; usable as a decorator.

        For one-off styles in a training script, or in a file that ``--import`` or ``SCHEDFRAME_IMPORT`` names; what
        others should use is better packaged. Registering the same class again, as when a notebook's cell is run
        twice, replaces it.

        Raises:
            StyleLoadError: `style` is not a final style of this kind.
            StyleConflictError: the name is built in, an alias, or registered for another class.
        """
        source = source_in_file(style)
        self._check(style, source)
        name = source.name
        if name in self.builtins or name in self.aliases:
            raise StyleConflictError(f"{self.kind} style {name!r} is built in; give {source.target} a name of its own")
        earlier = self._sources[self._registered[name]] if name in self._registered else source
        if earlier.identity != source.identity:
            one, other = (earlier.target, source.target) if earlier.sha256 == source.sha256 else (earlier, source)
            raise StyleConflictError(
                f"{self.kind} style {name!r} is already registered for {one}; give {other} another name"
            )
        self._registered[name] = style
        self._sources[style] = source
        return style

    def listing(self) -> list[Listed]:
        """Return every name with where it comes from and what is known against it, without importing any."""
        all_claims = self._claims()
        rows = [Listed(self._builtin(name), self.clash(name, all_claims), "") for name in self.builtins]
        for name, style in self._registered.items():
            summary = inspect.cleandoc(style.__doc__ or "").partition("\n")[0]
            rows.append(Listed(self._sources[style], self.clash(name, all_claims), summary))
        for claim in all_claims:
            fault = claim.blocked or self.clash(claim.entry_point.name, all_claims) or _incompatibility(claim)
            rows.append(Listed(claim.source, fault, claim.distribution.summary))
        return sorted(rows, key=lambda row: (row.source.name, str(row.source)))

    def clash(self, name: str, among: list[Claim]) -> str:
        """Return all providers of `name`, those in the claims `among` too, as a sentence; empty if at most one is."""
        unblocked = [claim for claim in among if claim.entry_point.name == name and not claim.blocked]
        block = ",".join(sorted({claim.distribution.name for claim in unblocked}))
        providers = sorted({str(claim) for claim in unblocked})
        canonical = self.aliases.get(name, name)
        if providers and canonical in self.builtins:
            return (
                f"is built in ({self._builtin(canonical)}) and claimed by {', '.join(providers)}; built-in names and "
                f"their aliases cannot be taken: uninstall the other, or set SCHEDFRAME_BLOCK={block}"
            )
        if name in self._registered:
            providers.append(f"{self._sources[self._registered[name]]}, registered in this process")
        if len(providers) > 1:
            return (
                f"is provided more than once: {'; '.join(providers)}; uninstall all but one, "
                f"or set SCHEDFRAME_BLOCK to those that you do not want ({block})"
            )
        return ""

    def _claims(self, name: str | None = None) -> list[Claim]:
        """Return what distributions declare; what ``SCHEDFRAME_IMPORT`` names is registered before."""
        from schedframe._plugins import imported  # noqa: F401  for what it does

        return claims(self.group, name)

    def _provider(self, name: str) -> tuple[Source, Claim | None]:
        provider = self._find(name)
        if provider is None:
            raise self._unknown(name)
        return provider

    def _find(self, name: str) -> tuple[Source, Claim | None] | None:
        """Return the one provider of `name`, with its claim if it is a distribution; ``None`` if there is none.

        Raises:
            StyleConflictError: more than one provider claims the name.
        """
        claimed = self._claims(name)
        clash = self.clash(name, claimed)
        if clash:
            raise StyleConflictError(f"{self.kind} style {name!r} {clash}")
        canonical = self.aliases.get(name, name)
        if canonical in self.builtins:
            return self._builtin(canonical), None
        if name in self._registered:
            return self._sources[self._registered[name]], None
        return next(((claim.source, claim) for claim in claimed if not claim.blocked), None)

    def _builtin(self, name: str) -> Source:
        return Source(name, self.builtins[name], "schedframe", __version__)

    def _class_of(self, source: Source, claim: Claim | None) -> type[StyleT]:
        if source.name in self._registered:
            return self._registered[source.name]
        if source not in self._loaded:
            self._loaded[source] = self._load(source, claim)
        return self._loaded[source]

    def _load(self, source: Source, claim: Claim | None) -> type[StyleT]:
        fault = _incompatibility(claim)
        if fault:
            raise StyleLoadError(
                f"{self.kind} style {source.name!r} from {source} cannot be used: {fault}; "
                f"install versions that fit each other"
            )
        point = importlib_metadata.EntryPoint(name=source.name, value=source.target, group=self.group)
        try:
            with redirect_stdout(sys.stderr):
                style = point.load()
        except FAILURES as error:
            raise StyleLoadError(
                f"{self.kind} style {source.name!r} from {source} cannot be imported: "
                f"{type(error).__name__}: {error}; repair or reinstall it, or leave the style out"
            ) from error
        self._check(style, source)
        self._sources[style] = source
        return style  # type: ignore[no-any-return]

    def _check(self, style: Any, source: Source) -> None:
        """Refuse a class that is not a usable style of this kind under the name of its `source`."""
        fault = self._fault(style, source.name)
        if fault:
            raise StyleLoadError(f"{self.kind} style {source.name!r} from {source} cannot be used: {fault}")

    def _fault(self, style: Any, name: str) -> str:
        if not (isinstance(style, type) and issubclass(style, self._base)):
            return f"it is not a subclass of schedframe.styles.{self._base.__name__}"
        if inspect.isabstract(style):
            return f"it does not implement {', '.join(sorted(getattr(style, '__abstractmethods__', ())))}"
        if not name_of(style):
            return "its field `style` has no default; write style: Literal[NAME] = NAME"
        if name_of(style) != name:
            return f"its field `style` is {name_of(style)!r} and its entry point {name!r}; make them the same"
        try:
            style.model_rebuild()  # the validator, which the class defers
        except FAILURES as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def _unknown(self, name: str) -> UnknownStyleError:
        """Return the error for a `name` without a provider that may be used."""
        blocked = next(iter(self._claims(name)), None)
        if blocked is not None:
            return UnknownStyleError(
                f"the {self.kind} style {name!r} comes from {blocked}, and {blocked.blocked}; "
                f"change the variable to use it"
            )
        return UnknownStyleError(recall((self.kind, name), lambda: self._unknown_text(name)))

    def _unknown_text(self, name: str) -> str:
        for lost in misspelt():
            if (lost.group, lost.entry_point.name) == (self.group, name):
                by = f"{lost.distribution.name} {lost.distribution.version}"
                return f"there is no {self.kind} style {name!r}; {by} has it, and {lost.fault}"
        usable = list(self)
        if hint := hint_for_lr_style(name):
            return f"there is no {self.kind} style {name!r}; {hint}"
        hint = did_you_mean(name, [*usable, *self.aliases]) or "."
        text = (
            f"there is no {self.kind} style {name!r}{hint} Installed: {', '.join(usable)}. "
            f"Other styles come from plugins: pip install the one that provides {name!r}"
        )
        stale = list(seen_twice())
        return f"{text}. {'; '.join(stale)}" if stale else text


def _incompatibility(claim: Claim | None) -> str:
    return claim.distribution.incompatibility if claim is not None else ""
