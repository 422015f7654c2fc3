"""The loss of a player with all that is added to it, in as few passes as it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from ganmedic import combination, losses
from ganmedic.clipping import Clip
from ganmedic.losses import AdversarialLoss
from ganmedic.penalties import Evaluation, Lazy, Penalty
from ganmedic.penalties.evaluation import FAKE_SCORES, REAL_SCORES


@dataclass(frozen=True)
class Objective:
    """What a player minimises, and what it consists of.

    Attributes:
        total: what is differentiated, scalar.
        adversarial: the loss by itself, scalar.
        penalties: each penalty, scalar, by its class's name; a second of one kind has a number behind it.
        real_scores, fake_scores: raw scores of the step.
    """

    total: Any
    adversarial: Any
    real_scores: Any
    fake_scores: Any
    penalties: Mapping[str, Any] = field(default_factory=dict)


def discriminator_objective(
    loss: AdversarialLoss | str,
    discriminator: Any,
    real: Any,
    fake: Any,
    *,
    penalties: Iterable[Penalty] = (),
    clip: Clip | None = None,
    training: bool = True,
    joint: bool = False,
    **extras: Any,
) -> Objective:
    """Loss and penalties of the discriminator, sharing its passes; to be called inside a tape.

    Loss, R1 and R2 one by one take four forward passes of the discriminator; here they take two, or one of double size with `joint`.
    Generated samples need not be detached: the tape is asked for the discriminator's variables only.

    Args:
        loss: the adversarial loss, or its name.
        discriminator: a Keras model or function that gives raw scores (batch, ...).
        real, fake: float tensors (batch, ...), or tuples or lists of them and of what else the discriminator reads.
        penalties: of the discriminator.
        clip: what clips it, for `combination.check` alone.
        training: whether the discriminator runs as in training.
        joint: one pass over both batches; refused where samples of a batch influence each other.
        **extras: what penalties need beyond that, `generator=`, `latents=`.

    Returns:
        The objective; differentiate its `total`.

    Raises:
        ValueError: the parts are known to fail together, or a batch is of a form that cannot be used.

    Example:
        >>> from ganmedic import losses, penalties
        >>> critic = lambda x: 3.0 * x[:, :1]
        >>> objective = discriminator_objective(
        ...     losses.get("hinge"), critic, tf.ones([4, 2]), tf.zeros([4, 2]), penalties=[penalties.get("r1", 1.0)]
        ... )
        >>> float(objective.adversarial), float(objective.total)
        (1.0, 5.5)
    """
    penalties, loss = list(penalties), losses.get(loss)
    combination.check(loss, penalties, clip=clip, discriminator=discriminator, training=training)
    for penalty in penalties:
        if penalty.player == "generator":
            raise ValueError(
                f"{type(penalty).__name__} belongs to the generator's loss: hand it over as "
                "generator_objective(..., penalties=[...])."
            )
    needs = frozenset({REAL_SCORES, FAKE_SCORES}).union(*(penalty.needs for penalty in penalties))
    evaluation = Evaluation(discriminator, real, fake, training=training, needs=needs, joint=joint)
    adversarial = loss.discriminator(evaluation.real_scores, evaluation.fake_scores)
    given = {"loss": loss, **extras}
    terms = _named(penalties, [penalty.of(evaluation, **given) for penalty in penalties])
    total = _sum(adversarial, terms)
    return Objective(total, adversarial, evaluation.real_scores, evaluation.fake_scores, terms)


def generator_objective(
    loss: AdversarialLoss | str,
    discriminator: Any,
    real: Any,
    fake: Any,
    *,
    penalties: Iterable[Penalty] = (),
    training: bool = True,
    sample_weight: Any = None,
    **extras: Any,
) -> Objective:
    """Loss and penalties of the generator; to be called inside the tape in which `fake` was made.

    Real samples are scored only where the loss compares with them.

    Args:
        loss: the adversarial loss, or its name.
        discriminator: a Keras model or function that gives raw scores (batch, ...).
        real: as for `discriminator_objective`; None where the loss does not need it.
        fake: generated samples, with their way back to the generator.
        penalties: of the generator or of both (`path_length`, `latent_consistency`, `consensus`).
        training: whether the discriminator runs as in training. Batch normalisation then moves its statistics on this batch, too, and
            spectral normalisation its power iteration.
        sample_weight: float tensor (batch,), see `AdversarialLoss.generator`; or a function that gives it for the scores of `fake`,
            such as `balance.TopK`.
        **extras: what penalties need beyond that, `generator=`, `latents=`.

    Returns:
        The objective; its real scores are None where they were not needed.

    Raises:
        ValueError: a penalty belongs to the discriminator, or a batch is of a form that cannot be used.
    """
    penalties, loss = list(penalties), losses.get(loss)
    for penalty in penalties:
        if penalty.player == "discriminator":
            raise ValueError(
                f"{type(penalty).__name__} belongs to the discriminator's loss: hand it over as "
                "discriminator_objective(..., penalties=[...])."
            )
    evaluation = Evaluation(discriminator, real, fake, training=training)
    real_scores = evaluation.real_scores if loss.needs_real else None
    if callable(sample_weight):
        sample_weight = sample_weight(evaluation.fake_scores)
    adversarial = loss.generator(real_scores, evaluation.fake_scores, sample_weight=sample_weight)
    given = {"loss": loss, **extras}
    terms = _named(penalties, [penalty.for_generator(evaluation, **given) for penalty in penalties])
    return Objective(_sum(adversarial, terms), adversarial, real_scores, evaluation.fake_scores, terms)


def _sum(adversarial: Any, terms: Mapping[str, Any]) -> Any:
    return tf.add_n([adversarial, *(tf.cast(term, adversarial.dtype) for term in terms.values())])


def _named(penalties: list[Penalty], values: list[Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for penalty, value in zip(penalties, values, strict=True):
        name = type(penalty.penalty if isinstance(penalty, Lazy) else penalty).__name__
        taken = sum(each.split(" ")[0] == name for each in named)
        named[f"{name} {taken + 1}" if taken else name] = value
    return named
