import numpy as np
import tensorflow as tf
import keras
from keras import layers, ops

keras.utils.set_random_seed(114)

settings = {"size": 14, "latent": 20, "d_steps": 1, "batch": 32}


def thermal_frames(n):
    """Masks of small thermal pictures: one warm spot (1) in front of a cold wall (-1)."""
    rng = np.random.default_rng(114)
    yy, xx = np.mgrid[0:settings["size"], 0:settings["size"]].astype("float32")
    cy, cx = rng.uniform(3, 11, (2, n, 1, 1))
    s = rng.uniform(1.0, 2.5, (n, 1, 1))
    spot = np.exp(-((yy - cy) ** 2 + (xx - cx) ** 2) / (2 * s ** 2))
    return np.where(spot > 0.4, 1.0, -1.0).astype("float32")[..., None]


def make_generator():
    return keras.Sequential([
        keras.Input((settings["latent"],)),
        layers.Dense(7 * 7 * 16, activation="relu"),
        layers.Reshape((7, 7, 16)),
        layers.Conv2DTranspose(16, 4, strides=2, padding="same", activation="relu"),
        layers.Conv2D(1, 3, padding="same", activation="tanh"),
    ], name="generator")


def make_discriminator():
    return keras.Sequential([
        keras.Input((settings["size"], settings["size"], 1)),
        layers.Flatten(),
        layers.Dense(96, activation="leaky_relu"),
        layers.Dense(64, activation="leaky_relu"),
        layers.Dense(1, activation="sigmoid"),
    ], name="discriminator")


def neg_log(p):
    return -ops.mean(ops.log(ops.clip(p, 1e-3, 0.999)))


class ThermalGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.gen = make_generator()
        self.disc = make_discriminator()
        self.gen_opt = keras.optimizers.Adam(1e-4, beta_1=0.5)
        self.disc_opt = keras.optimizers.Adam(2e-3, beta_1=0.5)

    def sample(self, n):
        return self.gen(tf.random.normal((n, settings["latent"])), training=True)

    def train_step(self, frames):
        n = tf.shape(frames)[0]
        for _ in range(settings["d_steps"]):
            with tf.GradientTape() as tape:
                d_loss = neg_log(self.disc(frames, training=True)) + neg_log(1.0 - self.disc(self.sample(n), training=True))
            grads = tape.gradient(d_loss, self.disc.trainable_variables)
            self.disc_opt.apply(grads, self.disc.trainable_variables)
        with tf.GradientTape() as tape:
            g_loss = neg_log(self.disc(self.sample(n), training=True))
        grads = tape.gradient(g_loss, self.gen.trainable_variables)
        self.gen_opt.apply(grads, self.gen.trainable_variables)
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = ThermalGAN()
gan.disc_opt.build(gan.disc.trainable_variables)
gan.gen_opt.build(gan.gen.trainable_variables)
gan.compile(jit_compile=False)
gan.fit(thermal_frames(640), batch_size=settings["batch"], epochs=3, verbose=2)
