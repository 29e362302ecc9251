"""A dataset's rows as files: chat JSONL for mlx_lm.lora, Parquet for everything else.

Rows come in batches and go out in groups of a fixed size, so that the bytes follow from the rows
alone and memory from one group. One thread makes the lines while another writes, hashes and
compresses, which needs no interpreter: two that need it would only wait for each other.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from agents.dataset.tally import Tally
from schemas import File
from streams import ids

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

JSONL = {"test": "test.jsonl", "train": "train.jsonl", "valid": "valid.jsonl"}
"""By split, in the order of the rows; mlx_lm's names."""

PARQUET = {
    "test": "data/test-00000-of-00001.parquet",
    "train": "data/train-00000-of-00001.parquet",
    "valid": "data/validation-00000-of-00001.parquet",
}
"""By split; the Hub's names."""

GROUP = 4096
"""Rows of a group of the Parquet file: one after the other is in memory."""

_WAITING = 2  # batches that the thread which writes is behind
_CODES = ("domain", "language", "model", "original", "probe", "variant")  # few values, many rows

Columns = dict[str, list[Any]]


class Message(msgspec.Struct):
    """One turn of a chat."""

    role: str
    content: str


class Line(msgspec.Struct):
    """A row as `mlx_lm.lora` reads it; it passes over the keys that say where it comes from.

    There is never a `prompt` beside `messages`: mlx_lm would then take the row for another kind.
    """

    messages: tuple[Message, Message]
    generation: str
    probe: str
    """What the generation answered."""
    original: str
    variant: str
    """`asked`, or the kind of the rephrasing whose prompt stands in place of what was asked."""
    domain: str
    language: str
    model: str
    score: float


class About(msgspec.Struct):
    """What Parquet has beside, as one JSON string; other fields may come."""

    run: str
    sample: int
    set: str
    voice: str
    region: str
    kernel: str


class Written(NamedTuple):
    """What stands in the folder."""

    files: tuple[File, ...]
    copies: tuple[File, ...]
    generations: tuple[str, ...]
    """In the order of the rows, file after file."""
    tally: Tally


def write(
    batches: Iterable["pa.RecordBatch"], folder: Path, look: Callable[[Columns], None]
) -> Written:
    """Write the rows, which come split after split, in the order of `JSONL`.

    Args:
        batches: The rows, as `agents.dataset.chosen` has them.
        folder: An empty one.
        look: Called with the columns of some rows before these are written.
    """
    tally, generations = Tally(), list[str]()
    (folder / "data").mkdir()
    with ExitStack() as stack:
        parts = {split: stack.enter_context(_Part(folder, split)) for split in JSONL}
        behind = stack.enter_context(_Behind())
        for split, batch in _by_split(batches):
            columns = _columns(batch)
            columns["response"] = [text.strip() for text in columns["response"]]
            look(columns)
            generations += columns["generation"]
            tally.add(columns, batch.column("response"))
            behind.do(parts[split].add, _lines(columns), _table(batch, columns))
        behind.settle(left=0)
        files, copies = zip(*(part.done() for part in parts.values()), strict=True)
    return Written(files, copies, tuple(generations), tally)


def schema() -> "pa.Schema":
    """The columns of the Parquet files; none of them has gaps."""
    import pyarrow as pa

    turn = pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())])
    kinds = {"messages": pa.list_(turn), "score": pa.float64()}
    names = (*Line.__struct_fields__, "metadata")
    return pa.schema([pa.field(name, kinds.get(name, pa.string())) for name in names])


def hashed(path: Path, name: str, rows: int) -> File:
    """A file that is written, made to last."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return File(name=name, rows=rows, sha256=ids.of_file(path))


def _columns(batch: "pa.RecordBatch") -> Columns:
    return {name: cast("list[Any]", batch.column(name).to_pylist()) for name in batch.schema.names}


def _by_split(batches: Iterable["pa.RecordBatch"]) -> Iterator[tuple[str, "pa.RecordBatch"]]:
    """Each batch, cut where the split changes."""
    for batch in batches:
        splits = cast("list[str]", batch.column("split").to_pylist())
        starts = [at for at in range(len(splits)) if at == 0 or splits[at] != splits[at - 1]]
        for start, stop in zip(starts, [*starts[1:], len(splits)], strict=True):
            yield splits[start], batch.slice(start, stop - start)


def _lines(columns: Columns) -> bytes:
    names = Line.__struct_fields__[1:]
    chats = zip(columns["prompt"], columns["response"], strict=True)
    turns = ((Message("user", prompt), Message("assistant", said)) for prompt, said in chats)
    rows = zip(turns, *(columns[name] for name in names), strict=True)
    return _encoder.encode_lines([Line(*row) for row in rows])


def _table(batch: "pa.RecordBatch", columns: Columns) -> "pa.Table":
    """The rows as the Parquet file has them."""
    import pyarrow as pa

    count = batch.num_rows
    roles = pa.array(["user", "assistant"] * count, pa.string())
    chats = zip(columns["prompt"], columns["response"], strict=True)
    texts = pa.array([text for chat in chats for text in chat], pa.string())
    turns = pa.StructArray.from_arrays([roles, texts], names=["role", "content"])
    ends = pa.array(range(0, 2 * count + 1, 2), pa.int32())
    given = zip(*(columns[name] for name in About.__struct_fields__), strict=True)
    about = [_encoder.encode(About(*row)).decode() for row in given]
    made: dict[str, pa.Array[Any]] = {
        "messages": pa.ListArray.from_arrays(ends, turns),
        "metadata": pa.array(about, pa.string()),
    }
    shape = schema()
    arrays = [made[name] if name in made else batch.column(name) for name in shape.names]
    return pa.Table.from_arrays(arrays, schema=shape)


class _Behind:
    """One thread that does what it is given, in order; who gives waits when it lags."""

    def __enter__(self) -> "_Behind":
        self._pool = ThreadPoolExecutor(1, "lem-dataset")
        self._pending: deque[Future[None]] = deque()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def do(self, work: Callable[..., None], *given: object) -> None:
        self.settle(left=_WAITING - 1)
        self._pending.append(self._pool.submit(work, *given))

    def settle(self, *, left: int) -> None:
        while len(self._pending) > left:
            self._pending.popleft().result()


class _Part:
    """The two files of a split, under way."""

    def __init__(self, folder: Path, split: str) -> None:
        self._folder, self._split = folder, split
        self._sha256 = sha256()
        self._rows = 0
        self._waiting: list[pa.Table] = []
        self._count = 0  # rows that wait for their group

    def __enter__(self) -> "_Part":
        import pyarrow.parquet as pq

        self._lines: IO[bytes] = (self._folder / JSONL[self._split]).open("wb")
        self._groups: ParquetWriter = pq.ParquetWriter(
            self._folder / PARQUET[self._split],
            schema(),
            compression="zstd",
            use_dictionary=list(_CODES),  # type: ignore[arg-type]  # columns will do as well
            version="2.6",
            store_schema=False,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._groups.close()

    def add(self, lines: bytes, table: "pa.Table") -> None:
        """Write the rows as lines; those for Parquet wait until their group is whole."""
        self._lines.write(lines)
        self._sha256.update(lines)
        self._rows += table.num_rows
        self._count += table.num_rows
        self._waiting.append(table)
        while self._count >= GROUP:
            self._write_group(GROUP)

    def done(self) -> tuple[File, File]:
        """End both files."""
        if self._count:
            self._write_group(self._count)
        self._lines.flush()
        os.fsync(self._lines.fileno())
        self._groups.close()
        name, other = JSONL[self._split], PARQUET[self._split]
        made = File(name=name, rows=self._rows, sha256=self._sha256.hexdigest())
        return made, hashed(self._folder / other, other, self._rows)

    def _write_group(self, rows: int) -> None:
        import pyarrow as pa

        table = pa.concat_tables(self._waiting)
        # In one piece: pages end where chunks do.
        self._groups.write_table(table.slice(0, rows).combine_chunks(), row_group_size=rows)
        self._waiting = [table.slice(rows)]
        self._count -= rows


_encoder = msgspec.json.Encoder()
