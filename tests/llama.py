"""llama.cpp's server, where this machine has it: a second real one beside mlx_lm's."""

import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.gguf import converted
from tests.models import running

MISSING = (
    "llama.cpp's server is not here; `brew install llama.cpp`, pip install 'llama-cpp-python"
    "[server]', or name its command in LLAMA_SERVER"
)


def command() -> list[str]:
    """How it is run; nothing where it is not here."""
    if named := os.environ.get("LLAMA_SERVER"):
        return shlex.split(named)
    if found := shutil.which("llama-server"):
        return [found]
    if importlib.util.find_spec("llama_cpp"):
        return [sys.executable, "-m", "llama_cpp.server"]
    return []


@contextmanager
def llama_server(folder: Path, log: Path) -> Iterator[str]:
    """Run it on the tiny model of `folder`; yield its URL."""
    model = converted(folder, log.with_suffix(".gguf"))
    with running([*command(), "--model", str(model)], log, health="/v1/models") as url:
        yield url
