import tensorflow as tf
import keras
from keras import layers
import numpy as np

keras.utils.set_random_seed(104)

COLUMNS = 12
LATENT = 8


def load_table(n=2400, seed=104):
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, 3))
    table = np.tanh(factors @ rng.normal(size=(3, COLUMNS))) + 0.1 * rng.normal(size=(n, COLUMNS))
    return ((table - table.mean(axis=0)) / table.std(axis=0)).astype("float32")


def block(x, units):
    x = layers.Dense(units, kernel_initializer=keras.initializers.RandomNormal(stddev=0.02))(x)
    return layers.ReLU(threshold=0.2)(x)


def build_discriminator():
    inp = layers.Input((COLUMNS,))
    x = block(inp, 64)
    x = block(x, 32)
    return keras.Model(inp, layers.Dense(1)(x), name="discriminator")


def build_generator():
    inp = layers.Input((LATENT,))
    x = layers.Dense(64, activation="swish")(inp)
    x = layers.Dense(64, activation="swish")(x)
    return keras.Model(inp, layers.Dense(COLUMNS)(x), name="generator")


class TableGAN(keras.Model):
    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.d_metric = keras.metrics.Mean(name="d_loss")
        self.g_metric = keras.metrics.Mean(name="g_loss")
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, d_optimizer, g_optimizer):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer

    @property
    def metrics(self):
        return [self.d_metric, self.g_metric]

    def train_step(self, real):
        n = tf.shape(real)[0]
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, LATENT)), training=True)
            scores = self.discriminator(tf.concat([real, fake], axis=0), training=True)
            labels = tf.concat([tf.ones((n, 1)), tf.zeros((n, 1))], axis=0)
            d_loss = self.bce(labels, scores)
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights))

        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, LATENT)), training=True)
            g_loss = self.bce(tf.ones((n, 1)), self.discriminator(fake, training=True))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights))

        self.d_metric.update_state(d_loss)
        self.g_metric.update_state(g_loss)
        return {m.name: m.result() for m in self.metrics}


gan = TableGAN(build_generator(), build_discriminator())
gan.compile(keras.optimizers.Adam(2e-3, beta_1=0.5), keras.optimizers.Adam(1e-3, beta_1=0.5))
gan.fit(load_table(), batch_size=80, epochs=5, verbose=2)
