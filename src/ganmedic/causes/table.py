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
    "log_of_zero",
    "norm_at_zero",
    "fp16_overflow",
    "penalty_miscomputed",
    "unbounded_critic",
    "learning_rate_too_high",
    "exploding_gradients",
    "logits_mismatch",
    "output_loss_mismatch",
    "saturating_generator_loss",
    "discriminator_saturated",
    "saturated_activation",
    "dead_relu",
    "depth_attenuation",
    "weight_clipping",
    "clip_too_tight",
    "loss_weight_imbalance",
    "fp16_underflow",
)
