"""Which losses and penalties find all modes: a ring of 8 and a grid of 25 Gaussians.

    python benchmarks/mixtures.py                          # every row, 5 seeds, both mixtures
    python benchmarks/mixtures.py --only relativistic+r1+r2 hinge --mixtures ring

Networks, data and counting are those of PacGAN (Lin et al. 2017, arXiv 1712.04086, section 4.1, and the authors' code), scaled to
minutes on two cores:

| | PacGAN | here |
|---|---|---|
| generator | 4 x 400 units, batch normalisation, ReLU, latents N(0, I) in 2 dimensions | 4 x 64, the same |
| discriminator | 3 x 200 maxout units of 5 pieces | 3 x 64 of 3 pieces |
| Adam | 1e-4, beta_1 0.8, batch 100, 400 000 steps | 2e-3 falling to 0 by a cosine, beta_1 0.5, batch 128, 3 500 steps |
| initialisation | N(0, 0.02) | Glorot: at 0.02 the scaled networks begin too flat for so few steps |
| counting | 2500 samples; within 3 standard deviations of a mode is of high quality, a mode with one such is found | the same |

The ring has radius 1 and standard deviation 0.01, the grid spacing 2 and 0.05. All rows take one discriminator step a round. The
seeds of a row are trained side by side, as one stacked network of which no part touches another: the loss is asked seed by
seed, and so is nothing else, for the penalties are sums over samples. Samples of the generator as it is after the last step, and of
its moving average (0.99, statistics of batch normalisation measured anew), are counted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

STEPS, BATCH, SAMPLES, RATE = 3500, 128, 2500, 2e-3
GENERATOR_UNITS, MAXOUT_UNITS, PIECES = 64, 64, 3
MIXTURES = {
    "ring": (np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, 2 * np.pi, 8, endpoint=False)]), 0.01),
    "grid": (np.array(list(itertools.product(range(-4, 5, 2), repeat=2)), float), 0.05),
}
R1_R2 = {"r1": {"weight": 1.0}, "r2": {"weight": 1.0}}
#: Loss and penalties of a row, and the bound of the discriminator's weights. Weights for points of size 1, not for images.
ROWS: dict[str, tuple[str, dict[str, Any], float | None]] = {
    "minimax": ("minimax", {}, None),
    "minimax+r1+r2": ("minimax", R1_R2, None),
    "non_saturating": ("non_saturating", {}, None),
    "non_saturating+r1": ("non_saturating", {"r1": {"weight": 1.0}}, None),
    "non_saturating+r1+r2": ("non_saturating", R1_R2, None),
    "non_saturating+dragan": ("non_saturating", {"dragan": {"weight": 0.1}}, None),
    "non_saturating+roth": ("non_saturating", {"roth": {"weight": 0.1}}, None),
    "least_squares": ("least_squares", {}, None),
    "least_squares+r1+r2": ("least_squares", R1_R2, None),
    "wasserstein": ("wasserstein", {}, None),
    "wasserstein+weights": ("wasserstein", {}, 0.1),
    "wasserstein+gradient_penalty": ("wasserstein", {"gradient_penalty": {"weight": 0.1}}, None),
    "wasserstein+one_sided": ("wasserstein", {"one_sided_gradient_penalty": {"weight": 0.1}}, None),
    "wasserstein+r1+r2": ("wasserstein", R1_R2, None),
    "hinge": ("hinge", {}, None),
    "hinge+r1+r2": ("hinge", R1_R2, None),
    "relativistic": ("relativistic", {}, None),
    "relativistic+gradient_penalty": ("relativistic", {"gradient_penalty": {"weight": 0.1}}, None),
    "relativistic+r1+r2": ("relativistic", R1_R2, None),
    "relativistic_average": ("relativistic_average", {}, None),
    "relativistic_average+r1+r2": ("relativistic_average", R1_R2, None),
    "relativistic_average_least_squares": ("relativistic_average_least_squares", {}, None),
    "relativistic_average_least_squares+r1+r2": ("relativistic_average_least_squares", R1_R2, None),
    "relativistic_average_hinge": ("relativistic_average_hinge", {}, None),
    "relativistic_average_hinge+r1+r2": ("relativistic_average_hinge", R1_R2, None),
}
DEFAULT = "relativistic+r1+r2"


def train(mixture: str, row: str, seeds: int = 5, steps: int = STEPS) -> list[dict[str, Any]]:
    """Trains a GAN for each seed, and counts what each found."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    import ganmedic
    from ganmedic.penalties import Evaluation

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(0)
    generator, discriminator = networks(seeds)
    loss_name, penalty_options, bound = ROWS[row]
    loss = ganmedic.losses.get(loss_name)
    penalties = [ganmedic.penalties.get(name, **options) for name, options in penalty_options.items()]
    needs = frozenset().union(*(penalty.needs for penalty in penalties))
    clip = None if bound is None else ganmedic.clipping.get("weights", bound)
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    optimizers = [keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.99) for _ in range(2)]
    average = ganmedic.ExponentialMovingAverage(decay=0.99)
    average.build(generator)
    means, spread = MIXTURES[mixture]
    centres = tf.constant(means, tf.float32)
    random = tf.random.Generator.from_seed(0)

    def data() -> Any:
        chosen = random.uniform([seeds * BATCH], 0, len(means), tf.int32)
        return tf.gather(centres, chosen) + spread * random.normal([seeds * BATCH, 2])

    def made(count: int = BATCH) -> Any:
        return generator(random.normal([seeds * count, 2]), training=True)

    def of_each(player: Any, real: Any, fake: Any) -> Any:
        """The sum of the losses of all seeds; each seed's gradient is its own."""
        fakes = tf.split(fake, seeds)
        reals = [None] * seeds if real is None else tf.split(real, seeds)
        return tf.add_n([player(r, f) for r, f in zip(reals, fakes, strict=True)])

    @tf.function
    def step() -> None:
        fake = made()
        with tf.GradientTape() as tape:
            scored = Evaluation(discriminator, data(), fake, needs=needs)
            value = of_each(loss.discriminator, scored.real_scores, scored.fake_scores)
            # A penalty is a mean over the samples of all seeds.
            value += seeds * tf.add_n([penalty.of(scored) for penalty in penalties]) if penalties else 0.0
        variables = discriminator.trainable_variables
        ganmedic.update(optimizers[0], tape.gradient(value, variables), variables, clip=clip)
        with tf.GradientTape() as tape:
            real_scores = discriminator(data()) if loss.needs_real else None
            value = of_each(loss.generator, real_scores, discriminator(made()))
        variables = generator.trainable_variables
        ganmedic.update(optimizers[1], tape.gradient(value, variables), variables)
        average.update(generator)

    step()
    began = time.perf_counter()
    for _ in range(steps - 1):
        step()
    seconds = time.perf_counter() - began
    latents = random.normal([seeds * SAMPLES, 2])
    last = np.split(generator(latents, training=False).numpy(), seeds)
    average.recalibrate(generator, [random.normal([seeds * BATCH, 2]) for _ in range(20)])
    averaged = np.split(average(generator, latents).numpy(), seeds)
    return [
        {
            "mixture": mixture,
            "row": row,
            "seed": seed,
            "steps": steps,
            "seconds": seconds / seeds,
            "last": count(mixture, last[seed]),
            "averaged": count(mixture, averaged[seed]),
        }
        for seed in range(seeds)
    ]


def networks(seeds: int) -> tuple[Any, Any]:
    """PacGAN's networks for points, narrower; one of each for every seed, side by side on the first axis."""
    import keras
    from keras import ops

    class Dense(keras.layers.Layer):
        """A dense layer for each seed: (seeds, batch, in) becomes (seeds, batch, units)."""

        def __init__(self, units: int, use_bias: bool = True) -> None:
            super().__init__()
            self.units, self.use_bias = units, use_bias

        def build(self, shape: Any) -> None:
            initial = np.stack(
                [keras.initializers.GlorotUniform(seed)((shape[-1], self.units)) for seed in range(seeds)]
            )
            self.kernel = self.add_weight(
                shape=initial.shape, initializer=lambda *_, **__: ops.convert_to_tensor(initial)
            )
            self.bias = self.add_weight(shape=(seeds, 1, self.units), initializer="zeros") if self.use_bias else 0.0

        def call(self, inputs: Any) -> Any:
            return ops.matmul(inputs, self.kernel) + self.bias

    class PerSeed(keras.layers.Layer):
        """Batch normalisation of each seed by itself."""

        def __init__(self) -> None:
            super().__init__()
            self.norm = keras.layers.BatchNormalization()

        def build(self, shape: Any) -> None:
            self.norm.build((None, seeds * shape[-1]))

        def call(self, inputs: Any, training: bool = False) -> Any:
            units = inputs.shape[-1]
            rows = ops.reshape(ops.transpose(inputs, (1, 0, 2)), (-1, seeds * units))
            normalised = ops.reshape(self.norm(rows, training=training), (-1, seeds, units))
            return ops.transpose(normalised, (1, 0, 2))

    def reshaped(*shape: int) -> Any:
        return keras.layers.Lambda(lambda x: ops.reshape(x, shape))

    layers: list[Any] = [reshaped(seeds, -1, 2)]
    for _ in range(4):
        layers += [Dense(GENERATOR_UNITS, use_bias=False), PerSeed(), keras.layers.ReLU()]
    generator = keras.Sequential([*layers, Dense(2), reshaped(-1, 2)])
    layers = [reshaped(seeds, -1, 2)]
    for _ in range(3):
        pieces = keras.layers.Lambda(lambda x: ops.max(ops.reshape(x, (seeds, -1, PIECES, MAXOUT_UNITS)), axis=2))
        layers += [Dense(MAXOUT_UNITS * PIECES), pieces]
    discriminator = keras.Sequential([*layers, Dense(1), reshaped(-1, 1)])
    for network in (generator, discriminator):
        network(np.zeros([seeds * 2, 2], np.float32))
    return generator, discriminator


def count(mixture: str, samples: np.ndarray) -> dict[str, float]:
    """Modes found and share of high quality, as PacGAN counts."""
    means, spread = MIXTURES[mixture]
    distances = np.linalg.norm(samples[:, None] - means[None], axis=-1)
    near = distances.min(axis=1) < 3 * spread
    found = np.unique(distances.argmin(axis=1)[near])
    return {"modes": len(found), "quality": float(near.mean())}


def table(results: list[dict[str, Any]], which: str) -> str:
    """A line a row: modes and share of high quality, means over the seeds with 95 % intervals (Student's t), and how often all modes."""
    head = f"{'modes':>14s} {'all':>5s} {'high quality':>17s}"
    lines = [
        f"{which + ' weights':40s} {'ring of 8':^38s}  {'grid of 25':^38s}",
        f"{'':40s} {head}  {head}",
    ]
    for row in ROWS:
        cells = []
        for mixture in MIXTURES:
            found = [result[which] for result in results if result["row"] == row and result["mixture"] == mixture]
            if not found:
                cells.append(f"{'-':>38s}")
                continue
            modes = np.array([each["modes"] for each in found])
            every = int((modes == len(MIXTURES[mixture][0])).sum())
            quality = [100 * each["quality"] for each in found]
            cells.append(f"{_interval(modes):>14s} {f'{every}/{len(found)}':>5s} {_interval(quality) + ' %':>17s}")
        if any(cell.strip() != "-" for cell in cells):
            lines.append(f"{row:40s} {cells[0]}  {cells[1]}")
    return "\n".join(lines)


def _interval(numbers: Iterable[float]) -> str:
    from scipy import stats

    values = np.asarray(list(numbers), float)
    if len(values) < 2:
        return f"{values.mean():.1f}"
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.1f} +- {half:.1f}"


def main() -> int:
    """Trains what was asked for; status 1 where the default misses a mode."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW")
    parser.add_argument("--mixtures", nargs="+", choices=MIXTURES, default=list(MIXTURES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results", type=Path, help="JSON lines; what is in there already is not run again")
    options = parser.parse_args()
    results = _kept(options.results)
    known = {(result["mixture"], result["row"]) for result in results}
    wanted = [task for task in itertools.product(options.mixtures, options.only) if task not in known]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for job in as_completed([pool.submit(train, *task, options.seeds, options.steps) for task in wanted]):
            found = job.result()
            results += found
            if options.results:
                with options.results.open("a") as file:
                    file.writelines(json.dumps(result) + "\n" for result in found)
            modes = ", ".join(f"{each['last']['modes']}" for each in found)
            print(
                f"{found[0]['mixture']} {found[0]['row']}: {modes} modes, {found[0]['seconds']:.0f} s a seed",
                file=sys.stderr,
            )
    for which in ("last", "averaged"):
        print(table(results, which), end="\n\n")
    default = [
        each["averaged"]["modes"] == len(MIXTURES[each["mixture"]][0]) for each in results if each["row"] == DEFAULT
    ]
    return 0 if all(default) else 1


def _kept(path: Path | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path and path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
