import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(14)
BINS = 8


def tone_histogram(images):
    centres = tf.linspace(-1.0 + 1.0 / BINS, 1.0 - 1.0 / BINS, BINS)
    near = tf.exp(-tf.square((tf.reshape(images, (-1, 1)) - centres) * BINS / 1.5))
    return tf.reduce_mean(near / tf.reduce_sum(near, axis=1, keepdims=True), axis=0)


def histogram_loss(real, fake):
    return tf.reduce_sum(tf.square(tone_histogram(real) - tone_histogram(fake)))


def make_generator():
    z = keras.Input((16,))
    h = layers.Dense(128, activation="relu")(z)
    h = layers.Dense(128, activation="relu")(h)
    return keras.Model(z, layers.Reshape((8, 8, 1))(layers.Dense(64, activation="tanh")(h)), name="generator")


def make_discriminator():
    x = keras.Input((8, 8, 1))
    h = layers.LeakyReLU(negative_slope=0.2)(layers.Conv2D(16, 3, strides=2, padding="same")(x))
    h = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(32)(layers.Flatten()(h)))
    return keras.Model(x, layers.Dense(1)(h), name="discriminator")


class ToneGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator, self.discriminator = make_generator(), make_discriminator()

    def compile(self, g_opt, d_opt, tone_weight):
        super().compile()
        self.g_opt, self.d_opt, self.tone_weight = g_opt, d_opt, tone_weight
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, real):
        n = tf.shape(real)[0]
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, 16)), training=True)
            r, f = self.discriminator(real, training=True), self.discriminator(fake, training=True)
            d_loss = self.bce(tf.ones_like(r), r) + self.bce(tf.zeros_like(f), f)
        grads = tape.gradient(d_loss, self.discriminator.trainable_variables)
        self.d_opt.apply(grads, self.discriminator.trainable_variables)

        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((n, 16)), training=True)
            f = self.discriminator(fake, training=True)
            adversarial = self.bce(tf.ones_like(f), f)
            tone = histogram_loss(real, fake)
            g_loss = adversarial + self.tone_weight * tone
        grads = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_opt.apply(grads, self.generator.trainable_variables)
        return {"d_loss": d_loss, "adversarial": adversarial, "tone": tone}


images = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
gan = ToneGAN()
gan.compile(keras.optimizers.Adam(1e-3, 0.5), keras.optimizers.Adam(5e-4, 0.5), tone_weight=20.0)
gan.fit(tf.data.Dataset.from_tensor_slices(images).shuffle(1797).batch(64), epochs=5, verbose=2)
sample = gan.generator(np.random.normal(size=(256, 16)).astype("float32"))
print("real", np.round(tone_histogram(images).numpy(), 3))
print("fake", np.round(tone_histogram(sample).numpy(), 3))
