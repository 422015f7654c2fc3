"""The rows that tell of the game: which samples reached the networks, what came out, and what moved it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganmedic.record.schema import Stack


@dataclass(slots=True)
class Batch:
    """One batch of samples at a face of a network: what goes in, what comes out, a score, a leaf of the step.

    Figures are of the whole batch; ``per channel`` means along the last axis where that has at most 64 entries, else one
    figure for all.

    Attributes:
        owner: id of the probe, or of the showing; of a stream the gradient call.
        place: ``given`` (a leaf of the step: data, noise, labels), ``input`` or ``output`` of a network, ``part`` of a
            concatenation that goes into one, ``score``; ``stream`` is a leaf of a step between the probes, ``fixed`` is an output for what the first probe was given.
        value: value id; 0 where it has none.
        mean, spread, low, high: per channel, of the finite entries; float tuples.
        nonfinite: share of the entries, 0 to 1; ``whole``: share that are whole numbers.
        levels: how many distinct values a sample of its entries holds; at most 1025.
        digests: one 63-bit digest a sample, of at most 256 samples: equal where the samples are equal bit for bit.
        generated: share of these samples that a network had put out shortly before, 0 to 1; ``made`` their numbers, and
            where they lie in one stretch of a batch that holds others too, ``begin`` and ``end`` say which.
        ends: the smallest and the largest value that the last activation leaves possible, -inf and inf where it leaves all;
            empty where there is none before it but plain arithmetic.
        activation: TensorFlow's type of that activation; ``activated`` its operation.
        form: shape of :meth:`array`; empty where the samples were not kept.
        pooled: whether :meth:`array` holds means over squares of neighbouring pixels, or every so manieth entry.
        entries: the samples as compressed 32-bit floats.
    """

    id: int
    owner: int
    place: str
    value: int
    shape: tuple[int, ...]
    dtype: str
    mean: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    nonfinite: float = 0.0
    whole: float = 0.0
    levels: int = 0
    digests: tuple[int, ...] = ()
    generated: float = 0.0
    made: tuple[int, ...] = ()
    begin: int = 0
    end: int = 0
    ends: tuple[float, ...] = ()
    activation: str = ""
    activated: int = 0
    form: tuple[int, ...] = ()
    pooled: bool = False
    entries: bytes = b""

    def array(self) -> NDArray[np.float32]:
        """The samples that were kept, at most 64: float32 array (samples, ...); empty where none were."""
        if not self.form:
            return np.zeros((0,), np.float32)
        return np.frombuffer(zlib.decompress(self.entries), "<f4").reshape(self.form)


def kind_of(batches: Iterable[Batch]) -> tuple[int, ...]:
    """What tells the steps of one line apart, by their leaves: whether samples were generated, and the targets given."""
    given = [one for one in batches if one.place == "given"]
    repeated = [one for one in given if len(one.mean) == 1 and len(one.digests) > len(set(one.digests))]
    targets = [round(one.mean[0]) for one in sorted(repeated, key=lambda one: one.value)]
    return (round(max((one.generated for one in given), default=0.0)), *targets)


@dataclass(slots=True)
class Showing:
    """A network that was called, or asked to predict, in eager code and under no tape.

    Attributes:
        module: id of the network; ``how``: ``call`` or ``predict``.
        count: the how manieth call on this line it was, 1-based.
    """

    id: int
    module: int
    how: str
    stack: Stack = ()
    count: int = 1


@dataclass(slots=True)
class Response:
    """What becomes of a batch when one thing that the step was given is dealt out anew among the samples.

    The samples of the leaf are moved on by one place (of a single sample its entries), so that its distribution, and with
    it every statistic of the batch, stays what it is.

    Attributes:
        leaf: value id of what was dealt out; ``value`` of the batch that was watched.
        moved: root mean square of the change; ``spread``: root mean square of the entries around their mean over the samples.
    """

    id: int
    probe: int
    leaf: int
    value: int
    moved: float
    spread: float
