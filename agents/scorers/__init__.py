"""Every scorer by name and version: ours, those in a folder of the user's, and installed ones.

A scorer is a pure function of the text. A version never changes: another pattern, weight or cap
is another version. Where a scorer is a table it is a file in `tables/`, `NAME@VERSION.yaml`; one
that is more than a table is a module with `SCORERS`. Users put files into the folder of
`LEM_SCORERS`, or install a package with an entry point `NAME@VERSION` in the group `lem.scorers`.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from agents.scorers.base import Fixture, Hit, Score, Scorer, Sought, Text
from agents.scorers.definition import load
from agents.scorers.engine import Engine
from agents.scorers.places import Places
from streams.config import settings
from streams.errors import ConfigError

__all__ = ["Fixture", "Hit", "Score", "Scorer", "Sought", "Text", "scorer", "scorers", "tried"]

_TABLES = Path(__file__).with_name("tables")
_MODULES = {
    "agents.scorers.grammar": ("grammar@3", "grammar@3-initialised"),
    "agents.scorers.lek_v1": ("lek@1-go", "lek@1-py"),
    "agents.scorers.tier_v1": ("tier@1",),
}
_GROUP = "lem.scorers"

_Load = Callable[[], Scorer]


def tried() -> Iterator[tuple[str, "Scorer | ConfigError"]]:
    """Every name and version there is, with its scorer, or with why it can't be used.

    Raises:
        ConfigError: LEM_SCORERS is no folder.
    """
    for label in sorted(_known(settings().scorers)):
        try:
            yield label, scorer(label)
        except ConfigError as error:
            yield label, error


def scorers() -> tuple[Scorer, ...]:
    """Every scorer, by name and then by version; see `tried` for one that can't be used.

    Raises:
        ConfigError: One of the user's can't be used.
    """
    found = _known(settings().scorers)
    return tuple(_loaded(found, label) for label in sorted(found))


def scorer(label: str) -> Scorer:
    """The scorer of this name and version.

    Raises:
        ConfigError: There is none, or it can't be used, or the version is missing; the message
            names those there are.
    """
    found = _known(settings().scorers)
    if label not in found:
        raise ConfigError(_unknown(label, sorted(found)))
    return _loaded(found, label)


def _loaded(found: dict[str, _Load], label: str) -> Scorer:
    one = found[label]()
    if one.label != label:
        raise ConfigError(
            f"What should be scorer {label} calls itself {one.label}; a file is named after its"
            " scorer, as lek@2.yaml, and so is an entry point."
        )
    return one


@cache
def _known(folder: str) -> dict[str, _Load]:
    """How each scorer is loaded, by its label; nothing is loaded yet."""
    found: dict[str, _Load] = {}
    places: dict[str, str] = {}
    for label, place, one in _sources(folder):
        if label in found:
            found[label] = partial(_refuse_double, label, places[label], place)
        else:
            found[label], places[label] = one, place
    return found


def _refuse_double(label: str, place: str, other: str) -> Scorer:
    raise ConfigError(
        f"Scorer {label} is defined twice, in {place} and in {other}. A changed scorer needs a"
        " version of its own; name the new one so."
    )


def _sources(folder: str) -> Iterator[tuple[str, str, _Load]]:
    """Label, place, and how to load it, for every scorer there is."""
    folders = [_TABLES, *([_folder(folder)] if folder else [])]
    for path in (path for each in folders for path in _files(each)):
        yield path.stem, str(path), cache(lambda path=path: _from_table(path))
    for module, labels in _MODULES.items():
        for label in labels:
            yield label, module, cache(lambda m=module, name=label: _from_module(m, name))
    for point in entry_points(group=_GROUP):
        yield point.name, point.value, cache(lambda point=point: _from_package(point))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))


def _folder(named: str) -> Path:
    path = Path(named).expanduser()
    if path.is_dir():
        return path
    raise ConfigError(f"LEM_SCORERS is {path}, which is no folder; make it, or unset LEM_SCORERS.")


def _from_table(path: Path) -> Scorer:
    definition = load(path)
    engine = Engine(definition)
    places = Places(engine)
    return Scorer(
        name=definition.name,
        version=definition.version,
        definition=definition.digest,
        summary=definition.summary,
        source=definition.source,
        function=engine.scores,
        hits=places.hits,
        rules=places.rules,
        fired=places.fired,
        fixtures=definition.fixtures,
    )


def _from_module(module: str, label: str) -> Scorer:
    found: tuple[Scorer, ...] = import_module(module).SCORERS
    return next(one for one in found if one.label == label)


def _from_package(point: EntryPoint) -> Scorer:
    try:
        found = point.load()
    except Exception as error:
        said = f"Scorer {point.name} of {point.value} can't be loaded: {error}."
        raise ConfigError(said) from error
    if not isinstance(found, Scorer):
        raise ConfigError(f"{point.value}, for {point.name}, is no agents.scorers.Scorer.")
    return found


def _unknown(label: str, labels: list[str]) -> str:
    name, _, version = label.partition("@")
    if not version:
        return f'Scorer "{label}" has no version; name one of {", ".join(labels)}.'
    versions = ", ".join(each.partition("@")[2] for each in labels if each.startswith(f"{name}@"))
    there_are = f"versions {versions}" if versions else ", ".join(labels)
    return f'No scorer "{name}" version {version}; there are {there_are}. See `lem scorers`.'
