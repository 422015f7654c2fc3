#!/usr/bin/env python3
"""What the networks of ``ganmedic.networks`` weigh and cost: parameters, peak memory and the time of a training step.

    python benchmarks/network_sizes.py                              every image network from 16 to 1024 pixels, and the dense one
    python benchmarks/network_sizes.py --only resnet --resolutions 64 256
    python benchmarks/network_sizes.py --quick                      16 and 32 pixels

A step is both players' turn: the relativistic loss with R1 and R2 for the discriminator, the relativistic loss for the
generator, forward, backward and Adam's update, in one ``tf.function``. The batch is 8 up to 128 pixels, 2 at 256, 1 above.
Each row is measured in a process of its own, with a limit of time and memory; memory is the largest resident set of
that process, TensorFlow itself (some 0.6 GiB) included. The table is Markdown, on stdout, row by row. Status 1 if a
row is missing or a loss was not finite.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time

GIB = 2**30
RESOLUTIONS = (16, 32, 64, 128, 256, 512, 1024)
IMAGES = ("dcgan", "resnet", "style")
HEAD = "| network | pixels | width | parameters G | parameters D | batch | peak memory, GiB | build, s | first step, s | a step, s |"


def batch_of(resolution: int) -> int:
    """How many images a step is given."""
    return 8 if resolution <= 128 else 2 if resolution == 256 else 1


# --- in the child -----------------------------------------------------------------------------------------------------


def measure(name: str, resolution: int, width: int | None, steps: int) -> dict[str, object]:
    """One row."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    from ganmedic import networks

    began = time.perf_counter()
    sizes = {"shape": (2,)} if name == "dense" else {"resolution": resolution}
    pair = networks.get(name, width=width, seed=0, **sizes)
    build_seconds = time.perf_counter() - began
    batch = 256 if name == "dense" else batch_of(resolution)
    step = step_of(pair, tf.random.stateless_normal((batch, *pair.sample_shape), (1, 2)), batch)
    seconds, losses = [], []
    for _ in range(1 + steps):
        began = time.perf_counter()
        losses.append([float(loss) for loss in step()])
        seconds.append(time.perf_counter() - began)
    return {
        "generator": sum(math.prod(one.shape) for one in pair.generator.trainable_variables),
        "discriminator": sum(math.prod(one.shape) for one in pair.discriminator.trainable_variables),
        "batch": batch,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB,
        "build_seconds": build_seconds,
        "first_seconds": seconds[0],
        "step_seconds": min(seconds[1:]),
        "finite": all(math.isfinite(loss) for pair_of_losses in losses for loss in pair_of_losses),
    }


def step_of(pair, real, batch):
    """A training step as a traced function without arguments, which gives both losses."""
    import keras
    import tensorflow as tf

    import ganmedic
    from ganmedic import objectives, penalties

    generator, discriminator = pair.generator, pair.discriminator
    optimizers = [keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9) for _ in range(2)]
    for optimizer, network in zip(optimizers, (discriminator, generator), strict=True):
        optimizer.build(network.trainable_variables)
    regularisers = [penalties.get("r1", 1.0), penalties.get("r2", 1.0)]

    @tf.function
    def step():
        fake = generator(tf.random.normal((batch, pair.latent_size)), training=True)
        with tf.GradientTape() as tape:
            judged = objectives.discriminator_objective(
                "relativistic", discriminator, real, fake, penalties=regularisers
            )
        gradients = tape.gradient(judged.total, discriminator.trainable_variables)
        ganmedic.update(optimizers[0], gradients, discriminator.trainable_variables)
        with tf.GradientTape() as tape:
            fake = generator(tf.random.normal((batch, pair.latent_size)), training=True)
            made = objectives.generator_objective("relativistic", discriminator, real, fake)
        gradients = tape.gradient(made.total, generator.trainable_variables)
        ganmedic.update(optimizers[1], gradients, generator.trainable_variables)
        return judged.total, made.total

    return step


# --- in the parent ----------------------------------------------------------------------------------------------------


def row_of(name: str, resolution: int, arguments: argparse.Namespace) -> tuple[str, bool]:
    """A line of the table, and whether all went well."""
    command = [sys.executable, __file__, "--row", name, str(resolution), "--steps", str(arguments.steps)]
    if arguments.width is not None:
        command += ["--width", str(arguments.width)]
    pixels, width = "-" if name == "dense" else str(resolution), arguments.width or "default"

    def limited() -> None:
        limit = int(arguments.memory * GIB)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=arguments.seconds, preexec_fn=limited, check=False
        )
    except subprocess.TimeoutExpired:
        return f"| {name} | {pixels} | {width} | not done in {arguments.seconds:g} s | | | | | | |", False
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1][:120].replace("|", "/")
        return f"| {name} | {pixels} | {width} | status {done.returncode}: {last} | | | | | | |", False
    row = json.loads(done.stdout.splitlines()[-1])
    cells = (
        f"{row['generator']:,} | {row['discriminator']:,} | {row['batch']} | {row['peak_gib']:.1f} | "
        f"{row['build_seconds']:.1f} | {row['first_seconds']:.1f} | {row['step_seconds']:.2f}"
    )
    return f"| {name} | {pixels} | {width} | {cells} |", bool(row["finite"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=(*IMAGES, "dense"), default=[*IMAGES, "dense"])
    parser.add_argument("--resolutions", nargs="+", type=int, choices=RESOLUTIONS, default=list(RESOLUTIONS))
    parser.add_argument("--width", type=int, help="in place of each network's own")
    parser.add_argument(
        "--steps", type=int, default=2, help="steps that are timed, behind the first; the fastest counts"
    )
    parser.add_argument("--seconds", type=float, default=900.0, help="limit of a row")
    parser.add_argument("--memory", type=float, default=24.0, help="limit of a row, GiB")
    parser.add_argument("--quick", action="store_true", help="16 and 32 pixels")
    parser.add_argument("--row", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.row:
        print(json.dumps(measure(arguments.row[0], int(arguments.row[1]), arguments.width, arguments.steps)))
        return 0
    resolutions = (16, 32) if arguments.quick else arguments.resolutions
    print(HEAD)
    print("|---|" + "---:|" * 9, flush=True)
    sound = True
    for name in arguments.only:
        for resolution in resolutions[:1] if name == "dense" else resolutions:
            line, good = row_of(name, resolution, arguments)
            print(line, flush=True)
            sound = sound and good
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
