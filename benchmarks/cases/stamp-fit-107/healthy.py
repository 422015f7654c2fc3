import numpy as np
import keras
from keras import layers
import tensorflow as tf

keras.utils.set_random_seed(107)

SIDE = 14
Z = 24


def stamps(n, seed=0):
    """Black and white stamps: a filled disc or square, pixels are -1 or 1."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:SIDE, 0:SIDE]
    cy, cx = rng.integers(5, 9, (2, n, 1, 1))
    r = rng.integers(3, 5, (n, 1, 1))
    disc = (yy - cy) ** 2 + (xx - cx) ** 2 <= r ** 2
    square = (abs(yy - cy) <= r) & (abs(xx - cx) <= r)
    kind = rng.random((n, 1, 1)) < 0.5
    return np.where(np.where(kind, disc, square), 1.0, -1.0).astype("float32")[..., None]


generator = keras.Sequential([
    keras.Input((Z,)),
    layers.Dense(128), layers.BatchNormalization(momentum=0.8), layers.ReLU(),
    layers.Dense(128), layers.BatchNormalization(momentum=0.8), layers.ReLU(),
    layers.Dense(SIDE * SIDE, activation="tanh"),
    layers.Reshape((SIDE, SIDE, 1)),
], name="generator")

discriminator = keras.Sequential([
    keras.Input((SIDE, SIDE, 1)),
    layers.Conv2D(16, 3, strides=2, padding="same"), layers.LeakyReLU(0.2),
    layers.Conv2D(32, 3, strides=2, padding="same"), layers.LeakyReLU(0.2),
    layers.Flatten(),
    layers.Dense(1, activation="sigmoid"),
], name="discriminator")


class StampGAN(keras.Model):
    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.loss_fn = keras.losses.BinaryCrossentropy()

    def compile(self, g_optimizer, d_optimizer):
        super().compile()
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer

    def train_step(self, real):
        n = tf.shape(real)[0]
        z = tf.random.normal((n, Z))
        with tf.GradientTape() as tape:
            fake = self.generator(z, training=True)
            d_loss = (self.loss_fn(tf.ones((n, 1)), self.discriminator(real, training=True))
                      + self.loss_fn(tf.zeros((n, 1)), self.discriminator(fake, training=True)))
        weights = self.discriminator.trainable_variables
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights))
        with tf.GradientTape() as tape:
            fake = self.generator(z, training=True)
            g_loss = self.loss_fn(tf.ones((n, 1)), self.discriminator(fake, training=True))
        weights = self.generator.trainable_variables
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
        edge = tf.reduce_mean(tf.cast(tf.abs(fake) > 0.95, tf.float32))
        return {"d_loss": d_loss, "g_loss": g_loss, "black_or_white": edge}


gan = StampGAN(generator, discriminator)
gan.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(1e-3, beta_1=0.5))
gan.fit(stamps(2560), batch_size=64, epochs=10, verbose=2)

samples = np.asarray(generator(np.random.default_rng(1).normal(size=(200, Z)).astype("float32")))
print("mean", samples.mean(), "spread between samples", samples.std(axis=0).mean())
