import numpy as np
import tensorflow as tf
from tensorflow.keras import Sequential, Input, layers, losses, optimizers, utils

utils.set_random_seed(2)


class WaveGAN:
    """1D GAN for short sine waves."""

    def __init__(self, length=32, latent_dim=8, batch_size=32):
        self.length = length
        self.latent_dim = latent_dim
        self.batch_size = batch_size
        self.generator = self.make_generator()
        self.discriminator = self.make_discriminator()
        self.loss = losses.BinaryCrossentropy()
        self.opt_g = optimizers.RMSprop(5e-4)
        self.opt_d = optimizers.RMSprop(5e-4)

    def make_generator(self):
        return Sequential([
            Input((self.latent_dim,)),
            layers.Dense(8 * 16, activation="relu"),
            layers.Reshape((8, 16)),
            layers.Conv1DTranspose(16, 4, strides=2, padding="same", activation="relu"),
            layers.Conv1DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
        ])

    def make_discriminator(self):
        return Sequential([
            Input((self.length, 1)),
            layers.Conv1D(16, 5, strides=2, padding="same", activation="leaky_relu"),
            layers.Conv1D(32, 5, strides=2, padding="same", activation="leaky_relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ])

    def real_batch(self):
        t = np.linspace(0, 1, self.length)
        freq = np.random.uniform(1, 3, (self.batch_size, 1))
        phase = np.random.uniform(0, 2 * np.pi, (self.batch_size, 1))
        return (0.9 * np.sin(2 * np.pi * freq * t + phase))[..., None].astype("float32")

    def noise(self):
        return np.random.normal(size=(self.batch_size, self.latent_dim)).astype("float32")

    def train_discriminator(self):
        real = self.real_batch()
        fake = self.generator.predict(self.noise(), verbose=0)
        x = np.concatenate([real, fake])
        y = np.concatenate([np.ones((self.batch_size, 1)), np.zeros((self.batch_size, 1))])
        with tf.GradientTape() as tape:
            loss = self.loss(y, self.discriminator(x, training=True))
        grads = tape.gradient(loss, self.discriminator.trainable_variables)
        self.opt_d.apply_gradients(zip(grads, self.discriminator.trainable_variables))
        return float(loss)

    def train_generator(self):
        y = np.ones((self.batch_size, 1))
        with tf.GradientTape() as tape:
            fake = self.generator(self.noise(), training=True)
            loss = self.loss(y, self.discriminator(fake, training=True))
        grads = tape.gradient(loss, self.generator.trainable_variables)
        self.opt_g.apply_gradients(zip(grads, self.generator.trainable_variables))
        return float(loss)

    def fit(self, steps):
        for step in range(steps):
            d = self.train_discriminator()
            g = self.train_generator()
            if step % 10 == 0:
                print("step", step, "d", round(d, 4), "g", round(g, 4))


gan = WaveGAN()
gan.fit(40)
