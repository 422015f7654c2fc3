"""What the augmentations have in common: draw the parameters, apply them, and do it to a pair alike."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic.augmentation import batches
from ganmedic.augmentation.draws import Draws, checked_seed
from ganmedic.correction import Correction
from ganmedic.randomness import RandomStream

#: Parameters by name; the first axis of each is the sample.
Drawn = dict[str, Any]


class Augmentation(Correction):
    """Base of the augmentations: a random transformation of images through which gradients of any order pass exactly.

    Everything that reaches D goes through the one object, real and fake, in the step of D and in that of G::

        real_scores = discriminator(augment(real), training=True)
        fake_scores = discriminator(augment(generator(noise)), training=True)

    Real and fake have a draw each, from the same distribution; that is what makes the two sides comparable. `pair` gives
    sample i of both the same draw, for losses and penalties that compare them one by one. For R1, take the gradient
    with respect to the images before they are augmented or after: both are exact, and NVIDIA takes the former.

    Draws come from a stream that a checkpoint keeps and that differs from replica to replica; under a `tf.distribute` strategy
    make the object inside of `strategy.scope()`. Eager code, a graph and XLA draw the same numbers.

    Args:
        seed: of the stream of draws; None for one that Python's `random` draws.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__()
        self.seed = seed
        self._stream = RandomStream(seed)

    def __call__(self, images: Any, seed: Any = None) -> Any:
        """Transforms each sample by a draw of its own.

        Args:
            images: float tensor (batch, height, width, channels), in the range of the generator's output.
            seed: None for the next draw of the stream; two whole numbers, int64 (2,), for a draw that can be had again, the same
                on every replica.

        Returns:
            Tensor of the same shape and type.

        Raises:
            TypeError, ValueError: no float images came, or no such seed.
        """
        images = self._accepted("images", images)
        return self._transformed([images], self._seed_of(seed))[0]

    def pair(self, real: Any, fake: Any, seed: Any = None) -> tuple[Any, Any]:
        """Transforms sample i of both by the same draw; arguments as for a call, both of the same shape.

        Raises:
            TypeError, ValueError: one of them is no batch of float images, or their shapes differ.
        """
        real, fake = self._accepted("real", real), self._accepted("fake", fake)
        batches.refuse_unequal(type(self).__name__, real, fake)
        first, second = self._transformed([real, fake], self._seed_of(seed))
        return first, second

    def draw(self, images: Any, seed: Any = None) -> Drawn:
        """The parameters of a call, a tensor each, without the transformation; arguments as for a call."""
        return self._drawn(self._accepted("images", images), self._seed_of(seed))

    def apply(self, images: Any, drawn: Drawn) -> Any:
        """Transforms images by parameters that `draw` gave for a batch of this size.

        Raises:
            TypeError, ValueError: no float images came, or the parameters are those of another number of samples.
        """
        images = self._accepted("images", images)
        for name, values in drawn.items():
            if not values.shape[:1].is_compatible_with(images.shape[:1]):
                raise ValueError(
                    f"{type(self).__name__}: {name} was drawn for {values.shape[0]} samples, and {images.shape[0]} came. "
                    "Draw for a batch of the same size."
                )
        return tf.cast(self._applied(tf.cast(images, batches.widened_type(images)), drawn), images.dtype)

    def _accepted(self, name: str, images: Any) -> Any:
        return batches.accepted(type(self).__name__, name, images)

    def _seed_of(self, seed: Any) -> Any:
        return self._stream.next_seed() if seed is None else checked_seed(type(self).__name__, seed)

    def _drawn(self, images: Any, seed: Any) -> Drawn:
        return self._parameters(Draws(seed, tf.shape(images)[0]), images)

    def _transformed(self, group: list[Any], seed: Any) -> list[Any]:
        """Every batch of the group by the same draw."""
        drawn = self._drawn(group[0], seed)
        return [self.apply(images, drawn) for images in group]

    def _parameters(self, draws: Draws, images: Any) -> Drawn:
        """What `apply` needs, drawn for the samples of `images`."""
        raise NotImplementedError

    def _applied(self, images: Any, drawn: Drawn) -> Any:
        """The transformation, in float32 or float64."""
        raise NotImplementedError
