"""Rows of every kind, with every field filled and with as few as a row can have."""

from __future__ import annotations

import math
import zlib

import numpy as np

from ganmedic.record import game, schema
from ganmedic.record.record import Record
from ganmedic.record.schema import Place
from ganmedic.record.series import BUDGET_BYTES, Series
from ganmedic.record.snapshots import Kept, Snapshot, pack
from ganmedic.record.store import TABLES

FILE = '/home/josé/train\'s "gan".py'
STACK = (Place(FILE, 3), Place(f"{FILE}#cell-2", 14, "train_step"))
#: One row of every kind in which no field has its default value.
ROWS = {
    "operations": schema.Operation(
        1,
        "CustomGradient",
        20,
        (7, 8),
        (9, 10),
        ("float32", "resource"),
        ("float16", "bool"),
        ((None, 4), None, ()),
        STACK,
        5,
        (2, 3),
        17,
        18,
        ("flows", "none"),
        (30, 31),
        19,
        "straight_through",
        Place(FILE, 40, "grad"),
    ),
    "graphs": schema.Graph(2, "step\nname", (7, 8), (9,), ((7, 8), (1 << 62, 9)), 4),
    "variables": schema.Variable(
        3, "kernel", (None, 4), "float32", False, True, 12, STACK, first="ab", last="cd", dead=True
    ),
    "modules": schema.Module(
        4, "g", "Sequential", True, True, (7, 8), (7,), (9,), STACK, STACK[:1], used=True, loaded=True, trainable=False
    ),
    "layer_calls": schema.LayerCall(5, 4, 6, 20, STACK, (7,), (8, 9), ended=11),
    "tapes": schema.Tape(
        6,
        STACK,
        20,
        True,
        False,
        ended=9,
        pauses=[(1, 2, STACK), (3, 0, ())],
        resets=[(4, STACK)],
        watched=[(7, 5)],
        watching=[STACK],
    ),
    "gradient_calls": schema.GradientCall(
        7, 6, STACK, 20, "jacobian", (8,), (9, 10), ("none", "tensor"), (None, 11), "LookupError: x", True, ended=12
    ),
    "optimizers": schema.Optimizer(
        8,
        "adam",
        "Adam",
        STACK,
        (0.1, 0.0, 1e-300, math.inf),
        (7, 8),
        "norm",
        0.5,
        loss_scale=1024.0,
        scales=3,
        inner=5,
    ),
    "applies": schema.Apply(9, 8, STACK, 20, (None, 11), (7, 8), "ValueError: y", by_framework=True),
    "list_reads": schema.ListRead(10, 4, "trainable_variables", (7, 8), STACK, 20),
    "freezes": schema.Freeze(11, 4, True, STACK),
    "departures": schema.Departure(12, ".numpy()", STACK, 7, 4),
    "train_calls": schema.TrainCall(13, 4, "fit", STACK, 3, 5),
    "writes": schema.Write(14, 7, STACK, "set_weights"),
    "failures": schema.Failure(
        "ValueError", "No gradients;\r\n\tprovided \x1b[31m", STACK, ("keras.optimizers:apply",), id=15
    ),
    "probes": schema.Probe(16, 7, 120, (0.5, -math.inf), kept=False),
    "measures": schema.Measure(
        17,
        16,
        9,
        1,
        "Sigmoid",
        (8, 4),
        "float16",
        mean=0.5,
        spread=0.1,
        low=-1.0,
        high=math.inf,
        nonfinite=0.25,
        zeros=0.125,
        across=0.2,
        slope=0.01,
        flat=0.9,
        fired="f0",
        units=4,
        gradient=1e-9,
        gradient_zeros=0.5,
        gradient_high=2e-9,
    ),
    "summands": schema.Summand(18, 16, 9, -0.25, -10.0, 12, (0.5, -1.0)),
    "profiles": schema.Profile(19, 7, 9, 1, 1, 2, 16, (-1.0, 1.0), (0.3, 1.3), (-0.3, -0.7), (0.1, 0.2)),
    "origins": schema.Origin(
        20,
        7,
        3,
        operation=1,
        forward=2,
        order=1,
        source="operation",
        value=9,
        share=0.5,
        infinite=True,
        dtype="float32",
        lows=(0.0, -1.0),
        highs=(1.0, math.inf),
        zeros=(0.5, 0.0),
        losses=(1.0, -math.inf),
        weights=2,
        reproduced=False,
        note="it came out finite",
    ),
    "batches": game.Batch(
        id=23,
        owner=16,
        place="output",
        value=9,
        shape=(2, 3),
        dtype="float32",
        mean=(0.5, -1.0, 0.0),
        spread=(0.1, 0.2, 0.0),
        low=(-1.0, -2.0, 0.0),
        high=(1.0, math.inf, 0.0),
        nonfinite=0.25,
        whole=0.5,
        levels=4,
        digests=(1, (1 << 63) - 1),
        generated=0.5,
        made=(1,),
        begin=1,
        end=2,
        ends=(-1.0, math.inf),
        activation="Relu",
        activated=1,
        form=(2, 3),
        pooled=True,
        entries=zlib.compress(np.arange(6, dtype="<f4").tobytes()),
    ),
    "showings": game.Showing(24, 4, "predict", STACK, 3),
    "responses": game.Response(25, 16, 9, 10, 0.5, math.inf),
}
#: The same kinds with nothing but what has to be given.
BARE = [
    schema.Operation(101, "NoOp", 0, (), ()),
    schema.Graph(102, ""),
    schema.Variable(103, "", (), ""),
    schema.Module(104, "", ""),
    schema.LayerCall(105, 4, None, 0, ()),
    schema.Tape(106, (), 0),
    schema.GradientCall(107, 6, (), 0),
    schema.Optimizer(108, "", ""),
    schema.Apply(109, 8, (), 0),
    schema.ListRead(110, 4, "", (), (), 0),
    schema.Freeze(111, 4, False, ()),
    schema.Departure(112, "", ()),
    schema.TrainCall(113, 4, "", ()),
    schema.Write(114, 7, ()),
    schema.Failure("", "", id=115),
    schema.Probe(116, 107, 0),
    schema.Measure(117, 116, 9, 0, ""),
    schema.Summand(118, 116, 9, 0.0),
    schema.Profile(119, 107, 9, 0),
    schema.Origin(120, 107, 0),
    game.Batch(121, 116, "given", 9, (), ""),
    game.Showing(122, 4, "call"),
    game.Response(123, 116, 9, 10, 0.0, 0.0),
]


def series() -> dict[int, Series]:
    """One of gradients with a step that is not finite, and one of what an optimizer was given."""
    rng = np.random.default_rng(0)
    first = Series(21, 7, (7, 8), 1)
    rows = rng.random((40, first.width), np.float32)
    rows[30, 0] = np.nan
    first.add(list(range(40)), rows)
    second = Series(22, 9, (7,), 0, applied=True)
    second.add([3, 4, 9], rng.random((3, second.width), np.float32))
    for one in (first, second):
        one.budget = BUDGET_BYTES // 2
    return {21: first, 22: second}


def snapshots() -> dict[int, Snapshot]:
    """A step with tensors of several types, and one for which there was no room."""
    batch = pack(np.arange(6, dtype=np.float32).reshape(2, 3), "float32")
    given = {9: batch, 10: pack(np.array(True), "bool"), 11: pack(np.zeros((0, 4), np.int64), "int64")}
    half = Kept("bfloat16", pack(np.array([16256, 32640], np.uint16), "bfloat16").npy)
    return {
        20: Snapshot(20, 7, 107, 3, given, {3: half}),
        120: Snapshot(120, 107, 107, 0, note="the step takes 600 MB"),
    }


def full() -> Record:
    record = Record(sources={FILE: "x = 'ä'\n", "empty.py": ""}, facts={"complete": "yes", "tensorflow": "2.21"})
    for (table, kind), bare in zip(TABLES.items(), BARE, strict=True):
        assert type(bare) is kind
        getattr(record, table).update({ROWS[table].id: ROWS[table], bare.id: bare})
    record.series, record.snapshots = series(), snapshots()
    record.attributes = {1: '["T", {"bytes": "AQ=="}]', 2: "[]"}
    return record
