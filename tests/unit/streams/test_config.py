"""Settings: the last of defaults, lem.yaml, environment and flags counts; a mistake has a place."""

from importlib.metadata import version
from pathlib import Path

import pytest

from streams.app import App
from streams.config import DEFAULT_MODEL, Settings, settings, worker_name
from streams.connect import connected
from streams.errors import ConfigError
from streams.log.transport import Transport

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEM_HOME")


def lem_yaml(text: str) -> None:
    Path("lem.yaml").write_text(text, encoding="utf-8")


def test_without_any_setting_the_defaults_hold() -> None:
    found = settings()

    assert found == Settings()
    assert (found.home, found.broker, found.group) == (".lem", "", "lem")
    assert (found.partitions, found.model, found.tries) == (1, DEFAULT_MODEL, 5)


def test_the_seeds_and_the_curriculum_of_the_checkout_are_the_default() -> None:
    assert Path(settings().seeds) == ROOT / "seeds"
    assert Path(settings().curriculum).is_file()


def test_each_source_counts_more_than_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    lem_yaml("home: file\ngroup: file\nmodel: file\n")
    monkeypatch.setenv("LEM_GROUP", "environment")
    monkeypatch.setenv("LEM_MODEL", "environment")

    found = settings({"model": "flag"})

    assert (found.home, found.group, found.model) == ("file", "environment", "flag")
    assert found.tries == Settings().tries


def test_a_flag_that_was_not_given_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEM_GROUP", "environment")

    assert settings({"group": None}).group == "environment"


@pytest.mark.parametrize("name", [n for n in Settings.__struct_fields__ if n != "broker"])
def test_every_setting_is_a_variable_and_a_line_of_the_file(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = getattr(Settings(), name)
    plain = {bool: ("True", "False"), int: ("7", "8")}.get(type(default), ("'7'", "8"))
    named = {
        "broker_mechanism": ("PLAIN", "SCRAM-SHA-512"),
        "topic_prefix": ("one.", "other."),
        "budget": ("7.0", "8.0"),
    }
    one, other = named.get(name, plain)
    lem_yaml(f"{name}: {one}")
    from_file = getattr(settings(), name)
    monkeypatch.setenv(f"LEM_{name.upper()}", other)

    assert str(from_file) == one.strip("'")
    assert str(getattr(settings(), name)) == other
    assert type(from_file) is type(default)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_a_file_may_be_empty(text: str) -> None:
    lem_yaml(text)

    assert settings() == Settings()


def test_an_unknown_variable_is_told_with_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEM_HOEM", "x")

    with pytest.raises(
        ConfigError, match=r"^LEM_HOEM in the environment is no setting; there are: LEM_HOME, "
    ):
        settings()


def test_an_unknown_line_of_the_file_is_told_with_those_there_are() -> None:
    lem_yaml("hoem: x\n")

    with pytest.raises(ConfigError, match=r"^hoem in lem\.yaml is no setting; there are: home, "):
        settings()


def test_a_wrong_variable_is_told_with_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEM_PARTITIONS", "many")

    with pytest.raises(ConfigError, match=r"^LEM_PARTITIONS in the environment is 'many': .*int"):
        settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("partitions: many", "^partitions in lem.yaml is 'many': Expected `int`"),
        ("home:", "^home in lem.yaml is None: Expected `str`"),
        ("model: [a, b]", r"^model in lem.yaml is \['a', 'b'\]: Expected `str`"),
        ("1: x", "^1 in lem.yaml is no setting"),
        ("- home", "^lem.yaml holds no settings; write lines such as `home: .lem`"),
        ("home", "^lem.yaml holds no settings"),
        ("home: [", r"(?s)^lem.yaml can't be read as YAML: .*line 1"),
        ("home: a\n  group: b\n", r"(?s)^lem.yaml can't be read as YAML: .*line 2, column 8"),
        ("home: 2026-13-01", "^lem.yaml can't be read as YAML"),
        (
            "home: !!python/name:os.system",
            r"(?s)^lem.yaml can't be read .*could not determine",
        ),
    ],
)
def test_a_wrong_file_is_told_with_the_place(text: str, said: str) -> None:
    lem_yaml(text)

    with pytest.raises(ConfigError, match=said):
        settings()


def test_a_file_in_another_encoding_is_told() -> None:
    Path("lem.yaml").write_bytes(b"home: caf\xe9\n")

    with pytest.raises(ConfigError, match=r"^lem\.yaml can't be read"):
        settings()


def test_a_wrong_flag_is_told() -> None:
    with pytest.raises(ConfigError, match="partitions"):
        settings({"partitions": "many"})


@pytest.mark.parametrize(
    ("name", "value"), [("PARTITIONS", "0"), ("TRIES", "0"), ("GROUP", "a/b"), ("GROUP", "")]
)
def test_a_value_that_cannot_work_is_told(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"LEM_{name}", value)

    with pytest.raises(ConfigError, match=f"^LEM_{name} in the environment is '{value}': "):
        settings()


@pytest.mark.parametrize(
    ("broker", "path"),
    [
        ("", "home/log.db"),
        ("sqlite:///logs/one.db", "/logs/one.db"),
        ("sqlite://logs/one.db", "logs/one.db"),
        ("sqlite://../one.db", "../one.db"),
        ("sqlite://~/one.db", str(Path.home() / "one.db")),
    ],
)
def test_a_path_in_the_broker_url_becomes_absolute(broker: str, path: str, tmp_path: Path) -> None:
    found = Settings(home="home", broker=broker)

    assert found.log_path == tmp_path / path


def test_a_home_may_begin_at_the_users(tmp_path: Path) -> None:
    assert Settings(home="~/lem").log_path == Path.home() / "lem" / "log.db"


@pytest.mark.parametrize(
    "home",
    [
        "a b",
        "ä",
        "a#b",
        "a?b",
        "a%41b",
    ],
)
def test_the_worker_finds_the_log_where_the_readers_do(home: str, tmp_path: Path) -> None:
    found = Settings(home=str(tmp_path / home))

    app = App(found)
    app.close()

    assert isinstance(app.transport, Transport)
    assert app.transport.path == found.log_path == tmp_path / home / "log.db"


@pytest.mark.parametrize("broker", ["amqp://localhost:9092", "redpanda://one", "http://x"])
def test_a_log_of_another_kind_is_refused(broker: str) -> None:
    with pytest.raises(ConfigError, match=r"^LEM_BROKER names no log.* Unset it"):
        connected(Settings(broker=broker))


def test_settings_never_change() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        settings().home = "other"  # type: ignore[misc]  # what is tested


def test_a_worker_is_known_by_program_version_and_host() -> None:
    program, host = worker_name().split("@", 1)

    assert program == f"lem/{version('lem')}"
    assert host
