"""A generator and the discriminator that fits it."""

from __future__ import annotations

from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class Networks:
    """A generator and a discriminator that belong together: what one puts out, the other reads.

    Attributes:
        generator: Keras model; latents, float (batch, latent_size), or [latents, labels] with labels int32 (batch,), become
            samples (batch, *sample_shape), float32.
        discriminator: Keras model; samples, or [samples, labels], become raw scores (batch, 1), float32.
    """

    generator: keras.Model
    discriminator: keras.Model

    @property
    def latent_size(self) -> int:
        """How many numbers a latent vector has."""
        return int(self.generator.inputs[0].shape[-1])

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one sample, without the batch."""
        return tuple(int(size) for size in self.discriminator.inputs[0].shape[1:])

    @property
    def conditional(self) -> bool:
        """Whether both networks read labels beside latents and samples."""
        return len(self.generator.inputs) == 2
