"""One step of each player."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from ganmedic import precision, replicas
from ganmedic.clipping.measured import measure
from ganmedic.objectives import Objective, discriminator_objective, generator_objective
from ganmedic.training.parts import Parts
from ganmedic.updating import update


class Play:
    """The steps of two networks with these parts.

    Args:
        generator, discriminator: the networks.
        parts: what `GAN.compile` made.
        latents: called with the number of samples, gives latents for the generator.
    """

    def __init__(self, generator: Any, discriminator: Any, parts: Parts, latents: Any) -> None:
        self.generator, self.discriminator, self.parts, self.latents = generator, discriminator, parts, latents

    def round(self, real: Any, labels: Any) -> dict[str, Any]:
        """A step of the discriminator, then one of the generator, on the same real samples and latents of their own.

        Args:
            real: float tensor (batch, ...), normalised.
            labels: int tensor (batch,); None without classes.

        Returns:
            The figures of the step.
        """
        if self.parts.simultaneous:
            return self._at_once(real, labels)
        figures, generator_goes = self.of_discriminator(real, labels)
        return {**figures, **self.of_generator(real, labels, when=generator_goes)}

    def of_discriminator(self, real: Any, labels: Any) -> tuple[dict[str, Any], Any]:
        """The discriminator's step; its figures, and whether the generator's may follow."""
        parts = self.parts
        latents = self._latents(real, labels)
        fake = self.generator(latents, training=True)
        shown_real, shown_fake = self._shown(real, fake, step=True)
        persistent = parts.adaptive_weights is not None
        with tf.GradientTape(persistent=persistent) as tape:
            objective = self._judged(shown_real, shown_fake, labels, latents)
            scaled = precision.scaled(parts.optimizers["discriminator"], objective.total)
            if persistent:
                halves = self._halves(objective)
        scores = (objective.real_scores, objective.fake_scores)
        variables = self.discriminator.trainable_variables
        gradients = self._weighted(tape, halves, scores, variables) if persistent else tape.gradient(scaled, variables)
        del tape
        goes, generator_goes = (True, True) if parts.skipping is None else parts.skipping(parts.loss, *scores)
        norm = self._update("discriminator", gradients, variables, goes)
        return {**self._figures_of_discriminator(objective, scores), "d_gradient_norm": norm}, generator_goes

    def of_generator(self, real: Any, labels: Any, *, when: Any = True) -> dict[str, Any]:
        """The generator's step; its figures."""
        parts = self.parts
        with tf.GradientTape() as tape:
            latents = self._latents(real, labels)
            fake = self.generator(latents, training=True)
            objective = self._pleased(real, fake, labels, latents)
            scaled = precision.scaled(parts.optimizers["generator"], objective.total)
        variables = self.generator.trainable_variables
        norm = self._update("generator", tape.gradient(scaled, variables), variables, when)
        if parts.ema is not None:
            parts.ema.update(self.generator, batch_size=tf.shape(real)[0] * replicas.count())
        return {**self._figures_of_generator(objective), "g_gradient_norm": norm}

    # --- inside -------------------------------------------------------------------------------------------------------

    def _at_once(self, real: Any, labels: Any) -> dict[str, Any]:
        """Both gradients from the same pass: half the forward work, and simultaneous descent in the theory's sense."""
        parts = self.parts
        latents = self._latents(real, labels)
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(latents, training=True)
            shown_real, shown_fake = self._shown(real, fake, step=True)
            judged = self._judged(shown_real, shown_fake, labels, latents)
            adversarial = parts.loss.generator(
                judged.real_scores if parts.loss.needs_real else None, judged.fake_scores
            )
            if parts.generator_penalties:
                pleased = self._pleased(real, fake, labels, latents)
                total = adversarial + tf.add_n(
                    [tf.cast(each, adversarial.dtype) for each in pleased.penalties.values()]
                )
            else:
                pleased, total = Objective(adversarial, adversarial, None, judged.fake_scores), adversarial
            scaled = {
                "discriminator": precision.scaled(parts.optimizers["discriminator"], judged.total),
                "generator": precision.scaled(parts.optimizers["generator"], total),
            }
        networks = {"discriminator": self.discriminator, "generator": self.generator}
        variables = {player: network.trainable_variables for player, network in networks.items()}
        gradients = {player: tape.gradient(scaled[player], variables[player]) for player in networks}
        del tape
        norms = {player: self._update(player, gradients[player], variables[player], True) for player in networks}
        if parts.ema is not None:
            parts.ema.update(self.generator, batch_size=tf.shape(real)[0] * replicas.count())
        scores = (judged.real_scores, judged.fake_scores)
        return {
            **self._figures_of_discriminator(judged, scores),
            **self._figures_of_generator(pleased),
            "d_gradient_norm": norms["discriminator"],
            "g_gradient_norm": norms["generator"],
        }

    def _latents(self, real: Any, labels: Any) -> Any:
        latents = self.latents(tf.shape(real)[0])
        return latents if labels is None else [latents, labels]

    def _shown(self, real: Any, fake: Any, *, step: bool) -> tuple[Any, Any]:
        """Both batches as the discriminator sees them: noisy, augmented, packed."""
        parts = self.parts
        if parts.noise is not None:
            real, fake = parts.noise(real, fake, step=step)
        if parts.augmentation is not None:
            real, fake = (None if real is None else parts.augmentation(real)), parts.augmentation(fake)
        if parts.packing is not None:
            real, fake = (None if real is None else parts.packing(real)), parts.packing(fake)
        return real, fake

    def _judged(self, real: Any, fake: Any, labels: Any, latents: Any) -> Objective:
        return discriminator_objective(
            self.parts.loss,
            self.discriminator,
            _with(real, labels),
            _with(fake, labels),
            penalties=self.parts.discriminator_penalties,
            clip=self.parts.clips["discriminator"],
            **self._extras(latents),
        )

    def _pleased(self, real: Any, fake: Any, labels: Any, latents: Any) -> Objective:
        parts = self.parts
        compared = parts.loss.needs_real or any(each.player == "both" for each in parts.generator_penalties)
        shown_real, shown_fake = self._shown(real if compared else None, fake, step=False)
        return generator_objective(
            parts.loss,
            self.discriminator,
            None if shown_real is None else _with(shown_real, labels),
            _with(shown_fake, labels),
            penalties=parts.generator_penalties,
            sample_weight=parts.top_k,
            **self._extras(latents),
        )

    def _extras(self, latents: Any) -> dict[str, Any]:
        if not isinstance(latents, list):
            return {"generator": self.generator, "latents": latents}
        drawn, labels = latents

        def generator(given: Any, training: bool = True) -> Any:
            return self.generator([given, labels], training=training)

        return {"generator": generator, "latents": drawn}

    def _update(self, player: str, gradients: Any, variables: Any, when: Any) -> Any:
        """Applies a player's gradients; their norm, as they came."""
        parts, norms = self.parts, []

        def seen(unscaled: list[Any]) -> None:
            norms.append(measure([each for each in unscaled if each is not None]))

        update(
            parts.optimizers[player],
            gradients,
            variables,
            clip=parts.clips[player],
            guard=parts.guard,
            accumulation=parts.accumulations[player],
            when=when,
            seen=seen,
        )
        measured = norms[0]
        return tf.where(tf.reduce_all(measured.finite), tf.cast(measured.global_norm, tf.float32), float("nan"))

    def _halves(self, objective: Objective) -> tuple[Any, Any, Any]:
        """The loss on real samples, that on generated ones, and the penalties; each scaled."""
        optimizer = self.parts.optimizers["discriminator"]
        on_real, on_fake = self.parts.loss.discriminator_terms(objective.real_scores, objective.fake_scores)
        penalties = list(objective.penalties.values())
        rest = precision.scaled(optimizer, tf.add_n(penalties)) if penalties else None
        return precision.scaled(optimizer, on_real), precision.scaled(optimizer, on_fake), rest

    def _weighted(self, tape: Any, halves: tuple[Any, Any, Any], scores: tuple[Any, Any], variables: Any) -> list[Any]:
        """The gradients of the adaptively weighted loss, scaled as the optimizer expects them."""
        optimizer = self.parts.optimizers["discriminator"]
        on_real, on_fake, rest = halves
        pair = [precision.unscaled(optimizer, tape.gradient(half, variables)) for half in (on_real, on_fake)]
        weighted = self.parts.adaptive_weights(self.parts.loss, *scores, *pair)
        scale = precision.scale_of(optimizer)
        if scale is not None:
            weighted = precision.multiplied(weighted, scale)
        if rest is None:
            return list(weighted)
        more = tape.gradient(rest, variables)
        return [_sum(first, second) for first, second in zip(weighted, more, strict=True)]

    def _figures_of_discriminator(self, objective: Objective, scores: tuple[Any, Any]) -> dict[str, Any]:
        parts, (real, fake) = self.parts, scores
        figures = {
            "d_loss": objective.adversarial,
            "real_score": tf.reduce_mean(real),
            "fake_score": tf.reduce_mean(fake),
            "d_accuracy": parts.loss.accuracy(real, fake),
            **_named("d", objective.penalties),
        }
        if hasattr(parts.augmentation, "observe"):
            parts.augmentation.observe(parts.loss, real, fake)
        if hasattr(parts.augmentation, "probability"):
            figures["augmentation_probability"] = parts.augmentation.probability
        return figures

    def _figures_of_generator(self, objective: Objective) -> dict[str, Any]:
        return {"g_loss": objective.adversarial, **_named("g", objective.penalties)}


def _with(samples: Any, labels: Any) -> Any:
    return samples if labels is None else [samples, labels]


def _named(letter: str, penalties: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{letter}_{name}": value for name, value in penalties.items()}


def _sum(first: Any, second: Any) -> Any:
    if first is None or second is None:
        return second if first is None else first
    return first + tf.cast(second, first.dtype)
