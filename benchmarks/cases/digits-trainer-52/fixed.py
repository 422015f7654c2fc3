import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers


class Config:
    batch_size = 48
    latent = 20
    steps = 90
    lr = 4e-4
    seed = 77


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        self.G = keras.Sequential([
            keras.Input((cfg.latent,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(64, activation="tanh"),
        ], name="G")
        self.D = keras.Sequential([
            keras.Input((64,)),
            layers.Dense(96, activation="leaky_relu"),
            layers.Dense(48, activation="leaky_relu"),
            layers.Dense(1),
        ], name="D")
        self.g_opt = keras.optimizers.Adam(cfg.lr, beta_1=0.5)
        self.d_opt = keras.optimizers.Adam(cfg.lr, beta_1=0.5)
        self.mse = keras.losses.MeanSquaredError()

    @tf.function
    def step(self, real):
        z = tf.random.normal((self.cfg.batch_size, self.cfg.latent))
        with tf.GradientTape(persistent=True) as tape:
            fake = self.G(z, training=True)
            with tape.stop_recording():
                spread = tf.reduce_mean(tf.math.reduce_std(fake, axis=0))
            real_score = self.D(real, training=True)
            fake_score = self.D(fake, training=True)
            d_loss = (self.mse(tf.ones_like(real_score), real_score)
                      + self.mse(tf.zeros_like(fake_score), fake_score))
            g_loss = self.mse(tf.ones_like(fake_score), fake_score)

        d_vars, g_vars = self.D.trainable_variables, self.G.trainable_variables
        self.d_opt.apply_gradients(zip(tape.gradient(d_loss, d_vars), d_vars))
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, g_vars), g_vars))
        del tape
        return d_loss, g_loss, spread

    def run(self, dataset):
        for step, real in enumerate(dataset.take(self.cfg.steps)):
            d_loss, g_loss, spread = self.step(real)
            if step % 30 == 0:
                print(f"[{step:03d}] D {float(d_loss):.3f} | G {float(g_loss):.3f} | spread {float(spread):.3f}")


if __name__ == "__main__":
    cfg = Config()
    keras.utils.set_random_seed(cfg.seed)
    pixels = (load_digits().data / 8.0 - 1.0).astype(np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(pixels).shuffle(1797).repeat().batch(cfg.batch_size)
    trainer = Trainer(cfg)
    trainer.run(dataset)
