"""Adaptive discriminator augmentation (ADA): as much augmentation as D's overfitting calls for."""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf

from ganmedic import checking
from ganmedic.augmentation import batches, colour, corruption, geometry
from ganmedic.augmentation.augmentation import Augmentation, Drawn
from ganmedic.augmentation.draws import Draws
from ganmedic.augmentation.overfitting import OverfittingControl
from ganmedic.augmentation.skipping import when

_GROUPS = "bgcno"


class AdaptiveAugmentation(Augmentation):
    """A long pipeline of transformations, each applied to a sample with probability p; p follows how far D overfits.

    For data sets of 1000 to 100 000 images, where it is not known how much augmentation they need. While p stays well below 1,
    the generator can tell the augmented distribution from the plain one, and nothing of the pipeline leaks into
    its images; at p near 1 a rotation by any angle does.

    r_t = E[sign(margin)] over the real images of `interval` batches; p <- p + sign(r_t - target) batch interval / images, between 0
    and `max_probability`. Each step of D ends with `update` or `observe`; without it p stays what it is.

    The pipeline, in this order, with U uniform on [-1, 1] and N standard normal:

    * `b`: mirroring for half; 0 to 3 quarter turns; a shift by up to 0.125 of the sides, whole pixels.
    * `g`: zoom 2^(0.2 N); rotation by pi U before and after a stretch 2^(0.2 N) of one side against the other, with a probability
      1 - sqrt(1 - p) each, so that p of the samples are rotated; a shift by 0.125 N of the sides.
    * `c`: brightness + 0.2 N; contrast times 2^(0.5 N); light and dark exchanged for half; hue turned by pi U; saturation times 2^N.
      Grey images (one channel) have neither hue nor saturation; other numbers of channels than 1 and 3 are refused.
    * `n`: noise of standard deviation 0.1 |N|.
    * `o`: a rectangle of half the sides set to zero.

    It deviates from the authors' code in the following. Images are interpolated bilinearly, without their oversampling by a wavelet
    filter, so that rotated images are a little softer. What comes in at the border is the image mirrored again and again;
    theirs is mirrored once and then black. The image-space filter `f` is not offered, and what they call the second `c`, cutout, is `o`.
    p ends at 1, theirs at no bound. At p = 0 images come back unchanged, to the last bit, and no image is computed.

    Augmenting the real images alone teaches the generator the augmentation: fake images have to go through it as well, in
    the step of D and in that of G, and the gradient passes. In the usual use real and fake have a draw each, from
    the same distribution; `pair` draws once for sample i of both.

    Args:
        target: r_t at which p stays, above -1 and below 1.
        interval: batches between two changes of p.
        images: number of real images in which p goes from 0 to 1; the paper's 500 000 are slow for a short training.
        initial_probability: p before the first change, 0 to `max_probability`.
        max_probability: upper bound of p, above 0 and at most 1.
        pipeline: letters of the groups, such as `b`, `bg`, `bgc`. The constants are made for images in [-1, 1].
        seed: of the stream of draws; None for one that Python's `random` draws.

    Raises:
        TypeError, ValueError: an argument is out of its bounds, or the pipeline has none of the letters, another or one twice.

    Example:
        >>> augment = AdaptiveAugmentation(images=64, interval=1, seed=1)
        >>> augment.update(tf.ones((32, 1)))
        >>> float(augment.probability), float(augment.overfitting)
        (0.5, 1.0)
        >>> augment(tf.ones((8, 32, 32, 3))).shape
        TensorShape([8, 32, 32, 3])

    References:
        Karras, Aittala, Hellsten, Laine, Lehtinen, Aila, *Training Generative Adversarial Networks with Limited Data*, 2020,
        https://arxiv.org/abs/2006.06676, sections 2 and 3, appendix B.
    """

    def __init__(
        self,
        target: float = 0.6,
        interval: int = 4,
        images: float = 500_000,
        initial_probability: float = 0.0,
        max_probability: float = 1.0,
        pipeline: str = "bgc",
        seed: int | None = None,
    ) -> None:
        super().__init__(seed)
        owner = type(self).__name__
        self.target = checking.number(owner, "target", target, above=-1.0, below=1.0)
        self.interval = checking.whole(owner, "interval", interval)
        self.images = checking.number(owner, "images", images, above=0.0)
        self.max_probability = checking.number(owner, "max_probability", max_probability, above=0.0, high=1.0)
        self.initial_probability = checking.number(
            owner, "initial_probability", initial_probability, low=0.0, high=self.max_probability
        )
        self.pipeline = _letters(pipeline)
        self._control = OverfittingControl(
            target=self.target,
            interval=self.interval,
            images=self.images,
            initial=self.initial_probability,
            maximum=self.max_probability,
        )

    @property
    def probability(self) -> Any:
        """p, float32 scalar, 0 to `max_probability`."""
        return self._control.probability

    @property
    def overfitting(self) -> Any:
        """r_t of the last interval, float32 scalar, -1 to 1; 0 before the first is over. Near 1, D knows the data by heart."""
        return self._control.overfitting

    def update(self, margins: Any) -> None:
        """Counts how D judged one batch of real images, and moves p when the interval is over.

        Args:
            margins: float tensor (batch, ...), positive where D takes a real image as real. Raw scores will do for the
                non-saturating and the hinge loss, whose boundary is 0; for Wasserstein and relativistic losses see `observe`.

        Raises:
            TypeError, ValueError: no floats came, or a single number, which has no batch to count.
        """
        margins = tf.convert_to_tensor(margins)
        if not margins.dtype.is_floating:
            raise TypeError(
                f"AdaptiveAugmentation: margins are {margins.dtype.name}; a floating type is expected. "
                "Give the raw scores of D on the real images, or call observe(loss, real_scores, fake_scores)."
            )
        if margins.shape.rank == 0:
            raise ValueError(
                "AdaptiveAugmentation: margins is a single number; a tensor (batch, ...) is expected. "
                "Give the scores as they are, before any mean is taken."
            )
        self._control.update(margins)

    def observe(self, loss: Any, real_scores: Any, fake_scores: Any) -> None:
        """As `update`, with the margins that a loss makes of the scores.

        A loss without a boundary of its own, Wasserstein or relativistic, measures real scores against the mean of the fake ones.

        Args:
            loss: a loss of `ganmedic.losses`, or any object whose `margins(real_scores, fake_scores)` gives two tensors.
            real_scores, fake_scores: float tensors (batch, ...), raw scores of D.

        Raises:
            TypeError: the loss gives no margins.
        """
        if not hasattr(loss, "margins"):
            raise TypeError(
                f"AdaptiveAugmentation: loss is {loss!r}, which has no margins(real_scores, fake_scores); a loss of "
                "ganmedic.losses is expected. With a loss of your own call update(margins)."
            )
        real_margins, _ = loss.margins(real_scores, fake_scores)
        self.update(real_margins)

    def _accepted(self, name: str, images: Any) -> Any:
        images = super()._accepted(name, images)
        if "c" in self.pipeline:
            colour.refuse_channels(type(self).__name__, images.shape[-1])
        return images

    def _transformed(self, group: list[Any], seed: Any) -> list[Any]:
        # The stream has moved on by now, whether p is 0 or not: p does not shift the draws of what follows.
        active = self.probability > 0.0
        if tf.executing_eagerly():
            return super()._transformed(group, seed) if active else group
        composed = [self._composed(images, self._drawn(group[0], seed)) for images in group]
        return [
            when(active, partial(self._run, composed=parts), partial(self._run, composed=_linear(parts)), images)
            for images, parts in zip(group, composed, strict=True)
        ]

    def _parameters(self, draws: Draws, images: Any) -> Drawn:
        probability = self.probability
        drawn: Drawn = {}
        if "b" in self.pipeline:
            drawn |= geometry.draw_blits(draws, probability)
        if "g" in self.pipeline:
            drawn |= geometry.draw_general(draws, probability)
        if "c" in self.pipeline:
            drawn |= colour.draw(draws, probability)
        if "n" in self.pipeline:
            drawn |= corruption.draw_noise(draws, probability, tf.shape(images))
        if "o" in self.pipeline:
            drawn |= corruption.draw_cutout(draws, probability)
        return drawn

    def _applied(self, images: Any, drawn: Drawn) -> Any:
        return self._run(images, self._composed(images, drawn))

    def _composed(self, images: Any, drawn: Drawn) -> Drawn:
        """The parameters as they are applied: one matrix for all of the geometry, one for all of the colours."""
        dtype = batches.widened_type(images)
        composed = dict(drawn)
        if "b" in self.pipeline or "g" in self.pipeline:
            height, width = tf.unstack(tf.shape(images)[1:3])
            composed["geometry"] = geometry.compose(drawn, height, width, dtype)
        if "c" in self.pipeline:
            composed["colours"], composed["colours_added"] = colour.compose(drawn, images.shape[-1], dtype)
        return composed

    def _run(self, images: Any, composed: Drawn) -> Any:
        result = tf.cast(images, batches.widened_type(images))
        if "geometry" in composed:
            result = geometry.apply(result, composed["geometry"])
        if "colours" in composed:
            result = colour.apply(result, composed["colours"], composed["colours_added"])
        if "n" in self.pipeline:
            result = corruption.apply_noise(result, composed)
        if "o" in self.pipeline:
            result = corruption.apply_cutout(result, composed)
        return tf.cast(result, images.dtype)


def _linear(composed: Drawn) -> Drawn:
    """The same without what is added to an image whatever it is; the rest of the pipeline is linear in the image."""
    added: Drawn = {
        name: tf.zeros_like(composed[name]) for name in ("colours_added", "noise_strength") if name in composed
    }
    return {**composed, **added}


def _letters(pipeline: Any) -> str:
    """The letters of the pipeline, in the order in which they are applied."""
    allowed = checking.listed(_GROUPS)
    if not isinstance(pipeline, str):
        raise TypeError(f"AdaptiveAugmentation: pipeline is {pipeline!r}; letters such as 'bgc' are expected.")
    if not pipeline or set(pipeline) - set(_GROUPS) or len(set(pipeline)) < len(pipeline):
        raise ValueError(
            f"AdaptiveAugmentation: pipeline is {pipeline!r}; one or more of {allowed} are expected, each once. "
            "The filter 'f' of stylegan2-ada is not offered, and its second 'c', cutout, is 'o' here."
        )
    return "".join(letter for letter in _GROUPS if letter in pipeline)
