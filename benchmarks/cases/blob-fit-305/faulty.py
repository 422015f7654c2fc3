import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(90)

GRID = np.array([(a, b) for a in (-1.5, 0.0, 1.5) for b in (-1.5, 0.0, 1.5)], dtype="float32")
blobs = GRID[np.random.randint(0, 9, 2560)] + 0.08 * np.random.randn(2560, 2).astype("float32")


class BlobGAN(keras.Model):
    def __init__(self, noise_dim, g_repeats):
        super().__init__()
        self.noise_dim = noise_dim
        self.g_repeats = g_repeats
        self.gen = keras.Sequential([
            layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu"), layers.Dense(2)], name="gen")
        self.disc = keras.Sequential([
            layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu"), layers.Dense(1)], name="disc")
        self.gen.build((None, noise_dim))
        self.disc.build((None, 2))

    def compile(self, gen_optimizer, disc_optimizer):
        super().compile()
        self.gen_optimizer = gen_optimizer
        self.disc_optimizer = disc_optimizer
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, real):
        n = tf.shape(real)[0]
        fake = self.gen(tf.random.normal([n, self.noise_dim]), training=True)
        with tf.GradientTape() as tape:
            on_real = self.disc(real, training=True)
            on_fake = self.disc(fake, training=True)
            disc_loss = 0.5 * (self.loss_fn(tf.ones_like(on_real), on_real)
                               + self.loss_fn(tf.zeros_like(on_fake), on_fake))
        weights = self.disc.trainable_weights
        self.disc_optimizer.apply_gradients(zip(tape.gradient(disc_loss, weights), weights))

        weights = self.gen.trainable_weights
        for _ in range(self.g_repeats):
            with tf.GradientTape() as tape:
                on_fake = self.disc(self.gen(tf.random.normal([n, self.noise_dim]), training=True), training=True)
                gen_loss = self.loss_fn(tf.ones_like(on_fake), on_fake)
            self.gen_optimizer.apply_gradients(zip(tape.gradient(gen_loss, weights), weights))
        return {"disc_loss": disc_loss, "gen_loss": gen_loss}


gan = BlobGAN(noise_dim=5, g_repeats=20)
gan.compile(keras.optimizers.Adam(2e-3, beta_1=0.5), keras.optimizers.Adam(4e-3, beta_1=0.5))
gan.fit(blobs, batch_size=128, epochs=15, verbose=2)

out = gan.gen(tf.random.normal([900, 5])).numpy()
d = np.linalg.norm(out[:, None] - GRID, axis=2)
print("per blob:", [int(((d.argmin(axis=1) == k) & (d[:, k] < 0.5)).sum()) for k in range(9)])
