"""A dataset that is fit for mlx_lm.lora trains there; one that is not is refused before."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from agents.dataset.lora import examined
from agents.dataset.recipe import now
from agents.materialize import materialize
from agents.models.tiny import build
from streams.curriculum import Split
from streams.errors import ConfigError
from tests.lem import lem
from tests.made import answered, contents, fill, phase, store_in

EVEN = Split(train=40, valid=30, test=30)
TRAINING = msgspec.structs.replace(phase().training, batch_size=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with at least two rows in each split; tests copy what they change."""
    home = tmp_path_factory.mktemp("home")
    under = phase(split=EVEN, training=TRAINING)
    with store_in(home) as store:
        fill(store, (answered(under, f"P{n}") for n in range(30)))
        _, where = materialize(store, home, now(under))
    examined(where, TRAINING)
    return where


def test_real_mlx_lm_trains_two_steps_on_it(folder: Path, tmp_path: Path) -> None:
    model = build(tmp_path / "model")
    asked = {
        "--model": model,
        "--data": folder,
        "--iters": 2,
        "--batch-size": TRAINING.batch_size,
        "--num-layers": 2,
        "--max-seq-length": 64,
        "--val-batches": 1,
        "--test-batches": 1,
        "--adapter-path": tmp_path / "adapters",
    }
    words = [str(word) for pair in asked.items() for word in pair]

    done = subprocess.run(
        [sys.executable, "-m", "mlx_lm", "lora", "--train", "--test", "--mask-prompt", *words],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "adapters" / "adapters.safetensors").is_file()


def changed(folder: Path, tmp_path: Path, split: str, text: bytes) -> Path:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name, content in contents(folder).items():
        if name.endswith(".jsonl"):
            (copy / name).write_bytes(content)
    (copy / f"{split}.jsonl").write_bytes(text)
    return copy


def line(*roles: str, **more: object) -> bytes:
    turns = [{"role": role, "content": "Why?"} for role in roles]
    return msgspec.json.encode({"messages": turns, **more}) + b"\n"


CHAT = ("user", "assistant")


@pytest.mark.parametrize(
    ("split", "text", "why"),
    [
        ("train", line(*CHAT), "train.jsonl has 1 rows, and the batch 2: training fails"),
        ("valid", line(*CHAT), "valid.jsonl has 1 rows, and the batch 2: validation fails"),
        ("valid", b"", "mlx_lm stops at a file without a row"),
        ("test", b"", "mlx_lm stops at a file without a row"),
        ("train", line(*CHAT, prompt="Why?") * 2, 'mlx_lm reads "prompt"'),
        ("train", line(*CHAT) + line(*CHAT, probe="P1"), "row 2: its keys are messages, probe"),
        ("test", line("assistant", "user") * 2, "user and assistant should alternate"),
        ("train", line() * 2, "user and assistant should alternate"),
        (
            "train",
            line(*CHAT).replace(b'assistant","content":"Why?"', b'assistant","content":""') * 2,
            "says nothing",
        ),
    ],
)
def test_what_mlx_lm_would_not_take_is_refused(
    folder: Path, tmp_path: Path, split: str, text: bytes, why: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        examined(changed(folder, tmp_path, split, text), TRAINING)

    assert why in str(refused.value)


def test_what_is_cut_or_left_out_is_a_warning(folder: Path, tmp_path: Path) -> None:
    long = line(*CHAT).replace(b"Why?", b"Why? " * 20_000)
    copy = changed(folder, tmp_path, "train", line(*CHAT) * 2 + long)
    (copy / "test.jsonl").write_bytes(line(*CHAT))

    warnings = examined(copy, TRAINING)

    assert "train.jsonl: 1 of 3 rows are left out in each pass" in " ".join(warnings)
    assert "about 1 of 3 rows have more than 4096 tokens" in " ".join(warnings)
    assert "`--test` fails" in " ".join(warnings)


def test_by_command_nothing_is_made_of_what_does_not_fit(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with store_in(home) as store:
        fill(store, [answered(phase(), "P1")])
        ends = ",".join(f"{topic}:{n}={end}" for (topic, n), end in store.ends().items() if end)
    asked = ("materialize", "--phase", "1", "--as-of", ends)

    refused = lem(home, *asked, "--for", "mlx-lora", status=1)

    assert "mlx_lm.lora would not take it" in refused.stderr
    assert not list((home / "datasets").iterdir())
    assert "0 rows" in lem(home, *asked).stderr
