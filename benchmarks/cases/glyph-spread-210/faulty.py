import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers, ops

keras.utils.set_random_seed(41)

NOISE, BATCH = 24, 32

images = load_digits().images[:1600, ..., None].astype("float32") / 8.0 - 1.0


class BatchSpread(layers.Layer):
    """Appends one map with the average standard deviation of the features over the batch."""

    def call(self, x):
        centred = x - ops.mean(x, axis=0, keepdims=True)
        deviation = ops.sqrt(ops.mean(ops.square(centred), axis=0, keepdims=True))
        spread = ops.mean(deviation)
        channel = ops.ones_like(x[..., :1]) * spread
        return ops.concatenate([x, channel], axis=-1)


def make_generator():
    return keras.Sequential([
        layers.Input((NOISE,)),
        layers.Dense(4 * 4 * 24),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Reshape((4, 4, 24)),
        layers.UpSampling2D(),
        layers.Conv2D(24, 3, padding="same"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2D(1, 3, padding="same", activation="tanh"),
    ], name="generator")


def make_discriminator():
    return keras.Sequential([
        layers.Input((8, 8, 1)),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
        BatchSpread(),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(1),
    ], name="discriminator")


class GAN(keras.Model):
    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.g_metric = keras.metrics.Mean(name="g_loss")
        self.d_metric = keras.metrics.Mean(name="d_loss")

    def compile(self, g_optimizer, d_optimizer):
        super().compile()
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer

    @property
    def metrics(self):
        return [self.g_metric, self.d_metric]

    def train_step(self, real):
        n = tf.shape(real)[0]
        fake = self.generator(tf.random.normal((n, NOISE)), training=True)
        with tf.GradientTape() as tape:
            on_real = self.discriminator(real, training=True)
            on_fake = self.discriminator(fake, training=True)
            d_loss = tf.reduce_mean(tf.nn.softplus(-on_real)) + tf.reduce_mean(tf.nn.softplus(on_fake))
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights))

        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, NOISE)), training=True)
            g_loss = tf.reduce_mean(tf.nn.softplus(-self.discriminator(fake, training=True)))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
        self.g_metric.update_state(g_loss)
        self.d_metric.update_state(d_loss)
        return {"g_loss": self.g_metric.result(), "d_loss": self.d_metric.result()}


gan = GAN(make_generator(), make_discriminator())
gan.compile(keras.optimizers.Adam(5e-4, beta_1=0.5), keras.optimizers.Adam(5e-4, beta_1=0.5))
gan.fit(images, batch_size=BATCH, epochs=3, verbose=2)
