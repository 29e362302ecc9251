"""How a broker is reached: its addresses, TLS and a password, from the settings."""

import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from streams.config import Settings
from streams.errors import ConfigError

if TYPE_CHECKING:
    from faust.types.auth import CredentialsT

_PORT = 9092


def addresses(found: Settings) -> list[tuple[str, int]]:
    """Host and port of each broker that is named, as in `kafka://one:9092,two:9092`.

    Raises:
        ConfigError: One of them can't be understood.
    """
    if "@" in found.broker:
        raise ConfigError(
            "LEM_BROKER holds an @: a name and a password go into LEM_BROKER_USER and"
            f" LEM_BROKER_PASSWORD; write kafka://HOST:{_PORT} there."
        )
    named = found.broker.removeprefix("kafka://").rstrip("/").split(",")
    return [_address(each.strip(), found.broker) for each in named]


def options(found: Settings) -> dict[str, Any]:
    """The arguments of every aiokafka client that say who we are and how to talk.

    Raises:
        ConfigError: A certificate can't be read, or a password is missing.
    """
    context = _context(found) if found.broker_tls else None
    protocol = "SSL" if context else "PLAINTEXT"
    if not found.broker_user:
        return {"security_protocol": protocol, "ssl_context": context}
    if not found.broker_password:
        raise ConfigError(
            f'LEM_BROKER_USER is "{found.broker_user}", but LEM_BROKER_PASSWORD is not set.'
        )
    return {
        "security_protocol": f"SASL_{protocol}",
        "ssl_context": context,
        "sasl_mechanism": found.broker_mechanism,
        "sasl_plain_username": found.broker_user,
        "sasl_plain_password": found.broker_password,
    }


def credentials(found: Settings) -> "CredentialsT | None":
    """The same for a Faust app."""
    from faust import SASLCredentials, SSLCredentials

    known = options(found)
    context = known["ssl_context"]
    if found.broker_user:
        return SASLCredentials(
            username=found.broker_user,
            password=found.broker_password,
            mechanism=found.broker_mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context) if context else None


def _address(named: str, url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{named}")
        if parts.hostname and not parts.path:
            return parts.hostname, _PORT if parts.port is None else parts.port
    except ValueError:  # a port that is no number
        pass
    raise ConfigError(
        f'LEM_BROKER is "{url}", where "{named}" is no host and port; write kafka://HOST:{_PORT},'
        " and further brokers of the cluster behind commas."
    )


def _context(found: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=found.broker_ca or None)
        if found.broker_cert:
            context.load_cert_chain(found.broker_cert, found.broker_key or None)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"A certificate can't be used: {error}. LEM_BROKER_CA is"
            f' "{found.broker_ca}", LEM_BROKER_CERT "{found.broker_cert}", LEM_BROKER_KEY'
            f' "{found.broker_key}"; each is a file in PEM.'
        ) from error
    return context
