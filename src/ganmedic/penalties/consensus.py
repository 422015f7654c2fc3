"""Consensus optimisation: both players are drawn to where neither wants to move."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import replicas
from ganmedic.gradients import squared_norm
from ganmedic.networks_inside import takes_training
from ganmedic.penalties.evaluation import Evaluation
from ganmedic.penalties.penalty import Penalty
from ganmedic.scheduled import Schedule


class Consensus(Penalty):
    """γ/2 · ‖v‖², v = (∇ L_G by the generator's weights, ∇ L_D by the discriminator's).

    To be added to the losses of BOTH players, each differentiated by its own weights. It draws to any stationary point, so γ is to
    be small enough that the game still decides. Both networks have `trainable_variables`.

    Called as `penalty(discriminator, real, generator=generator, latents=z, loss=loss)`; the samples are made inside, for the
    penalty needs their gradient by the generator's weights.

    Args:
        weight: γ, or a schedule; 10 for the paper's CelebA networks, 0.1 for smaller ones.

    Raises:
        ValueError: in a call, something is missing, or a network has no trainable variables.

    References:
        Mescheder, Nowozin, Geiger 2017, *The Numerics of GANs*, arXiv 1705.10461, section 4, algorithm 2.
    """

    player = "both"
    extras = ("generator", "latents", "loss")

    def __init__(self, weight: Schedule = 10.0) -> None:
        super().__init__(weight)

    def unweighted(self, evaluation: Evaluation, **extras: Any) -> Any:
        """½ ‖v‖²."""
        generator, discriminator, loss = extras["generator"], evaluation.discriminator, extras["loss"]
        generator_variables = _variables("generator", generator)
        discriminator_variables = _variables("discriminator", discriminator)
        with tf.GradientTape(persistent=True) as inner:
            training = {"training": evaluation.training} if takes_training(generator) else {}
            fake = generator(extras["latents"], **training)
            scored = Evaluation(discriminator, evaluation.real, fake, training=evaluation.training)
            generator_loss = loss.generator(scored.real_scores, scored.fake_scores)
            discriminator_loss = loss.discriminator(scored.real_scores, scored.fake_scores)
        gradients = [
            *inner.gradient(generator_loss, generator_variables),
            *inner.gradient(discriminator_loss, discriminator_variables),
        ]
        # Of several replicas the norm is that of the mean gradient, as it would be on one.
        squares = [squared_norm(replicas.mean(gradient)) for gradient in gradients if gradient is not None]
        if not squares:
            raise ValueError(
                "Consensus: no variable of either network has a gradient, so there is nothing to agree on. "
                "`ganmedic check` on the script names what cuts them."
            )
        return 0.5 * tf.add_n(squares)


def _variables(role: str, network: Any) -> list[Any]:
    variables = list(getattr(network, "trainable_variables", ()))
    if not variables:
        raise ValueError(
            f"Consensus: the {role} {network!r} has no trainable_variables; a built Keras network is expected, for the penalty "
            "is the gradient by its weights. Call the network once, or hand over the model instead of a function."
        )
    return variables
