"""Rows of every kind, with every field filled and with as few as a row can have."""

from __future__ import annotations

import math

from ganmedic.record import schema
from ganmedic.record.record import Record
from ganmedic.record.schema import Place
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
    "optimizers": schema.Optimizer(8, "adam", "Adam", STACK, (0.1, 0.0, 1e-300, math.inf), (7, 8)),
    "applies": schema.Apply(9, 8, STACK, 20, (None, 11), (7, 8), "ValueError: y", by_framework=True),
    "list_reads": schema.ListRead(10, 4, "trainable_variables", (7, 8), STACK, 20),
    "freezes": schema.Freeze(11, 4, True, STACK),
    "departures": schema.Departure(12, ".numpy()", STACK, 7, 4),
    "train_calls": schema.TrainCall(13, 4, "fit", STACK, 3, 5),
    "writes": schema.Write(14, 7, STACK, "set_weights"),
    "failures": schema.Failure(
        "ValueError", "No gradients;\r\n\tprovided \x1b[31m", STACK, ("keras.optimizers:apply",), id=15
    ),
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
]


def full() -> Record:
    record = Record(sources={FILE: "x = 'ä'\n", "empty.py": ""}, facts={"complete": "yes", "tensorflow": "2.21"})
    for (table, kind), bare in zip(TABLES.items(), BARE, strict=True):
        assert type(bare) is kind
        getattr(record, table).update({ROWS[table].id: ROWS[table], bare.id: bare})
    return record
