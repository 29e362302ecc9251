"""Settings. A flag beats a LEM_* variable, which beats `lem.yaml`, which beats the default."""

import os
import socket
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from streams.errors import ConfigError

_PROJECT = Path(__file__).resolve().parent.parent
_FILE = "lem.yaml"
_PREFIX = "LEM_"

_NAME = r"^[A-Za-z0-9_-]+$"
_WORKER = r"^[A-Za-z0-9._-]*$"
_PREFIXING = r"^([A-Za-z0-9_-][A-Za-z0-9_.-]*\.)?$"
_SECRET = "password"

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
DEFAULT_MODEL = "mlx:mlx-community/gemma-3-1b-it-qat-4bit"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set. Each field is also `LEM_FIELD`, and a line of `lem.yaml`."""

    home: str = ".lem"
    """The folder for the log, the columnar copy, models and datasets."""

    broker: str = ""
    """Where the log is: empty for the embedded one, else `sqlite:///PATH` or `kafka://HOST:9092`."""

    broker_user: str = ""
    """Who this is to the broker; without a name it asks for none."""

    broker_password: str = ""
    """The user's password; better set in the environment than in a file."""

    broker_mechanism: Mechanism = "SCRAM-SHA-256"
    """How the password is proved: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."""

    broker_tls: bool = False
    """Whether the broker is spoken to under TLS."""

    broker_ca: str = ""
    """The file of the authority that signed the broker's certificate; the system's own if none."""

    broker_cert: str = ""
    """The file of our certificate, where the broker asks for one."""

    broker_key: str = ""
    """The file of the certificate's key, where it is not in the same file."""

    topic_prefix: Annotated[
        str, Meta(pattern=r"^([A-Za-z0-9_-][A-Za-z0-9_.-]*\.)?$", max_length=100)
    ] = "lem."
    """Begins the names of topics and groups on a broker, so that projects can share it.

    It ends with a full stop; what has another one behind that belongs to another project.
    """

    replication: Annotated[int, Meta(ge=1)] = 1
    """On how many brokers of a cluster a topic lies when it is made."""

    group: Annotated[str, Meta(pattern=_NAME)] = "lem"
    """The consumer group of the worker; a second group would ask every request again."""

    worker: Annotated[str, Meta(pattern=_WORKER, max_length=100)] = ""
    """Who writes events here, as `m1-gold`; the host's name if empty."""

    partitions: Annotated[int, Meta(ge=1)] = 1
    """Partitions of a topic when it is made, and how many workers can share it."""

    seeds: str = str(_PROJECT / "seeds")
    """The folder of the probe sets."""

    curriculum: str = str(_PROJECT / "seeds" / "curriculum.yaml")
    """The file of the phases."""

    scorers: str = ""
    """A folder of further scorers, a YAML file each; see `lem scorers show lek@2`."""

    reviewer: str = ""
    """Who reviews, as events name it; the name of the login if empty."""

    model: str = DEFAULT_MODEL
    """The model URL that `lem distill` asks where none is named."""

    skip_failing: bool = False
    """Give up requests to a model that can't be opened, as errors, rather than stop."""

    tries: Annotated[int, Meta(ge=1)] = 5
    """How often a silent server is asked before the answer is given up as an error."""

    timeout_s: Annotated[int, Meta(ge=1)] = 600
    """Seconds that a server may take for one answer, each time that it is asked."""

    concurrency: Annotated[int, Meta(ge=1)] = 32
    """The most requests that a server is asked at once; fewer where it can't keep up."""

    cache_mb: Annotated[int, Meta(ge=0)] = 0
    """Megabytes for what an MLX model keeps of prompts and answers under way; 0 is half of what its
    weights leave."""

    prices: str = ""
    """A YAML file of what models cost; `agents/models/prices.py` shows one."""

    budget: Annotated[float, Meta(ge=0)] = 0.0
    """What one run may cost, in the currency of the prices; 0 for no limit."""

    @property
    def home_path(self) -> Path:
        """The home folder, absolute."""
        return Path(self.home).expanduser().absolute()

    @property
    def log_path(self) -> Path:
        """The file of the embedded log, absolute; without `sqlite://` the broker is a path too."""
        if not self.broker:
            return self.home_path / "log.db"
        return Path(self.broker.removeprefix("sqlite://")).expanduser().absolute()


def settings(flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings that hold here and now; flags that are None were not given.

    Raises:
        ConfigError: A value does not fit, or a name is unknown; the message says where it stands.
    """
    found = _checked(_from_file(Path(_FILE)), _FILE)
    found |= _checked(_from_environment(), "the environment", _PREFIX)
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    found |= _checked(given, "the command line")
    return msgspec.convert(found, Settings, strict=False)


def worker_name(worker: str = "") -> str:
    """Who writes events here: program, version and host, or the name that `worker` gives."""
    return f"lem/{version('lem')}@{worker or socket.gethostname()}"


def _from_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    import yaml

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} can't be read as YAML: {error}.") from error
    if found is not None and not isinstance(found, dict):
        raise ConfigError(f"{path} holds no settings; write lines such as `home: .lem`.")
    return {str(name): value for name, value in (found or {}).items()}


def _from_environment() -> dict[str, Any]:
    return {
        name.removeprefix(_PREFIX).lower(): value
        for name, value in os.environ.items()
        if name.startswith(_PREFIX)
    }


def _checked(found: dict[str, Any], place: str, prefix: str = "") -> dict[str, Any]:
    """The values, each tried against its field, so that the error names its place."""
    known = Settings.__struct_fields__
    for name, value in found.items():
        said = f"{prefix}{name.upper() if prefix else name}"
        if name not in known:
            names = ", ".join(f"{prefix}{k.upper() if prefix else k}" for k in known)
            raise ConfigError(f"{said} in {place} is no setting; there are: {names}.")
        try:
            msgspec.convert({name: value}, Settings, strict=False)
        except msgspec.ValidationError as error:
            shown = "" if _SECRET in name else f" is {value!r}"
            one_of = (
                f" There are: {', '.join(get_args(Mechanism))}." if "enum" in str(error) else ""
            )
            raise ConfigError(f"{said} in {place}{shown}: {error}.{one_of}") from error
    return found
