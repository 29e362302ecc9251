"""Speed, as ratios against a named rival or a limit, measured in one run: `make bench`."""

from pathlib import Path


def disk() -> Path:
    """A folder on the disk that the project is on: /tmp may be memory, where no write waits."""
    folder = Path(__file__).resolve().parent.parent.parent / ".lem"
    folder.mkdir(exist_ok=True)
    return folder
