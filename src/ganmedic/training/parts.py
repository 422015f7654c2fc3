"""What a GAN is compiled with: every part in its place, checked, and with room for what it remembers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from ganmedic import (
    augmentation,
    balance,
    checking,
    clipping,
    combination,
    losses,
    networks_inside,
    penalties,
    precision,
)
from ganmedic.accumulation import GradientAccumulation
from ganmedic.augmentation.augmentation import Augmentation
from ganmedic.averaging import ExponentialMovingAverage
from ganmedic.balance import AdaptiveWeights, InstanceNoise, Packing, TopK, Turns, UpdateSkipping
from ganmedic.guard import GradientGuard
from ganmedic.penalties import Lazy, Penalty

PLAYERS = ("generator", "discriminator")
#: Adam as R3GAN takes it: no momentum, for the other player moves.
LEARNING_RATE, BETA_1, BETA_2 = 2e-4, 0.0, 0.99
#: Images; with a ramp, so that the average of a short training does not hang on to its beginning (StyleGAN2-ADA).
HALF_LIFE, RAMP = 10_000, 0.05

_BALANCE = {
    "turns": Turns,
    "skipping": UpdateSkipping,
    "adaptive_weights": AdaptiveWeights,
    "noise": InstanceNoise,
    "top_k": TopK,
    "packing": Packing,
}


class Parts(tf.Module):  # type: ignore[misc]
    """The parts of `GAN.compile`, made and checked.

    Attributes:
        loss: the adversarial loss.
        discriminator_penalties, generator_penalties: what is added to the loss of each player.
        optimizers, clips, accumulations: of each player, by its name; None where there is none.
        guard: skips steps that are not finite, of both.
        turns, skipping, adaptive_weights, noise, top_k, packing: the ways of balance; None where there is none.
        augmentation, ema: likewise.
        simultaneous: both players are updated from the same pass.
    """

    def __init__(
        self,
        *,
        loss: Any,
        penalties: Any,
        clip: Any,
        optimizers: Mapping[str, Any],
        balance: Any,
        ema: Any,
        augment: Any,
        accumulation: int,
        simultaneous: bool,
        discriminator: Any,
        sample_shape: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.loss = losses.get(loss)
        given = default_penalties(self.loss, discriminator, sample_shape) if penalties == "auto" else penalties
        chosen = _penalties(given)
        self.discriminator_penalties = [each for each in chosen if each.player in ("discriminator", "both")]
        self.generator_penalties = [each for each in chosen if each.player in ("generator", "both")]
        self.clips = _clips(clip)
        self.optimizers = {player: _optimizer(player, optimizers.get(player)) for player in PLAYERS}
        if self.optimizers["generator"] is self.optimizers["discriminator"]:
            raise ValueError(
                "GAN.compile: generator_optimizer and discriminator_optimizer are the same object; one for each player is expected, "
                "for an optimizer keeps moments of its own variables. Make two."
            )
        steps = checking.whole("GAN.compile", "accumulation", accumulation)
        self.accumulations = {player: GradientAccumulation(steps) if steps > 1 else None for player in PLAYERS}
        self.guard = GradientGuard()
        ways = _balance(balance)
        self.turns: Any = ways.get("turns")
        self.skipping: Any = ways.get("skipping")
        self.adaptive_weights: Any = ways.get("adaptive_weights")
        self.noise: Any = ways.get("noise")
        self.top_k: Any = ways.get("top_k")
        self.packing: Any = ways.get("packing")
        self.augmentation = _augmentation(augment, sample_shape)
        self.ema = _average(ema)
        self.simultaneous = checking.flag("GAN.compile", "simultaneous", simultaneous)
        self._check(discriminator)

    def penalties(self) -> list[Penalty]:
        """All penalties, each once."""
        return list({id(each): each for each in (*self.discriminator_penalties, *self.generator_penalties)}.values())

    def build(self, variables: Mapping[str, Any], generator: Any) -> None:
        """Makes all that a step remembers, at its beginning; inside the strategy's scope."""
        for player, trained in variables.items():
            trained = list(trained)
            if not self.optimizers[player].built:
                self.optimizers[player].build(trained)
            for part in (self.clips[player], self.accumulations[player], self.guard):
                if part is not None:
                    part.build(trained)
        if self.ema is not None:
            self.ema.build(generator)

    def remembering(self) -> Iterator[tuple[str, tf.Module]]:
        """What has state that a checkpoint must keep, by a name that stays the same while parts are added and taken away."""
        yield "loss", self.loss
        for number, penalty in enumerate(self.penalties()):
            yield f"penalty {type(penalty).__name__} {number}", penalty
        seen: set[int] = set()
        for player in PLAYERS:
            clip = self.clips[player]
            if clip is not None and id(clip) not in seen:
                seen.add(id(clip))
                yield f"clip {type(clip).__name__} {player}", clip
            if self.accumulations[player] is not None:
                yield f"accumulation {player}", self.accumulations[player]
        yield "guard", self.guard
        for name in _BALANCE:
            if getattr(self, name) is not None:
                yield f"balance {name}", getattr(self, name)
        if self.augmentation is not None:
            yield "augmentation", self.augmentation
        if self.ema is not None:
            yield "average", self.ema

    def _check(self, discriminator: Any) -> None:
        combination.check(
            self.loss, self.discriminator_penalties, clip=self.clips["discriminator"], discriminator=discriminator
        )
        for name in ("turns", "skipping", "adaptive_weights"):
            if self.simultaneous and getattr(self, name) is not None:
                raise ValueError(
                    f"GAN.compile: simultaneous=True came with {type(getattr(self, name)).__name__}, which gives the players steps of "
                    "their own. Leave one of them out."
                )
        if self.simultaneous and self.top_k is not None:
            raise ValueError("GAN.compile: simultaneous=True came with TopK; leave one of them out.")


def default_penalties(loss: Any, discriminator: Any, sample_shape: tuple[int, ...]) -> list[Penalty]:
    """What goes with a loss: the gradient penalty for Wasserstein, R1 and R2 for the others; nothing with batch normalisation."""
    if isinstance(loss, losses.Wasserstein):
        return [] if loss.bounded else [penalties.get("gradient_penalty")]
    if networks_inside.batch_normalised(discriminator) is not None:
        return []
    weight = penalty_weight(sample_shape)
    return [penalties.get("r1", weight=weight), penalties.get("r2", weight=weight)]


def penalty_weight(sample_shape: tuple[int, ...]) -> float:
    """γ of R1 and R2 for samples of this shape: 1 up to 64 pixels, for points and for tables, and (resolution / 64)³ beyond.

    R3GAN was trained with 1 for Stacked MNIST, 1 and 2 at 64 pixels (ImageNet, faces) and 150 at 256 (faces).
    """
    if len(sample_shape) < 3:
        return 1.0
    return max(1.0, float((sample_shape[0] * sample_shape[1]) ** 0.5 / 64.0) ** 3)


def _penalties(given: Any) -> list[Penalty]:
    if given is None:
        return []
    if isinstance(given, str | Penalty | Mapping):
        given = [given]
    if not isinstance(given, Iterable):
        raise TypeError(
            f'GAN.compile: penalties is {given!r}; a list such as ["r1", "r2"], "auto" or None is expected.'
        )
    return [penalties.get(each) for each in given]


def _clips(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping) and "class_name" not in given:
        unknown = [name for name in given if name not in PLAYERS]
        if unknown:
            raise ValueError(
                f"GAN.compile: clip is given for {unknown[0]!r}; 'generator' and 'discriminator' are expected."
                f"{checking.nearest(str(unknown[0]), PLAYERS)}"
            )
        return {player: None if given.get(player) is None else clipping.get(given[player]) for player in PLAYERS}
    clip = None if given is None else clipping.get(given)
    if isinstance(clip, clipping.Weights):
        return {"generator": None, "discriminator": clip}
    return dict.fromkeys(PLAYERS, clip)


def _optimizer(player: str, given: Any) -> Any:
    if given is None:
        given = keras.optimizers.Adam(LEARNING_RATE, beta_1=BETA_1, beta_2=BETA_2)
    try:
        optimizer = keras.optimizers.get(given)
    except ValueError as unknown:
        raise ValueError(
            f"GAN.compile: {player}_optimizer is {given!r}; a Keras optimizer, its name or its configuration is expected."
        ) from unknown
    return precision.loss_scaling(optimizer)


def _balance(given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    ways: dict[str, Any] = {}
    for each in given if isinstance(given, list | tuple) else [given]:
        way = balance.get(each)
        name = next(name for name, kind in _BALANCE.items() if isinstance(way, kind))
        if name in ways:
            raise ValueError(f"GAN.compile: balance has two of {type(way).__name__}; one of a kind is expected.")
        ways[name] = way
    return ways


def _augmentation(given: Any, sample_shape: tuple[int, ...]) -> Any:
    if given is None:
        return None
    augment = augmentation.get(given)
    if isinstance(augment, Augmentation) and len(sample_shape) != 3:
        raise ValueError(
            f"GAN.compile: augment is {augment!r}, which transforms images, and a sample is of shape {sample_shape}. Leave it out."
        )
    return augment


def _average(given: Any) -> Any:
    if given is None or given is False:
        return None
    if given == "auto" or given is True:
        return ExponentialMovingAverage(half_life=HALF_LIFE, ramp=RAMP)
    if isinstance(given, int | float):
        return ExponentialMovingAverage(decay=float(given))
    if isinstance(given, Mapping):
        given = keras.saving.deserialize_keras_object(dict(given))
    if not isinstance(given, ExponentialMovingAverage):
        raise TypeError(
            f'GAN.compile: ema is {given!r}; an ExponentialMovingAverage, a decay such as 0.999, "auto" or None is expected.'
        )
    return given


def name_of_penalty(penalty: Any) -> str:
    """What a penalty is called in logs and curves."""
    return type(penalty.penalty if isinstance(penalty, Lazy) else penalty).__name__
