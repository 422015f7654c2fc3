"""What an audit has to say: plain facts, and findings that say what they mean for a GAN."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganmedic.finding import Severity

if TYPE_CHECKING:
    from ganmedic.data.diversity import Diversity, Order
    from ganmedic.data.moments import Moments

GRAVITY: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class DataFinding:
    """One thing about the data that a GAN will feel.

    Attributes:
        slug: its name, such as ``range-mismatch``.
        severity: ``error`` (training cannot work), ``warning`` (it suffers), ``note`` (worth knowing).
        summary: one sentence with the numbers.
        meaning: what it does to a GAN.
        remedy: what to do, in one sentence.
        code: the same as Python, where there is a line for it.
        numbers: the measured quantities by name.
        samples: names of the samples concerned, the first ones.
    """

    slug: str
    severity: Severity
    summary: str
    meaning: str
    remedy: str
    code: str = ""
    numbers: dict[str, float] = field(default_factory=dict)
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of pictures or a column of numbers.

    Attributes:
        name: ``red``, ``grey``, ``channel 0``, or the column's name.
        count: finite values.
        mean, spread, minimum, maximum: of these.
        nonfinite: values that are NaN or infinite.
        empty: cells of a table that hold nothing.
        commonest: the commonest value of a column and the share of rows that have it, `None` for pictures.
        edges, counts: the histogram.
    """

    name: str
    count: int
    mean: float
    spread: float
    minimum: float
    maximum: float
    nonfinite: int
    empty: int = 0
    commonest: tuple[float, float] | None = None
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WordColumn:
    """A column of words: the commonest of them, how many there are (`None`: too many to tell apart), and empty cells."""

    name: str
    counts: dict[str, int]
    different: int | None
    empty: int


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """Samples that are the same, or almost: their names, their indices, and how alike they are (1: equal)."""

    names: tuple[str, ...]
    indices: tuple[int, ...]
    likeness: float = 1.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to show: name, caption, and the PNG."""

    name: str
    caption: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures that are shown together."""

    title: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """All that an audit has to say.

    Attributes:
        title: what was audited.
        kind: what it is: ``folder of images``, ``Parquet table``, ...
        content: ``pictures`` or ``table``.
        samples: how many there are, the unreadable ones included.
        findings: gravest first.
        unreadable: name and reason of the first thousand samples that could not be read.
        unreadable_count: how many there are.
        notes: how the data was understood, and what was bounded.
        classes: samples of each class, by name.
        shapes: the commonest shapes (height, width, channels or columns) and how many samples have each.
        shape_count: how many different shapes there are.
        modes: how many pictures there are of each colour mode.
        dtype: type of the values.
        channels: statistics of the channels or columns.
        words: columns of words.
        exact, near: groups of duplicates, the largest first; `exact_extra` and `near_extra` samples could be left out.
        duplicates_complete: whether all candidates for near duplicates were looked at.
        looks: how many pictures are dark, light, uninformative, blurry, of odd shape, of odd size, plain.
        diversity, order: measured on a fair sample; `None` for fewer than 8 samples.
        against: the range of the generator's output that the data was compared with.
        moments: the statistics a normalisation is made from; `None` where nothing could be read.
        value_range: what the values can be (0 to 255 for bytes), `None` if only what was measured is known.
        galleries: pictures for the page.
        elapsed_seconds: wall time.
        jobs: number of processes.
        versions: of ganmedic, Python and NumPy.
    """

    title: str
    kind: str
    content: str
    samples: int
    findings: tuple[DataFinding, ...]
    unreadable: tuple[tuple[str, str], ...] = ()
    unreadable_count: int = 0
    notes: tuple[str, ...] = ()
    classes: dict[str, int] = field(default_factory=dict)
    shapes: tuple[tuple[tuple[int, ...], int], ...] = ()
    shape_count: int = 0
    modes: dict[str, int] = field(default_factory=dict)
    dtype: str = ""
    channels: tuple[Channel, ...] = ()
    words: tuple[WordColumn, ...] = ()
    exact: tuple[NamedGroup, ...] = ()
    exact_extra: int = 0
    near: tuple[NamedGroup, ...] = ()
    near_extra: int = 0
    duplicates_complete: bool = True
    looks: dict[str, int] = field(default_factory=dict)
    diversity: Diversity | None = None
    order: Order | None = None
    against: tuple[float, float] | None = None
    moments: Moments | None = None
    value_range: tuple[float, float] | None = None
    galleries: tuple[Gallery, ...] = ()
    elapsed_seconds: float = 0.0
    jobs: int = 1
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """True where nothing above a note was found."""
        return all(finding.severity == "note" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return all of it but the pictures, ready for `json.dumps`."""
        from ganmedic.report.data_json import to_json

        return to_json(self)

    def write_html(self, path: str | Path) -> None:
        """Write the page with the pictures."""
        from ganmedic.report.data_html import write_html

        write_html(self, path)

    def _repr_html_(self) -> str:
        from ganmedic.report.data_html import audit_html

        return audit_html(self)
