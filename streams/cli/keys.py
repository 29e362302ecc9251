"""Single keys from a terminal, and a line where one is asked for."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from select import select
from typing import Any

from streams.errors import ConfigError

END = "\x04"
"""The key of Ctrl+D, and what comes when the terminal is gone."""

_SEQUENCES = {b"[A": "b", b"OA": "b", b"[5~": "b", b"[B": " ", b"OB": " ", b"[6~": " "}
_LOOK_S = 0.5
_WAIT_S = 0.05  # what follows an escape comes with it; an Esc pressed alone is followed by nothing


class Keys:
    """A terminal that gives each key when it is pressed, and does not show it."""

    def __init__(self, terminal: int, before: list[Any]) -> None:
        self._terminal = terminal
        self._before = before

    def next(self) -> str:
        """Wait for a key; arrows and page keys are ` ` and `b`, what is unknown is empty."""
        # A Ctrl+C just before a read without an end is only heeded behind it: hence the look.
        while not select([self._terminal], [], [], _LOOK_S)[0]:
            pass
        pressed = os.read(self._terminal, 1)
        if pressed != b"\x1b":
            return pressed.decode("latin-1") or END
        return _SEQUENCES.get(self._following(), "")

    def forget(self) -> None:
        """Drop what was pressed so far: it was meant for what was shown before."""
        import termios

        termios.tcflush(self._terminal, termios.TCIFLUSH)

    def line(self, asked: str, given: str = "") -> str:
        """A line as typed, `given` to begin with; Ctrl+C and Ctrl+D leave that as it was."""
        import readline
        import termios
        import tty

        termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)
        readline.set_startup_hook(lambda: readline.insert_text(given))
        try:
            return input(asked).strip()
        except (EOFError, KeyboardInterrupt):
            return given
        finally:
            readline.set_startup_hook()
            tty.setcbreak(self._terminal, termios.TCSADRAIN)

    def _following(self) -> bytes:
        ready, _, _ = select([self._terminal], [], [], _WAIT_S)
        return os.read(self._terminal, 16) if ready else b""


@contextmanager
def keys() -> Iterator[Keys]:
    """The terminal's keys; it is as before afterwards.

    Raises:
        ConfigError: There is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(
            "There is no terminal here to read keys from. `lem review --export FILE.csv` and"
            " `--import FILE.csv` go by file, `lem review ID --accept` says one verdict."
        )
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield Keys(terminal, before)
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
