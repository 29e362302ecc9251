"""Which rows a dataset has, in which order: one query over the views, texts last.

Caps and order follow from scores and ids, never from when something came.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import TYPE_CHECKING

from agents.rules import split_of
from streams.curriculum import Phase
from streams.views import add_table

if TYPE_CHECKING:
    import pyarrow as pa

    from streams.replay import Views

_AT_ONCE = 2048

_RANKED = """
create or replace table ranked as
select generation, run, probe, original, model, sample, score,
  row_number() over (partition by model order by score desc, generation) as place
from admitted anti join left_out using (generation) where phase = ?"""

# Of a probe that stands on the log twice the first counts: what comes later moves nothing.
_WRITTEN = """
create or replace table written as
select probe, unnest(arg_min(
  {prompt: prompt, "set": "set", domain: domain, language: language, voice: voice, region: region,
   kind: kind, of: rephrasing_of},
  {"partition": "partition", "offset": "offset"}))
from probes group by probe"""

_ROWS = """
create or replace table dataset as
with
kept as (
  select ranked.* exclude (place), splits.split
  from ranked
  join splits using (original)
  left join most using (model)
  where most.rows is null or ranked.place <= most.rows
),
other as (
  select "of" as original, kind as variant, list_position($kinds, kind) as turn,
    arg_min(prompt, probe) as prompt
  from written where voice is null and list_position($kinds, kind) <= $rephrasings
  group by all
)
select *, 'asked' as variant, 0 as turn, null as prompt from kept
union all by name
select kept.*, other.variant, other.turn, other.prompt
from kept join other using (original) where kept.probe = kept.original"""

_KINDS = ["perspective", "urgency", "culture"]
"""In the order in which a phase that wants fewer than three gets them."""

_TEXTS = """
select
  d.split, d.generation, d.run, d.probe, d.original, d.variant, d.model, d.score, d.sample,
  coalesce(w.domain, '') as domain, coalesce(w.language, '') as language,
  coalesce(w."set", '') as "set", coalesce(w.voice, '') as voice,
  coalesce(w.region, '') as region, coalesce(g.kernel, '') as kernel,
  coalesce(d.prompt, g.prompt) as prompt, g.response
from dataset as d
join generations as g on g.id = d.generation
left join written as w on w.probe = d.probe
order by d.split, d.original, d.probe, d.sample, d.generation, d.turn"""


def choose(views: "Views", phase: Phase, *, without: Collection[str] = ()) -> None:
    """Make the table `dataset`: a line for each row, with its split, without its texts.

    Args:
        views: The log.
        phase: The dataset's.
        without: Generations that are left out, though they are admitted. They make room in their
            model's share, and none for others that were to be the best of a probe, or of equals:
            the views have told these from all that were decided on.
    """
    db, share = views.db, phase.split
    _put(views, "left_out", "generation varchar", [(each,) for each in without])
    db.execute(_RANKED, [phase.name])
    db.execute(_WRITTEN)
    counts = dict(db.execute("select model, count(*) from ranked group by model").fetchall())
    most = sorted(mixed(counts, phase.mix).items())
    splits = [
        (original, split_of(original, train=share.train, valid=share.valid))
        for (original,) in db.execute("select distinct original from ranked").fetchall()
    ]
    _put(views, "most", "model varchar, rows bigint", most)
    _put(views, "splits", "original varchar, split varchar", splits)
    db.execute(_ROWS, {"kinds": _KINDS, "rephrasings": phase.rephrasings_per_example})


def _put(views: "Views", name: str, shape: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Make a table, or make it anew."""
    views.db.execute(f"drop table if exists {name}")
    add_table(views.db, name, shape, rows)


def batches(views: "Views") -> Iterator["pa.RecordBatch"]:
    """The rows of the table `dataset` with their texts, split after split, in their order.

    The next batch is fetched while whoever asked looks at this one.
    """
    reader = views.db.cursor().sql(_TEXTS).to_arrow_reader(_AT_ONCE)
    with ThreadPoolExecutor(1, "lem-rows") as ahead:
        coming = ahead.submit(next, reader, None)
        while (batch := coming.result()) is not None:
            coming = ahead.submit(next, reader, None)
            yield batch


def mixed(counts: Mapping[str, int], shares: Mapping[str, float]) -> dict[str, int]:
    """How many rows each model may have, so that none has more than its share of all of them.

    To the nearest row. As many rows are kept as these caps allow; a model without one is free.

    Args:
        counts: How many rows each model has.
        shares: The most that a model may have of all rows, from 0 to 1.
    """
    exact = {model: Fraction(str(share)) for model, share in shares.items()}
    kept = dict(counts)
    while True:
        total = sum(kept.values())
        fits = {
            model: min(count, int(exact[model] * total + Fraction(1, 2)))
            for model, count in kept.items()
            if model in exact
        }
        if all(kept[model] == count for model, count in fits.items()):
            return fits
        kept |= fits
