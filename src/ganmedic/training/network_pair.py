"""Do two networks make a GAN?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from ganmedic import checking


@dataclass
class NetworkPair:
    """Looks at a generator and a discriminator, and builds what is not built yet.

    Args:
        generator, discriminator: Keras models.
        latent_shape: shape of one latent; read off the generator where it is None.
        classes: number of classes; None for none.

    Attributes:
        sample_shape: shape of one sample.

    Raises:
        TypeError, ValueError: they do not fit each other.
    """

    generator: Any
    discriminator: Any
    latent_shape: Any
    classes: int | None

    def __post_init__(self) -> None:
        for name in ("generator", "discriminator"):
            network = getattr(self, name)
            if not isinstance(network, keras.Model):
                raise TypeError(
                    f"GAN: {name} is {network!r}; a keras.Model is expected, Sequential, functional or a class."
                )
        if self.generator is self.discriminator:
            raise ValueError("GAN: generator and discriminator are the same model; two are expected.")
        if self.classes is not None:
            self.classes = checking.whole("GAN", "classes", self.classes, low=2)
        self._check_inputs()
        if self.latent_shape is None:
            self.latent_shape = self._latent_shape()
        self.latent_shape = tuple(
            checking.whole("GAN", "latent_shape", size, low=1) for size in tuple(self.latent_shape)
        )
        samples = self._made()
        if samples.shape.rank is None or samples.shape.rank < 2:
            raise ValueError(
                f"GAN: the generator gives {samples.shape}; (batch, ...) is expected, one sample for each latent."
            )
        self.sample_shape = tuple(int(size) for size in samples.shape[1:])
        self._check_discriminator(samples)

    def _check_inputs(self) -> None:
        for name in ("generator", "discriminator"):
            inputs = getattr(getattr(self, name), "inputs", None)
            if not inputs:
                continue
            expected = 1 if self.classes is None else 2
            if len(inputs) != expected:
                what = "latents" if name == "generator" else "samples"
                raise ValueError(
                    f"GAN: the {name} takes {len(inputs)} inputs; {expected} "
                    + (
                        f"is expected, the {what}. If it reads labels, say how many classes there are: GAN(..., classes=10)."
                        if self.classes is None
                        else f"are expected, {what} and labels, for classes={self.classes}."
                    )
                )

    def _latent_shape(self) -> tuple[int, ...]:
        inputs = getattr(self.generator, "inputs", None)
        shape = tuple(inputs[0].shape[1:]) if inputs else ()
        if not shape or None in shape:
            raise ValueError(
                f"GAN: the generator does not say which latents it takes ({shape or 'it is a class without an Input'}). "
                "Say it: GAN(..., latent_shape=(128,))."
            )
        return shape

    def _labels(self) -> Any:
        return tf.zeros([2], tf.int32)

    def _made(self) -> Any:
        latents = tf.zeros([2, *self.latent_shape])
        inputs = latents if self.classes is None else [latents, self._labels()]
        return _called("generator", self.generator, inputs, f"latents of shape (batch, {_listed(self.latent_shape)})")

    def _check_discriminator(self, samples: Any) -> None:
        inputs = getattr(self.discriminator, "inputs", None)
        wanted = tuple(inputs[0].shape[1:]) if inputs else None
        if wanted is not None and len(wanted) != len(self.sample_shape):
            raise ValueError(
                f"GAN: the generator gives samples of shape {self.sample_shape}, and the discriminator takes {wanted}; the same shape is "
                "expected."
            )
        packed = 1
        if wanted is not None and wanted[-1] is not None and wanted[:-1] == self.sample_shape[:-1]:
            # PacGAN: the discriminator sees several samples side by side.
            packed = wanted[-1] // self.sample_shape[-1] if wanted[-1] % self.sample_shape[-1] == 0 else 0
        if packed == 0 or (
            wanted is not None
            and any(a is not None and a != b for a, b in zip(wanted[:-1], self.sample_shape[:-1], strict=True))
        ):
            raise ValueError(
                f"GAN: the generator gives samples of shape {self.sample_shape}, and the discriminator takes {wanted}; the same shape is "
                "expected."
            )
        shown = tf.concat([samples] * packed, -1)
        scores = _called(
            "discriminator",
            self.discriminator,
            shown if self.classes is None else [shown, self._labels()],
            f"samples of shape (batch, {_listed(self.sample_shape)})",
        )
        if scores.shape.rank is None or scores.shape.rank < 1 or scores.shape[0] != 2:
            raise ValueError(
                f"GAN: the discriminator gives {scores.shape} for two samples; (batch, 1) or (batch, ...) is expected."
            )


def _called(name: str, network: Any, inputs: Any, what: str) -> Any:
    with tf.init_scope():
        try:
            result = network(inputs, training=False)
        except Exception as error:
            raise ValueError(f"GAN: the {name} cannot be called with {what}: {error}") from error
    if not tf.is_tensor(result):
        raise ValueError(f"GAN: the {name} gives {type(result).__name__}; one tensor is expected.")
    return result


def _listed(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
