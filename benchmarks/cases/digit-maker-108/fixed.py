import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

tf.keras.utils.set_random_seed(108)


class Config:
    noise_dim = 16
    hidden = 64
    batch = 64
    iterations = 120


def mlp(sizes, out_activation, name):
    layers = [tf.keras.Input((sizes[0],))]
    for width in sizes[1:-1]:
        layers.append(tf.keras.layers.Dense(width, activation="leaky_relu"))
    layers.append(tf.keras.layers.Dense(sizes[-1], activation=out_activation))
    return tf.keras.Sequential(layers, name=name)


class DigitMaker:
    def __init__(self, cfg):
        self.cfg = cfg
        self.gen = mlp([cfg.noise_dim, cfg.hidden, cfg.hidden, 64], "tanh", "gen")
        self.disc = mlp([64, cfg.hidden, cfg.hidden, 1], "sigmoid", "disc")
        self.bce = tf.keras.losses.BinaryCrossentropy()
        self.gen_opt = tf.keras.optimizers.Adam(3e-4, beta_1=0.0, beta_2=0.9)
        self.disc_opt = tf.keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)

    def noise(self):
        return tf.random.normal((self.cfg.batch, self.cfg.noise_dim))

    @tf.function
    def disc_step(self, x):
        with tf.GradientTape() as tape:
            real = self.disc(x, training=True)
            fake = self.disc(self.gen(self.noise(), training=True), training=True)
            loss = self.bce(tf.ones_like(real), real) + self.bce(tf.zeros_like(fake), fake)
        grads = tape.gradient(loss, self.disc.trainable_variables)
        self.disc_opt.apply_gradients(zip(grads, self.disc.trainable_variables))
        return loss

    @tf.function
    def gen_step(self):
        with tf.GradientTape() as tape:
            fake = self.disc(self.gen(self.noise(), training=True), training=True)
            loss = self.bce(tf.ones_like(fake), fake)
        grads = tape.gradient(loss, self.gen.trainable_variables)
        self.gen_opt.apply_gradients(zip(grads, self.gen.trainable_variables))
        return loss

    def train(self, data):
        rng = np.random.default_rng(0)
        for it in range(self.cfg.iterations):
            x = data[rng.integers(0, len(data), self.cfg.batch)]
            d = self.disc_step(tf.constant(x))
            g = self.gen_step()
            if it % 20 == 0 or it == self.cfg.iterations - 1:
                print(f"[{it:3d}] disc {d.numpy():.4f}  gen {g.numpy():.5f}")


digits = (load_digits().data / 8.0 - 1.0).astype("float32")
model = DigitMaker(Config)
model.train(digits)
