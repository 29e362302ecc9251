"""The Faust transport over the embedded log; Faust finds it by `sqlite://` in the broker's URL."""

from importlib.metadata import version
from pathlib import Path

from faust.transport import base
from yarl import URL

from streams.log.consumer import Consumer
from streams.log.producer import Producer


class Transport(base.Transport):
    """Makes the consumer and the producer of one app."""

    Consumer = Consumer
    Producer = Producer
    default_port = 0
    driver_version = f"sqlite/{version('lem')}"

    @property
    def path(self) -> Path:
        """The log's file."""
        return Path(URL(str(self.url[0])).path)
