"""What a plan is made of: slices, and the motions between them. Frozen data; knows no DuckDB and no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sqlglot import exp

from mere.sql.bind.bound import Constant, OutputColumn, Scan


@dataclass(frozen=True, slots=True)
class Slice:
    """A query that one place runs whole. `tree` names the scans as tables."""

    number: int
    tree: exp.Expression
    columns: tuple[OutputColumn, ...]
    scans: tuple[Scan, ...]
    constants: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`slices` in the order in which they can run; the last one gives the answer.

    `whole` says why the query runs undivided on one segment, for EXPLAIN; None where it is divided.
    """

    slices: tuple[Slice, ...]
    whole: str | None = None

    @property
    def root(self) -> Slice:
        return self.slices[-1]


class Share(Enum):
    """Which files of a scan a segment reads."""

    OWN = "own"  # its share: each file (or bucket) is read by exactly one segment
    ALL = "all"  # every segment reads all of it, straight from storage: no motion for small tables


class Where(Enum):
    """Who runs a slice."""

    EVERY = "every"  # every segment, each over its share
    ONE = "one"  # one segment, over everything: its scans are Share.ALL, its motions gathers


class MotionKind(Enum):
    GATHER = "Gather"
    REDISTRIBUTE = "Redistribute"
    BROADCAST = "Broadcast"


SHARE = "mere_share"  # exp.Placeholder of this name in a SegmentSlice's tree: the number of the share that runs it


STAYS = "mere_stays"  # a column that says where a row is: what several slices read stays there


@dataclass(frozen=True, slots=True)
class MotionColumn:
    name: str
    duckdb_type: str


@dataclass(frozen=True, slots=True)
class Motion:
    """Rows on their way from the slice `sender` to those that name the table `mere_motion_<number>`.

    `destination` (Redistribute only) is a DuckDB expression over the sender's columns that gives an integer; the row
    goes to the segment `integer % segments`, which is the placement of stored buckets too; NULL counts as 0.
    `order` says that each sender's rows come in this order, for EXPLAIN's merge key; the receiver sorts again.
    """

    number: int
    kind: MotionKind
    sender: int
    columns: tuple[MotionColumn, ...]
    destination: exp.Expression | None = None
    keys: tuple[str, ...] = ()  # for EXPLAIN: the hash key as a user would write it
    order: tuple[exp.Expression, ...] = ()

    @property
    def table(self) -> str:
        return motion_table(self.number)

    @property
    def stays(self) -> bool:
        """Does every row go to the segment on which it is? So are the rows kept that several slices read."""
        return isinstance(self.destination, exp.Column) and self.destination.name == STAYS


def motion_table(number: int) -> str:
    return f"mere_motion_{number}"


@dataclass(frozen=True, slots=True)
class SegmentSlice:
    """A query that segments run. `scans` maps the name of each scan in `tree` to the share read of it, `inputs` are
    the numbers of the motions that `tree` reads. `rows` is what the planner thinks comes out, in all.

    A Share.ALL scan of a table that PostgreSQL keeps, and inlined rows, come from the coordinator like a motion.
    A slice on ONE segment is share 0. A Gather's rows go to share 0; other shares of a slice that names it find its
    table empty. The dispatcher replaces the placeholder $mere_share in `tree` by the number of the share.
    """

    number: int
    tree: exp.Expression
    where: Where
    scans: tuple[tuple[str, Share], ...]
    inputs: tuple[int, ...]
    rows: float = 0.0


@dataclass(frozen=True, slots=True)
class DistributedPlan:
    """`slices` in an order in which they can run. `root` runs at the coordinator, over motions alone; it is the query
    of the answer, with its final ORDER BY and LIMIT. `plain` says that it only passes on the rows of one Gather.

    `whole` says why the query runs undivided on one segment; None where it is divided.
    """

    slices: tuple[SegmentSlice, ...]
    motions: tuple[Motion, ...]
    root: Slice
    segments: int
    plain: bool = False
    whole: str | None = None
