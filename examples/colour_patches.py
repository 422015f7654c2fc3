"""Makes a small colour data set without a download: patches of the two photographs that scikit-learn brings.

    python examples/colour_patches.py patches.npz
    ganmedic train --data patches.npz --steps 4000
"""

import sys

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

SIZE, COUNT = 32, 6000

rng = np.random.default_rng(0)
photographs = [Image.fromarray(each) for each in load_sample_images().images]
patches = []
for _ in range(COUNT):
    photograph = photographs[rng.integers(len(photographs))]
    side = int(rng.integers(64, 161))
    left, top = (int(rng.integers(0, length - side + 1)) for length in photograph.size)
    patch = photograph.resize((SIZE, SIZE), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side))
    patches.append(np.asarray(patch))
np.savez(sys.argv[1], x_train=np.stack(patches))
print(f"{COUNT} patches of {SIZE} x {SIZE} pixels in {sys.argv[1]}")
