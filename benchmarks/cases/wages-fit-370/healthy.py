"""Wage survey table."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(370)
rng = np.random.default_rng(370)

n = 3000
schooling = rng.normal(13, 2.5, n)
experience = rng.gamma(2.5, 7.0, n)
hours = rng.normal(37, 6, n)
wage = np.exp(1.4 + 0.08 * schooling + 0.012 * experience + rng.normal(0, 0.3, n))
table = np.stack([schooling, experience, hours, wage], axis=1)
mu, sd = table.mean(0), table.std(0)
scaled = ((table - mu) / sd).astype("float32")
print("scaled columns from", scaled.min(0), "to", scaled.max(0))


class TableGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.g = keras.Sequential([keras.Input((12,)), layers.Dense(64, activation="relu"),
                                   layers.Dense(64, activation="relu"), layers.Dense(4)])
        self.d = keras.Sequential([keras.Input((4,)), layers.Dense(64), layers.LeakyReLU(0.2),
                                   layers.Dense(64), layers.LeakyReLU(0.2), layers.Dense(1)])
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
        self.g_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
        self.d_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)

    def train_step(self, rows):
        n = tf.shape(rows)[0]
        with tf.GradientTape() as tape:
            fake = self.g(tf.random.normal([n, 12]), training=True)
            r, f = self.d(rows, training=True), self.d(fake, training=True)
            d_loss = self.loss_fn(tf.ones_like(r), r) + self.loss_fn(tf.zeros_like(f), f)
        variables = self.d.trainable_variables
        self.d_opt.apply_gradients(zip(tape.gradient(d_loss, variables), variables))
        with tf.GradientTape() as tape:
            f = self.d(self.g(tf.random.normal([n, 12]), training=True), training=True)
            g_loss = self.loss_fn(tf.ones_like(f), f)
        variables = self.g.trainable_variables
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, variables), variables))
        return {"d_loss": d_loss, "g_loss": g_loss}


model = TableGAN()
model.compile()
model.fit(scaled, batch_size=75, epochs=8, verbose=2)
