"""Opens the log that the settings name: its URL says whether that is a file or a broker."""

import re

import msgspec

from streams.config import Settings
from streams.errors import ConfigError, LogError
from streams.log.door import Store
from streams.log.store import EmbeddedStore
from streams.topics import TOPICS, Topic

LOGS = "a file, sqlite:///PATH, or kafka://HOST:9092/PREFIX"
"""How a log is named, for help and errors."""

_HOST = re.compile(r"[\w.-]+:\d+(,[\w.:-]+)*")  # the scheme was forgotten


def connected(found: Settings, *, must_exist: bool = False) -> Store:
    """A connection to the log; to be closed.

    Raises:
        ConfigError: There is no log at such a URL.
        LogError: It can't be opened, or there is none yet and `must_exist`; the message says how
            to begin one.
    """
    scheme, has_scheme, _ = found.broker.partition("://")
    if scheme == "kafka" and has_scheme:
        return _broker(found, must_exist=must_exist)
    if (has_scheme and scheme != "sqlite") or _HOST.fullmatch(found.broker):
        _, _, host = found.broker.rpartition("://")[2].rpartition("@")  # without a password
        raise ConfigError(
            f"LEM_BROKER names no log; one is at sqlite:///PATH, or at kafka://{host}."
            " A name and a password go into LEM_BROKER_USER and LEM_BROKER_PASSWORD."
            " Unset it to use the embedded log in LEM_HOME."
        )
    if must_exist and not found.log_path.exists():
        raise LogError(
            f"There is no log at {found.log_path} yet. Begin one with `lem seed`,"
            " or set LEM_HOME to the folder that holds it."
        )
    return EmbeddedStore(found.log_path)


def at(place: str, found: Settings) -> Settings:
    """The settings for the log at a place.

    Raises:
        ConfigError: There can be no log at such a place.
    """
    scheme, has_scheme, rest = place.partition("://")
    if not place or (has_scheme and scheme not in ("kafka", "sqlite")):
        raise ConfigError(f'"{place}" is no place of a log; name {LOGS}.')
    hosts, _, prefix = rest.partition("/")
    if scheme != "kafka" or not has_scheme:
        return _file(place, found)
    named = {"broker": f"kafka://{hosts}", "topic_prefix": prefix or found.topic_prefix}
    try:
        return msgspec.convert(msgspec.structs.asdict(found) | named, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f'"{prefix}" can\'t begin the names of topics: letters, digits, "-" and "_", and a full'
            " stop at the end, as in kafka://HOST:9092/lem."
        ) from error


def _file(place: str, found: Settings) -> Settings:
    named = msgspec.structs.replace(found, broker=place)
    if (path := named.log_path).is_dir():
        raise ConfigError(f"{place} is a folder; name the log in it, as {path / 'log.db'}.")
    return named


def declare(store: Store, found: Settings) -> None:
    """Make the topics that are missing, and check those that are there.

    Raises:
        ConfigError: A topic has too few partitions, or too many.
        LogError: A topic is set so that records could be lost.
    """
    there = store.topics()
    # Those that are there first: where one is refused, none is made.
    for topic in sorted(TOPICS.values(), key=lambda each: each.name not in there):
        wanted = 1 if topic.is_whole else found.partitions
        _check_partitions(store, topic, wanted, store.declare(topic.name, wanted))


def _check_partitions(store: Store, topic: Topic, wanted: int, there: int) -> None:
    if there < wanted:
        raise ConfigError(
            f"Topic {store.prefix}{topic.name} at {store.place} has too few partitions: {there},"
            f" where LEM_PARTITIONS asks for {wanted}. They can't be added to a log: its records"
            f" would change places. Set LEM_PARTITIONS={there}."
        )
    # Where there is but one worker, it sees every partition.
    if topic.is_whole and there > 1 and store.is_shared:
        raise ConfigError(
            f"Topic {store.prefix}{topic.name} at {store.place} has {there} partitions; dedup needs"
            " it whole. Name another LEM_TOPIC_PREFIX, where lem makes it."
        )


def _broker(found: Settings, *, must_exist: bool) -> Store:
    from streams.kafka.broker import Broker  # aiokafka is loaded where a broker is used

    log = Broker(found)
    if must_exist and not log.topics():
        log.close()
        raise LogError(
            f'There is no log at {log.place} yet: no topic there begins with "{log.prefix}".'
            " Begin one with `lem seed`, or mend LEM_TOPIC_PREFIX."
        )
    return log
