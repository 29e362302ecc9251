"""Answers behind a shared kernel: the engine, a loop of `mlx_lm.generate`, and a plain batch.

On a tiny model, so what is compared is the work around it: reading one kernel once, and many rows
at a time. Run: python -m tests.bench.generate [--sweep] [--plot FILE] [--model FOLDER]
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

from agents.models import Answer, Ask, tiny
from agents.models.mlx import MlxModel
from agents.models.prompts import Prompts
from kernel import text
from schemas.request import Sampling
from streams.cli.shown import Row, show

PROBES, SAMPLES, TOKENS = 20, 10, 64
_KERNEL_TOKENS = 2000
_FEW = 12  # answers of the loop, and of a plain batch three times as many: they take long enough


class Found(NamedTuple):
    """One way to answer."""

    way: str
    answers_per_s: float
    tokens_per_s: float
    saved: int
    peak_mb: float


class Case(NamedTuple):
    """What is asked."""

    folder: Path
    kernel: str
    probes: int = PROBES
    samples: int = SAMPLES
    tokens: int = TOKENS
    rows: int = 0

    def asks(self) -> list[Ask]:
        """Every sample of every probe."""
        drawn = Sampling(max_tokens=self.tokens)
        return [
            Ask(
                system=self.kernel,
                prompt=f"Case {probe}: may I keep what a friend lost, if nobody asks for it?",
                sampling=drawn,
                seed=1000 * probe + sample,
            )
            for probe in range(self.probes)
            for sample in range(self.samples)
        ]


def compared(case: Case) -> list[Found]:
    """The engine, the loop and the plain batch, one after the other in one process."""
    return [ours(case), loop(case), batch(case)]


def ours(case: Case) -> Found:
    """All asks, as the agent puts them: as many at once as the model has room for."""
    model = MlxModel(str(case.folder), **({"most_rows": case.rows} if case.rows else {}))
    asks = case.asks()
    model.answer(Ask(system=None, prompt="Hello.", sampling=asks[0].sampling, seed=1))  # warm
    futures: list[Future[Answer]] = []

    def work() -> tuple[int, int]:
        answers = []
        for ask in asks:
            while len([each for each in futures if not each.done()]) >= model.room:
                time.sleep(0.001)
            futures.append(model.submit(ask))
        answers = [each.result() for each in futures]
        return len(answers), sum(answer.completion_tokens for answer in answers)

    found = _timed("lem", work)
    model.close()
    return found._replace(saved=sum(each.result().saved_tokens for each in futures))


def loop(case: Case) -> Found:
    """One prompt after the other, each read whole."""
    from mlx_lm import load, stream_generate
    from mlx_lm.sample_utils import make_sampler

    model, tokenizer = load(str(case.folder))[:2]
    prompts = [tokens for _, tokens in zip(range(_FEW), _prompts(tokenizer, case), strict=False)]
    sampler = make_sampler(0.8, 0.95)

    def work() -> tuple[int, int]:
        last = [
            list(stream_generate(model, tokenizer, p, max_tokens=case.tokens, sampler=sampler))[-1]
            for p in prompts
        ]
        return len(prompts), sum(each.generation_tokens for each in last)

    return _timed("loop of mlx_lm.generate", work)


def batch(case: Case) -> Found:
    """As many rows at once as mlx_lm takes by default, each read whole."""
    from mlx_lm import batch_generate, load
    from mlx_lm.sample_utils import make_sampler

    model, tokenizer = load(str(case.folder))[:2]
    every = zip(range(3 * _FEW), _prompts(tokenizer, case), strict=False)
    prompts = [tokens for _, tokens in every]

    def work() -> tuple[int, int]:
        made = batch_generate(
            model,
            tokenizer,
            prompts,
            max_tokens=case.tokens,
            sampler=make_sampler(0.8, 0.95),
            return_token_ids=True,
        )
        return len(prompts), sum(len(each) for each in made.token_ids or ())

    return _timed("mlx_lm.batch_generate", work)


def _prompts(tokenizer: Any, case: Case) -> Iterator[list[int]]:
    prompts = Prompts(tokenizer)
    for ask in case.asks():
        yield prompts.of(ask).tokens


def _timed(way: str, work: Callable[[], tuple[int, int]]) -> Found:
    import mlx.core as mx

    mx.clear_cache()
    mx.reset_peak_memory()
    began = time.perf_counter()
    answers, tokens = work()
    took = time.perf_counter() - began
    return Found(way, answers / took, tokens / took, 0, mx.get_peak_memory() / 2**20)


def kernel_of(folder: Path, tokens: int) -> str:
    """The beginning of our kernel, or the kernel again and again, of about so many tokens."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    words = text("lek-1.txt").split()
    each = len(tokenizer.encode(" ".join(words))) / len(words)
    wanted = int(tokens / each)
    return " ".join((words * (wanted // len(words) + 1))[:wanted])


def measured(folder: Path | None = None) -> list[Found]:
    """The main case: the engine, the loop, the plain batch."""
    with tempfile.TemporaryDirectory() as home:
        folder = folder or tiny.build(Path(home) / "tiny")
        return compared(Case(folder, kernel_of(folder, _KERNEL_TOKENS)))


def sweep(folder: Path) -> Iterator[Row]:
    """One thing changed at a time: rows at once, the answers' length, the kernel's length."""
    usual = kernel_of(folder, _KERNEL_TOKENS)
    for rows in (1, 2, 4, 8, 16, 32, 64):
        yield _row("rows at once", rows, [ours(Case(folder, usual, rows=rows))])
    for tokens in (16, 64, 256):
        yield _row("tokens an answer", tokens, compared(Case(folder, usual, tokens=tokens)))
    for length in (250, 1000, 2000, 4000):
        case = Case(folder, kernel_of(folder, length))
        yield _row("tokens of the kernel", length, compared(case))


def _row(what: str, value: int, found: Sequence[Found]) -> Row:
    mine, rates = found[0], [each.answers_per_s for each in found]
    return {
        "what": what,
        "value": value,
        "answers/s": mine.answers_per_s,
        "tokens/s": mine.tokens_per_s,
        "peak MB": mine.peak_mb,
        "times the loop": rates[0] / rates[1] if len(rates) > 1 else None,
        "times a plain batch": rates[0] / rates[2] if len(rates) > 2 else None,
    }


def plot(rows: Sequence[Row], path: Path) -> None:
    """The sweep as a picture: answers a second by each of the three."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.2), layout="constrained")
    kinds = list(dict.fromkeys(str(row["what"]) for row in rows))
    for axis, kind in zip(figure.subplots(1, len(kinds)), kinds, strict=True):
        some = [row for row in rows if row["what"] == kind]
        axis.plot([r["value"] for r in some], [r["answers/s"] for r in some], marker="o")
        axis.set(xscale="log", xlabel=kind, ylabel="answers/s", ylim=(0, None))
        axis.set_xticks([r["value"] for r in some], [str(r["value"]) for r in some])
        axis.minorticks_off()
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


def main() -> None:
    """Print a table; with --sweep also by rows, answer length and kernel length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        folder = given.model or tiny.build(Path(home) / "tiny")
        show([each._asdict() for each in measured(folder)], as_json=given.json)
        if given.sweep:
            rows = list(sweep(folder))
            show(rows, as_json=given.json)
            if given.plot:
                plot(rows, given.plot)


if __name__ == "__main__":
    main()
