"""Publish: a dataset's folder goes to a dataset repository on a hub, as one commit.

Only what the manifest names goes there, and only when its bytes are those that the manifest tells
of. What the repository has already is not sent again: broken off, it is simply begun once more.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, NamedTuple

from agents.dataset.folder import MANIFEST, read
from schemas import File, Materialized
from streams import ids
from streams.errors import ConfigError, PublishError

if TYPE_CHECKING:
    from huggingface_hub import HfApi, RepoFile

State = Literal["new", "changed", "same"]


class Change(NamedTuple):
    """One file, and how it stands to the repository."""

    name: str
    state: State
    size: int
    """Bytes."""


class Plan(NamedTuple):
    """What publishing would do."""

    repo: str
    dataset: str
    """Its id."""
    phase: str
    folder: Path
    is_new: bool
    """Whether the repository has to be made."""
    changes: list[Change]

    @property
    def sent(self) -> list[Change]:
        """What has to be sent."""
        return [each for each in self.changes if each.state != "same"]


def plan(api: "HfApi", repo: str, folder: Path, *, is_public: bool) -> Plan:
    """Compare a dataset with the repository; nothing is written.

    Args:
        api: The hub.
        repo: As `name/dataset`.
        folder: The dataset's.
        is_public: Whether everybody may read it.

    Raises:
        ConfigError: The folder is no dataset, or its files are not those of the manifest.
        PublishError: The hub can't be asked, or everybody could read what is meant to be private.
    """
    manifest, digests = _checked(folder)
    with _told(repo):
        there = _there(api, repo, is_public=is_public)
    changes = [_change(folder / name, name, digest, there) for name, digest in digests.items()]
    return Plan(repo, manifest.id, manifest.phase, folder, there is None, changes)


def publish(api: "HfApi", planned: Plan, *, is_public: bool) -> str:
    """Send what has changed, as one commit: who reads there never sees half of it.

    Returns:
        The address of the commit; of the repository where nothing had to be sent.

    Raises:
        PublishError: The hub refuses, or can't be reached.
    """
    from huggingface_hub import CommitOperationAdd

    with _told(planned.repo):
        made = api.create_repo(
            planned.repo, repo_type="dataset", private=not is_public, exist_ok=True
        )
        if not planned.sent:
            return str(made)
        commit = api.create_commit(
            planned.repo,
            [CommitOperationAdd(each.name, planned.folder / each.name) for each in planned.sent],
            commit_message=f"Dataset {planned.dataset[:8]}, phase {planned.phase}",
            repo_type="dataset",
        )
    return str(commit.commit_url)


def _checked(folder: Path) -> tuple[Materialized, dict[str, str]]:
    """The manifest, and the SHA-256 of each file that goes to the hub."""
    manifest = read(folder)
    files = (*manifest.files, *manifest.copies)
    if outside := [each.name for each in files if not _is_inside(each)]:
        raise ConfigError(f"{folder / MANIFEST} names {outside[0]}, which is not in its folder.")
    try:
        digests = {each.name: ids.of_file(folder / each.name) for each in files}
    except OSError as error:
        raise ConfigError(
            f"{folder} is no whole dataset: {error}; make it again with `lem materialize`."
        ) from error
    if wrong := [each.name for each in files if digests[each.name] != each.sha256]:
        raise ConfigError(
            f"{folder}: {', '.join(wrong)} changed since {MANIFEST} was written; make the dataset"
            " again with `lem materialize`."
        )
    return manifest, {**digests, MANIFEST: ids.of_file(folder / MANIFEST)}


def _is_inside(file: File) -> bool:
    path = PurePosixPath(file.name)
    return not path.is_absolute() and ".." not in path.parts


def _there(api: "HfApi", repo: str, *, is_public: bool) -> "dict[str, RepoFile] | None":
    """The repository's files by name; none where there is no such repository yet."""
    from huggingface_hub import RepoFile
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        known = api.repo_info(repo, repo_type="dataset")
        if not (is_public or known.private):
            raise PublishError(
                f"{repo} is public: everybody would read this dataset. Say --public if that is"
                " meant, or name another repository."
            )
        tree = api.list_repo_tree(repo, repo_type="dataset", recursive=True)
        return {each.path: each for each in tree if isinstance(each, RepoFile)}
    except RepositoryNotFoundError:
        return None


def _change(path: Path, name: str, sha256: str, there: "dict[str, RepoFile] | None") -> Change:
    size, known = path.stat().st_size, (there or {}).get(name)
    if known is None:
        return Change(name, "new", size)
    digest = known.lfs.sha256 if known.lfs else known.blob_id
    ours = sha256 if known.lfs else _git_sha1(path)
    return Change(name, "same" if digest == ours else "changed", size)


def _git_sha1(path: Path) -> str:
    """The name that Git gives to a file's content."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


_HINTS: dict[int, str] = {
    401: "the token is not valid; make one that may write, and put it into HF_TOKEN",
    403: "the token may not write there; make one that may, or name a repository of your own",
    429: "too much was asked of the hub; go on in some minutes",
}


@contextmanager
def _told(repo: str) -> Iterator[None]:
    """Turn what a hub or the network says into one sentence.

    Raises:
        PublishError: With what to do about it.
    """
    import httpx
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    def refused(said: object, hint: str) -> PublishError:
        return PublishError(f"{repo} was not published: {said}; {hint}.")

    try:
        yield
    except HFValidationError as error:
        raise refused(error, "name it as OWNER/NAME") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        said = error.server_message or str(error).splitlines()[0]
        again = "what was sent is kept; publish again"
        raise refused(f'the hub answered {status} "{said}"', _HINTS.get(status, again)) from error
    except (httpx.HTTPError, OSError, RuntimeError) as error:
        cause = error.__cause__ or error
        hint = "see that the hub can be reached, then publish again: what was sent is kept"
        raise refused(f"{error} ({type(cause).__name__})", hint) from error
