"""Good seeds are read whatever stands beside them; a bad one is told by its place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.seeds import Seed, read

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT.parent / "shared" / "data" / "lem" / "seeds"
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of the given name and text into an empty folder."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_a_yaml_seed_knows_its_line(write: Write) -> None:
    path = write(
        "few.yaml",
        "# why\n- id: A\n  domain: health\n  prompt: >-\n    One\n    two.\n\n"
        "- {id: B, domain: law, prompt: Trois, language: fr}\n",
    )

    seeds, errors = read(path)

    assert errors == []
    assert seeds == [
        Seed(id="A", domain="health", prompt="One two.", set="few", place=f"{path}:2"),
        Seed(
            id="B",
            domain="law",
            prompt="Trois",
            set="few",
            language="fr",
            is_tagged=True,
            place=f"{path}:8",
        ),
    ]


def test_a_json_seed_knows_its_index_and_keeps_no_unknown_key(write: Write) -> None:
    rows = [{"id": 7, "domain": "d", "prompt": " p\n", "tension": [1]}]

    seeds, errors = read(path := write("few.json", json.dumps(rows)))

    assert errors == []
    assert seeds == [Seed(id="7", domain="d", prompt="p", set="few", place=f"{path}[0]")]


GOOD = {"id": "G", "domain": "d", "prompt": "p"}


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"id": "X", "domain": "d"}, ' has no "prompt"; a seed needs id, domain and prompt.'),
        ({**GOOD, "prompt": "  "}, ' has no "prompt"; a seed needs id, domain and prompt.'),
        ({**GOOD, "id": None}, ' has no "id"; a seed needs id, domain and prompt.'),
        ({"id": "X"}, ' has no "domain" and no "prompt"; a seed needs id, domain and prompt.'),
        ({**GOOD, "prompt": ["p"]}, " has a \"prompt\" that is not text: ['p']; write it"),
        ({**GOOD, "prompt": 12}, ' has a "prompt" that is not text: 12; write it'),
        ({**GOOD, "id": True}, ' has a "id" that is not text: True; write it'),
        ({**GOOD, "language": False}, ' has a "language" that is not text: False; write it'),
        ({**GOOD, "prompt": "a\ud800"}, ' has a "prompt" that is not text: '),
        ("only text", " is not a mapping; a seed needs id, domain and prompt."),
        ({**GOOD, "prompt": "another"}, ' has the id "G" of another prompt at '),
    ],
)
def test_a_bad_seed_is_told_and_costs_no_good_one(write: Write, bad: object, told: str) -> None:
    last = {**GOOD, "id": "H"}

    seeds, errors = read(path := write("some.json", json.dumps([GOOD, bad, last])))

    assert [seed.id for seed in seeds] == ["G", "H"]
    assert len(errors) == 1
    assert errors[0].startswith(f"{path}[1]{told}")


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("{id: X, domain: d}", ':2 has no "prompt"'),
        ("{id: X, domain: d, prompt: !odd p}", ":2 is not YAML: could not determine a constructor"),
        ("{id: X, domain: 2024-02-31, prompt: p}", ":2 has a value that YAML can't read: "),
        ("{id: X, domain: d, prompt: p, id: Y}", ':2 is not YAML: the key "id" stands twice'),
        ("{id: X, domain: d, prompt: p, language: no}", ':2 has a "language" that is not text'),
    ],
)
def test_what_only_yaml_can_get_wrong_costs_no_good_seed(write: Write, bad: str, told: str) -> None:
    good = "- {id: %s, domain: d, prompt: p}\n"

    seeds, errors = read(path := write("some.yml", f"{good % 'G'}- {bad}\n{good % 'H'}"))

    assert [seed.id for seed in seeds] == ["G", "H"]
    assert len(errors) == 1
    assert errors[0].startswith(f"{path}{told}")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.yaml", "- id: A\n  prompt: So: what?\n", ":2 is not YAML: mapping values are not"),
        ("a.yaml", "id: A\n", " is not a list; a seed file is a list of seeds"),
        ("a.yaml", "", " is not a list; "),
        ("a.yaml", "- a: \x07\n", " is not YAML: "),
        ("a.json", '[\n{"id": "A",}\n]', ":2 is not JSON: "),
        ("a.json", '{"seeds": []}', " is not a list; "),
        ("a.jsonl", "{}", " is no seed file; their names end in .yaml, .yml, .json."),
    ],
)
def test_a_file_that_is_no_list_of_seeds_is_one_error(
    write: Write, name: str, text: str, told: str
) -> None:
    seeds, errors = read(path := write(name, text))

    assert seeds == []
    assert len(errors) == 1
    assert errors[0].startswith(f"{path}{told}")


def test_a_file_in_another_encoding_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes("- id: Zoë".encode("latin-1"))

    assert read(tmp_path) == (
        [],
        [f"{tmp_path / 'a.yaml'} is not UTF-8 text (byte 8); save it as UTF-8."],
    )


def test_a_missing_file_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"

    assert read(missing) == ([], [f"{missing} can't be read: No such file or directory."])
    assert read(tmp_path)[1][0].startswith(f"{tmp_path} holds no seed file;")


def test_a_folder_is_read_by_name_without_its_curriculum(write: Write, tmp_path: Path) -> None:
    write("b.json", json.dumps([{**GOOD, "id": "B"}]))
    write("a.yml", "- {id: A, domain: d, prompt: p}")
    write("broken.yaml", "- [")
    write("curriculum.yaml", "phases: {}")
    write("notes.txt", "- {id: N, domain: d, prompt: p}")

    seeds, errors = read(tmp_path)

    assert [(seed.id, seed.set) for seed in seeds] == [("A", "a"), ("B", "b")]
    assert len(errors) == 1


def test_an_id_repeated_with_the_same_prompt_is_one_seed(write: Write, tmp_path: Path) -> None:
    first = write("a.json", json.dumps([GOOD]))
    write("b.json", json.dumps([GOOD, GOOD]))

    seeds, errors = read(tmp_path)

    assert errors == []
    assert [seed.place for seed in seeds] == [f"{first}[0]"]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)
ROWS = st.lists(
    ANY_JSON | st.dictionaries(st.sampled_from(["id", "domain", "prompt", "language"]), ANY_JSON),
    max_size=8,
)


def unaccounted(rows: list[Any], path: Path) -> list[Any]:
    """Rows that `read` neither returned nor named in an error."""
    seeds, errors = read(path)
    prompts = {seed.id: seed.prompt for seed in seeds}
    named = {error.split("]", 1)[0].removeprefix(f"{path}[") for error in errors}

    def is_there(index: int, row: Any) -> bool:
        if str(index) in named:
            return True
        return bool(prompts[str(row["id"]).strip()] == row["prompt"].strip())

    return [row for index, row in enumerate(rows) if not is_there(index, row)]


@settings(deadline=None)  # slow disks are no failure
@given(rows=ROWS)
def test_no_row_is_lost_without_a_word(
    rows: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("rows") / "any.json"
    path.write_text(json.dumps(rows), encoding="utf-8")

    assert unaccounted(rows, path) == []


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the published seeds are not at {REAL}")
@pytest.mark.parametrize("path", sorted(REAL.rglob("*.json")), ids=lambda path: path.stem)
def test_no_published_seed_is_lost_without_a_word(path: Path) -> None:
    rows = json.loads(path.read_text(encoding="utf-8"))

    assert unaccounted(rows, path) == []


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the published seeds are not at {REAL}")
def test_the_published_seeds_are_as_many_as_they_were() -> None:
    seeds, errors = read(REAL)
    regional, odd = read(REAL / "regional")

    # One big file repeats 3,547 ids, 30 of them with the same prompt.
    assert (len(seeds), len(errors)) == (720, 3517)
    # 486 rows have no domain, and 20 hold their seeds one level deeper.
    assert (len(regional), len(odd)) == (484, 506)


def test_our_own_seeds_have_no_errors() -> None:
    seeds, errors = read(ROOT / "seeds")

    assert errors == []
    assert len(seeds) == len({seed.prompt for seed in seeds}) >= 250


@pytest.mark.parametrize(
    ("name", "prefix", "least"),
    [
        ("first", "F", 28),
        ("core", "P", 101),
        ("creative", "C", 50),
        ("perspectives", "M", 120),
        ("adversarial", "A", 90),
        ("tensions", "T", 24),
        ("geopolitical", "G", 20),
        ("synthesis", "S", 40),
        ("censorship", "C", 6),
    ],
)
def test_a_set_of_ours_is_large_enough_and_well_named(name: str, prefix: str, least: int) -> None:
    seeds, _ = read(ROOT / "seeds" / f"{name}.yaml")

    assert len(seeds) >= least
    assert all(seed.id.startswith(prefix) and seed.id.isupper() for seed in seeds)
    assert all(len(seed.prompt.split()) <= 100 for seed in seeds)


def test_the_perspectives_cover_twelve_domains_and_the_pressure_nine() -> None:
    seeds, _ = read(ROOT / "seeds")
    domains = {name: {s.domain for s in seeds if s.set == name} for name in {s.set for s in seeds}}

    assert len(domains["perspectives"]) == 12
    assert len(domains["adversarial"]) == 9


def test_a_voice_is_a_probe_of_its_own_beside_its_scenario(write: Write) -> None:
    rows = [
        {**GOOD, "voice": "original", "region": "Sahel"},
        {**GOOD, "voice": "elder", "prompt": "elder"},
    ]

    seeds, errors = read(write("few.json", json.dumps(rows)))

    assert errors == []
    assert [(s.id, s.voice, s.voice_of, s.region) for s in seeds] == [
        ("G", "original", None, "Sahel"),
        ("G_elder", "elder", "G", None),
    ]
