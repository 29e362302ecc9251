"""A real `lem` on a real terminal, typed at and looked at, for tests."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.lem import command, environment

_STYLE = re.compile(r"\x1b\[[\d;?]*[A-Za-z]|\x1b[=>]")


class Terminal:
    """One end of a terminal; a program is at the other."""

    def __init__(self, ours: int, running: "subprocess.Popen[bytes]") -> None:
        self._ours, self.running = ours, running
        self.raw = ""
        self._seen = 0

    @property
    def text(self) -> str:
        """All that was shown so far, without colours."""
        return _STYLE.sub("", self.raw)

    def sees(self, awaited: str) -> str:
        """Wait until this is shown, behind what was waited for before; what came with it."""
        while (at := self.text.find(awaited, self._seen)) < 0:
            assert self._more(), f"ended without {awaited!r} after {self.text[self._seen :]!r}"
        shown = self.text[self._seen : at + len(awaited)]
        self._seen = at + len(awaited)
        return shown

    def types(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def ends(self, status: int = 0) -> str:
        """Wait for the program's end; what it showed last."""
        while self._more():
            pass
        assert self.running.wait(timeout=60) == status, self.raw
        return self.text[self._seen :]

    def interrupt(self) -> None:
        """Ctrl+C."""
        self.running.send_signal(signal.SIGINT)

    def is_plain(self) -> bool:
        """Whether the terminal shows what is typed, and hands it on by the line."""
        local = termios.tcgetattr(self._ours)[3]
        return bool(local & termios.ICANON and local & termios.ECHO)

    def _more(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], 60)
        assert ready, f"nothing more after {self.text[self._seen :]!r}"
        try:
            block = os.read(self._ours, 65536)
        except OSError:  # how Linux tells that the other end is closed
            block = b""
        self.raw += block.decode(errors="replace")
        return bool(block)


@contextmanager
def terminal(
    home: Path, *arguments: str, env: Mapping[str, str] | None = None, rows: int = 24
) -> Iterator[Terminal]:
    """Run `lem` on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 80, 0, 0))
    running = subprocess.Popen(
        command(*arguments),
        env=environment(home, {"TERM": "xterm", **(env or {})}),
        cwd=home.parent,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(ours, running)
    finally:
        running.kill()
        running.wait()
        os.close(ours)
