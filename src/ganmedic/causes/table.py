"""The causes that ganmedic knows, one line a cause, in the order in which they are listed and asked."""

from __future__ import annotations

#: Names of the modules in this package. A slug is the name with its underscores turned into hyphens.
CAUSES: tuple[str, ...] = (
    "variable_unused",
    "non_differentiable_op",
    "left_tensorflow",
    "outside_tape",
    "stop_gradient",
    "frozen",
    "unbuilt_variables",
    "wrong_pairing",
    "not_applied",
    "variables_left_out",
    "state_write",
    "no_second_order_gradient",
    "penalty_miscomputed",
)
