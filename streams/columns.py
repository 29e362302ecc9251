"""Events as Arrow columns: the shape of an event type, and a stretch of the log in it.

The shape follows from the type alone, so that a topic without a record has the same columns.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import inspect

from schemas.base import Fact
from schemas.codec import decode
from streams.envelope import event
from streams.errors import UnreadableRecord
from streams.log.door import Store
from streams.log.records import Record, Value
from streams.topics import TOPICS

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 128  # records taken apart at once: of 4 KB each, they stay in the processor's cache

_OURS: Callable[[Record], tuple[int, int, int]] = attrgetter("partition", "offset", "at_ms")
_AS_THEY_ARE = (bytes, datetime)  # Arrow takes them; the codec alone would make text of them


class Unreadable(NamedTuple):
    """A record that is no row."""

    topic: str
    partition: int
    offset: int
    error: str


class Rows(NamedTuple):
    """A stretch of a partition as columns."""

    topic: str
    batches: "list[pa.RecordBatch]"
    unreadable: list[Unreadable]
    last: Value
    """The last record, readable or not."""


@cache
def schema(kind: type[Fact]) -> "pa.Schema":
    """The columns of an event type: where the record stands, then the event's own fields.

    A field named like one of the first three columns has the event's tag before it:
    `buried_offset` is the offset that was buried, `offset` that of the burial.
    """
    import pyarrow as pa

    ours = [
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("logged_at", pa.timestamp("ms", tz="UTC"), nullable=False),
    ]
    taken = {field.name for field in ours}
    tag = kind.__struct_config__.tag
    fields = [
        _field(f"{tag}_{field.name}" if field.name in taken else field.name, field.type)
        for field in _fields(kind)
    ]
    return pa.schema(ours + fields)


def batch(kind: type[Fact], records: Sequence[Record], events: Sequence[Fact]) -> "pa.RecordBatch":
    """The records, and the event that each holds, as columns.

    Raises:
        ValueError, OverflowError: A value does not fit its column, as an integer of 65 bits.
    """
    return _columns(kind, list(map(_OURS, records)), events)


def _columns(
    kind: type[Fact], places: Sequence[tuple[int, int, int]], events: Sequence[Fact]
) -> "pa.RecordBatch":
    import pyarrow as pa

    shape = schema(kind)
    get, nested = _getter(kind)
    own = list(zip(*map(get, events), strict=True)) or [()] * (len(shape) - 3)
    for at in nested:
        own[at] = tuple(msgspec.to_builtins(value, builtin_types=_AS_THEY_ARE) for value in own[at])
    ours = list(zip(*places, strict=True)) or [()] * 3
    columns = zip([*ours, *own], shape, strict=True)
    arrays = [pa.array(values, field.type) for values, field in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=shape)


def read(store: Store, topic: str, partition: int, start: int, stop: int) -> Rows:
    """The records of a partition from `start` to before `stop`, of which there is at least one."""
    kind = TOPICS[topic].event
    batches: list[pa.RecordBatch] = []
    unreadable: list[Unreadable] = []
    last: Value = (-1, 0, None)
    values = iter(store.values(topic, partition, offset=start, limit=stop - start))
    while part := list(islice(values, _BATCH)):
        try:
            batches.append(_quick(part, kind, partition))
        except (ValueError, OverflowError):  # `Unreadable` is a ValueError
            records = store.read(topic, partition, offset=part[0][0], limit=len(part))
            readable = [record for record in records if _is_readable(kind, record, unreadable)]
            batches.append(batch(kind, readable, [event(record) for record in readable]))
        last = part[-1]
    return Rows(topic, batches, unreadable, last)


def _quick(values: Iterable[Value], kind: type[Fact], partition: int) -> "pa.RecordBatch":
    """The batch where every record is as it should be.

    Raises:
        ValueError, OverflowError: One of them isn't.
    """
    places: list[tuple[int, int, int]] = []
    events: list[Fact] = []
    for offset, at_ms, value in values:
        events.append(decode(value or b""))
        places.append((partition, offset, at_ms))
    if not set(map(type, events)) <= {kind}:
        raise ValueError("an event of another topic")
    return _columns(kind, places, events)


def _is_readable(kind: type[Fact], record: Record, unreadable: list[Unreadable]) -> bool:
    try:
        batch(kind, [record], [event(record)])
    except (UnreadableRecord, ValueError, OverflowError) as error:
        unreadable.append(Unreadable(record.topic, record.partition, record.offset, str(error)))
        return False
    return True


def _fields(kind: type[Any]) -> tuple[inspect.Field, ...]:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType), f"{kind} is no struct"  # a mistake in schemas/
    return found.fields


@cache
def _getter(kind: type[Fact]) -> tuple[Callable[[Fact], tuple[Any, ...]], tuple[int, ...]]:
    """What takes an event apart, and which of its parts hold structs, unknown to Arrow."""
    fields = _fields(kind)
    nested = tuple(at for at, field in enumerate(fields) if _is_nested(field.type))
    return attrgetter(*(field.name for field in fields)), nested


def _is_nested(found: inspect.Type) -> bool:
    some = _some(found)
    item = some.item_type if isinstance(some, inspect.VarTupleType) else some
    return isinstance(item, inspect.StructType)


def _field(name: str, found: inspect.Type) -> "pa.Field[Any]":
    import pyarrow as pa

    some = _some(found)
    return pa.field(name, _type(some), nullable=some is not found)


def _some(found: inspect.Type) -> inspect.Type:
    """X of `X | None`; any other type as it is."""
    if not isinstance(found, inspect.UnionType):
        return found
    (some,) = (kind for kind in found.types if not isinstance(kind, inspect.NoneType))
    return some


def _type(found: inspect.Type) -> "pa.DataType":
    import pyarrow as pa

    match found:
        case inspect.StructType():
            return pa.struct([_field(field.name, field.type) for field in found.fields])
        case inspect.VarTupleType():
            return pa.list_(_field("item", found.item_type))
        case inspect.DictType():
            held: pa.DataType = pa.map_(_type(found.key_type), _type(found.value_type))
            return held
    plain: dict[type[inspect.Type], pa.DataType] = {
        inspect.StrType: pa.string(),
        inspect.LiteralType: pa.string(),
        inspect.IntType: pa.int64(),
        inspect.FloatType: pa.float64(),
        inspect.BoolType: pa.bool_(),
        inspect.BytesType: pa.binary(),
        inspect.DateTimeType: pa.timestamp("us", tz="UTC"),
    }
    return plain[type(found)]
