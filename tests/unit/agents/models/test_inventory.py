"""What this machine has room for, and what of a model lies here."""

import json
import shutil
from pathlib import Path

import pytest

from agents.models.inventory import GB, SIZES, inventory, machine_bytes
from agents.models.tiny import build


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub's cache of our own, empty at first."""
    from huggingface_hub import constants

    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder


def cached(hub: Path, name: str, files: Path, commit: str = "a" * 40) -> Path:
    """Put a folder's files into the cache as the hub does: blobs, and links to them."""
    repo = hub / f"models--{name.replace('/', '--')}"
    snapshot = repo / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (repo / "refs").mkdir(exist_ok=True)
    (repo / "refs" / "main").write_text(commit)
    (repo / "blobs").mkdir(exist_ok=True)
    for number, file in enumerate(sorted(files.iterdir())):
        blob = repo / "blobs" / f"{commit[:8]}{number:032x}"
        shutil.copyfile(file, blob)
        (snapshot / file.name).symlink_to(blob)
    return snapshot


def sizes(memory_gb: float) -> dict[str | None, bool | None]:
    return {each.parameters: each.fits for each in inventory([], memory=int(memory_gb * GB))}


@pytest.mark.parametrize(
    ("memory_gb", "largest"),
    # A machine sold with 8 GB tells of 7.6 to 8.6.
    [(4.1, "1B"), (7.6, "4B"), (8.6, "4B"), (15.4, "12B"), (31.0, "27B"), (137.4, "27B")],
)
def test_the_largest_that_fits_is_as_the_documents_say(memory_gb: float, largest: str) -> None:
    fitting = [parameters for parameters, fits in sizes(memory_gb).items() if fits]

    assert fitting[-1] == largest


def test_on_a_small_machine_nothing_fits() -> None:
    assert set(sizes(2).values()) == {False}


def test_what_is_not_here_is_told_so() -> None:
    found = inventory([], memory=GB)

    assert [each.model for each in found] == [size.url for size in SIZES]
    assert {(each.size_bytes, each.is_whole, each.lacks) for each in found} == {(None, False, None)}


def test_a_model_in_the_cache_is_here_with_its_size_and_quantization(hub: Path, tiny: Path) -> None:
    four = SIZES[1].url.removeprefix("mlx:")
    files = shutil.copytree(tiny, hub.parent / "four")
    config = json.loads((files / "config.json").read_bytes())
    quantization = {"quantization": {"bits": 4, "group_size": 64}}
    (files / "config.json").write_text(json.dumps(config | quantization))
    cached(hub, four, files)

    found = {each.model: each for each in inventory([], memory=8 * GB)}[f"mlx:{four}"]

    assert (found.is_whole, found.lacks, found.quantization) == (True, None, "4-bit")
    assert found.size_bytes == sum(file.stat().st_size for file in files.iterdir())
    assert (found.parameters, found.memory_bytes, found.fits) == ("4B", 8 * GB, True)


def test_another_model_of_the_cache_is_listed_behind_them(hub: Path, tiny: Path) -> None:
    cached(hub, "someone/else", tiny)

    last = inventory([], memory=8 * GB)[-1]

    assert (last.model, last.parameters, last.is_whole) == ("mlx:someone/else", None, True)
    assert last.memory_bytes == 2 * (last.size_bytes or 0)


def test_a_model_that_was_half_downloaded_says_what_it_lacks(hub: Path, tiny: Path) -> None:
    snapshot = cached(hub, SIZES[0].url.removeprefix("mlx:"), tiny)
    (snapshot / "model.safetensors").unlink()

    first = inventory([], memory=8 * GB)[0]

    assert (first.is_whole, first.lacks) == (False, "no weights (model*.safetensors)")


def test_the_revision_that_would_be_opened_counts(hub: Path, tiny: Path) -> None:
    old = cached(hub, "someone/else", tiny, "a" * 40)
    (old / "config.json").unlink()
    cached(hub, "someone/else", tiny, "b" * 40)

    assert inventory([], memory=8 * GB)[-1].is_whole


def test_models_of_a_folder_are_listed_by_the_url_that_opens_them(tiny: Path) -> None:
    other = tiny.parent / "broken"
    other.mkdir(exist_ok=True)
    (other / "config.json").write_text("[")

    found = {each.model: each for each in inventory([tiny.parent], memory=8 * GB)}

    assert found[f"mlx:{tiny}"].is_whole
    broken = found[f"mlx:{other}"]
    assert (broken.is_whole, broken.quantization, broken.fits) == (False, None, None)
    assert str(broken.lacks).startswith("no tokenizer")


def test_without_a_cache_and_folder_the_recommended_are_still_told(
    hub: Path, tmp_path: Path
) -> None:
    hub.rmdir()

    assert len(inventory([tmp_path / "none"], memory=GB)) == len(SIZES)


def test_this_machine_has_memory() -> None:
    assert machine_bytes() > GB // 4
