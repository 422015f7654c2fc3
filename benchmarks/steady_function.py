"""The same GAN as a tf.function; prints the seconds that a step takes once the training runs steadily."""

import pathlib
import sys

import tensorflow as tf

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from steady_eager import measure, step

if __name__ == "__main__":
    print(measure(tf.function(step), 3000))
