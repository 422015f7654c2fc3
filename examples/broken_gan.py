"""A DCGAN on small digits. It runs, it prints falling losses, and its generator never learns to draw."""

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(7)

NOISE, BATCH, STEPS = 32, 64, 60


def make_digits(count):
    """Bright strokes on a dark ground, 8 x 8 pixels in [-1, 1]."""
    images = -np.ones((count, 8, 8, 1), "float32")
    for image in images:
        row, column = np.random.randint(1, 7, 2)
        image[row, 1:7] = 1.0
        image[1:7, column] = 1.0
    return images


class Generator(keras.Model):
    def __init__(self):
        super().__init__(name="generator")
        self.project = keras.Sequential([layers.Dense(2 * 2 * 32, activation="relu"), layers.Reshape((2, 2, 32))])
        self.grow = keras.Sequential(
            [
                layers.Conv2DTranspose(24, 4, strides=2, padding="same", activation="relu"),
                layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
            ]
        )

    def call(self, noise):
        return self.grow(self.project(noise))


def to_pixels(images):
    """Whole grey levels, as they will be saved."""
    return tf.round((images + 1.0) * 127.5) / 127.5 - 1.0


generator = Generator()
discriminator = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(16, 3, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(32, 3, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Flatten(),
        layers.Dense(1),
    ],
    name="discriminator",
)
loss_of = keras.losses.BinaryCrossentropy(from_logits=True)
g_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
d_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)


@tf.function
def train_step(real):
    noise = tf.random.normal((BATCH, NOISE))
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        drawn = generator(noise)
        fake_score = discriminator(to_pixels(drawn), training=True)
        real_score = discriminator(real, training=True)
        smooth = tf.reduce_mean(tf.abs(drawn[:, 1:] - drawn[:, :-1]))
        g_loss = loss_of(tf.ones_like(fake_score), fake_score) + 0.01 * smooth
        d_loss = loss_of(tf.ones_like(real_score), real_score) + loss_of(tf.zeros_like(fake_score), fake_score)
    g_gradients = g_tape.gradient(g_loss, generator.trainable_variables)
    d_gradients = d_tape.gradient(d_loss, discriminator.trainable_variables)
    g_optimizer.apply_gradients(zip(g_gradients, generator.trainable_variables))
    d_optimizer.apply_gradients(zip(d_gradients, discriminator.trainable_variables))
    return g_loss, d_loss


digits = make_digits(1024)
generator(tf.zeros((1, NOISE)))
for step in range(STEPS):
    batch = digits[np.random.randint(0, len(digits), BATCH)]
    g_loss, d_loss = train_step(batch)
    if step % 20 == 0:
        print(f"step {step:3d}  generator {float(g_loss):.3f}  discriminator {float(d_loss):.3f}")
