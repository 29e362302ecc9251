"""Seed files, lists of probes in YAML or JSON: reads the good seeds, says what the bad ones lack.

A bad seed never costs a good one; only a file that can't be parsed is lost as a whole.
"""

import json
import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML has it
SUFFIXES = (".yaml", ".yml", ".json")
CURRICULUM = "curriculum.yaml"
NEEDED = ("id", "domain", "prompt")
_MORE = ("language", "voice", "region")
_UNVOICED = "original"


class Seed(msgspec.Struct, frozen=True, kw_only=True):
    """A probe as its author wrote it, before it stands on a log."""

    id: str
    """The probe id, unique among the seeds that are read together."""

    domain: str
    """The field it belongs to."""

    prompt: str
    """What a model is asked, without blanks at its ends."""

    set: str
    """The probe set: the file's stem."""

    language: str = "en"
    """BCP 47 tag."""

    voice: str | None = None
    """Who speaks in it, where one scenario was written in several voices."""

    voice_of: str | None = None
    """The probe id of that scenario; none for what is written in no voice, or the `original`."""

    region: str | None = None
    """The part of the world that it is set in."""

    is_tagged: bool = False
    """Whether its author said the language."""

    stakeholders: tuple[str, ...] = ()
    """The people in it whose claims weigh, as its author lists them; empty without such a list."""

    place: str
    """Where it stands, as `seeds/core.yaml:41` or `seeds/core.json[20]`."""


def read(path: Path) -> tuple[list[Seed], list[str]]:
    """Read a seed file, or every seed file of a folder.

    Seeds come in the order of the file names and of their place in a file. One that repeats an
    id with the same prompt is the same seed and counts once.

    Args:
        path: A YAML or JSON file, or a folder; its subfolders and its curriculum are left out.

    Returns:
        The good seeds, and one sentence for each bad one.
    """
    seeds: dict[str, Seed] = {}
    errors: list[str] = []
    for found in each(path):
        if isinstance(found, str):
            errors.append(found)
        elif (first := seeds.setdefault(found.id, found)).prompt != found.prompt:
            errors.append(
                f'{found.place} has the id "{found.id}" of another prompt at {first.place}; '
                "give it an id of its own."
            )
    return list(seeds.values()), errors


def reason(path: Path, error: Exception) -> str:
    """Say in one sentence why a YAML or JSON file can't be used, with the line where known."""
    if isinstance(error, OSError):
        return f"{path} can't be read: {error.strerror}."
    if isinstance(error, UnicodeDecodeError):
        return f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8."
    if isinstance(error, json.JSONDecodeError):
        return f"{path}:{error.lineno} is not JSON: {error.msg}."
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    kind = "JSON" if path.suffix == ".json" else "YAML"
    return f"{path}{f':{mark.line + 1}' if mark else ''} is not {kind}: {what}."


def voiced(own: str, voice: str | None) -> tuple[str, str | None]:
    """The probe id of a prompt in a voice, and the scenario's, with which it shares a split.

    Each voice gets an id of its own, since files write the scenario's beside all of them.
    """
    return (own, None) if voice in (None, _UNVOICED) else (f"{own}_{voice}", own)


def refuse_repeats(root: yaml.Node | None) -> None:
    """Raise where a mapping has a key twice; YAML would quietly keep the later one.

    Raises:
        yaml.constructor.ConstructorError: With the place of the second key.
    """
    seen: set[int] = set()  # aliases may form a ring
    todo = [root]
    while todo:
        node = todo.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            _refuse_repeats_in(node)
            todo += [value for _, value in node.value]
        else:
            todo += node.value


def _refuse_repeats_in(node: yaml.MappingNode) -> None:
    keys: set[Any] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in keys:
            problem = f'the key "{key.value}" stands twice in one mapping'
            raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        keys.add(str(key.value))


def each(path: Path) -> Iterator[Seed | str]:
    """Each seed of a file or folder as it stands there, also a repeated one; or what it lacks."""
    files = files_of(path)
    if not files:
        yield f"{path} holds no seed file; their names end in {', '.join(SUFFIXES)}."
    for file in files:
        if file.suffix not in SUFFIXES:
            yield f"{file} is no seed file; their names end in {', '.join(SUFFIXES)}."
            continue
        try:
            yield from _from_json(file) if file.suffix == ".json" else _from_yaml(file)
        except (OSError, ValueError, yaml.YAMLError) as error:
            yield reason(file, error)


def files_of(folder: Path) -> list[Path]:
    """The seed files of a folder, in the order in which they are read; a file is its own."""
    if not folder.is_dir():
        return [folder]
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix in SUFFIXES and file.name != CURRICULUM and not file.name.startswith(".")
    )


def _from_json(file: Path) -> Iterator[Seed | str]:
    entries = json.loads(file.read_text(encoding="utf-8-sig"))
    if not isinstance(entries, list):
        yield _not_a_list(file)
        return
    for index, entry in enumerate(entries):
        yield _seed(entry, f"{file}[{index}]", file.stem)


def _from_yaml(file: Path) -> Iterator[Seed | str]:
    loader = LOADER(file.read_text(encoding="utf-8-sig"))
    root = loader.get_single_node()
    if not isinstance(root, yaml.SequenceNode):
        yield _not_a_list(file)
        return
    for node in root.value:
        place = f"{file}:{node.start_mark.line + 1}"
        try:
            refuse_repeats(node)
            yield _seed(loader.construct_object(node, deep=True), place, file.stem)
        except yaml.YAMLError as error:
            yield reason(file, error)
        except ValueError as error:  # a plain 2024-02-31 is taken for a date
            yield f"{place} has a value that YAML can't read: {error}; put it in quotes."


def _not_a_list(file: Path) -> str:
    return f"{file} is not a list; a seed file is a list of seeds with id, domain and prompt."


def _seed(entry: Any, place: str, stem: str) -> Seed | str:
    if not isinstance(entry, dict):
        return f"{place} is not a mapping; a seed needs id, domain and prompt."
    fields = {key: _plain(key, entry.get(key)) for key in (*NEEDED, *_MORE)}
    if missing := [f'no "{key}"' for key in NEEDED if fields[key] is None]:
        return f"{place} has {' and '.join(missing)}; a seed needs id, domain and prompt."
    for key, value in fields.items():
        if value is not None and not _is_text(value):
            got = reprlib.repr(value)
            return f'{place} has a "{key}" that is not text: {got}; write it as a quoted string.'
    own, of = voiced(fields["id"], fields["voice"])
    found = fields | {"id": own, "voice_of": of, "language": fields["language"] or "en"}
    people = _names(entry.get("stakeholders"))
    tagged = fields["language"] is not None
    return Seed(**found, set=stem, place=place, is_tagged=tagged, stakeholders=people)


def _names(value: Any) -> tuple[str, ...]:
    """A list of names; nothing where files of others mean something else by that word."""
    listed = isinstance(value, list) and all(map(_is_text, value))
    return tuple(name.strip() for name in value) if listed else ()


def _plain(key: str, value: Any) -> Any:
    if key == "id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else value


def _is_text(value: Any) -> bool:
    # JSON can spell half of a surrogate pair, which no log could store as UTF-8.
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)
