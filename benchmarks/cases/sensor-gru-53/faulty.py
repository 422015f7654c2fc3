import numpy as np
import tensorflow as tf
import keras
from keras import layers, ops

keras.utils.set_random_seed(41)

T, CHANNELS, NOISE, BATCH = 20, 2, 6, 32
DIVERSITY = 0.1


def sensor_windows(n):
    start = np.random.uniform(0, 2 * np.pi, (n, 1))
    speed = np.random.uniform(0.2, 0.5, (n, 1))
    angle = start + speed * np.arange(T)
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).astype("float32")


def make_generator():
    z = keras.Input((T, NOISE))
    h = layers.GRU(32, return_sequences=True)(z)
    return keras.Model(z, layers.TimeDistributed(layers.Dense(CHANNELS, activation="tanh"))(h), name="generator")


def make_discriminator():
    x = keras.Input((T, CHANNELS))
    h = layers.Conv1D(24, 4, strides=2, activation="leaky_relu")(x)
    h = layers.Conv1D(24, 4, strides=2, activation="leaky_relu")(h)
    return keras.Model(x, layers.Dense(1)(layers.Flatten()(h)), name="discriminator")


class SensorGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = make_generator()
        self.discriminator = make_discriminator()
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, gen_opt, disc_opt):
        super().compile()
        self.gen_opt, self.disc_opt = gen_opt, disc_opt

    def train_step(self, real):
        z1 = keras.random.normal((BATCH, T, NOISE))
        z2 = keras.random.normal((BATCH, T, NOISE))

        with tf.GradientTape() as disc_tape:
            fake = self.generator(z1, training=True)
            r, f = self.discriminator(real, training=True), self.discriminator(fake, training=True)
            disc_loss = self.bce(ops.ones_like(r), r) + self.bce(ops.zeros_like(f), f)
        disc_grads = disc_tape.gradient(disc_loss, self.discriminator.trainable_weights)
        self.disc_opt.apply(disc_grads, self.discriminator.trainable_weights)

        with tf.GradientTape() as gen_tape:
            fake1 = self.generator(z1, training=True)
            fake2 = self.generator(z2, training=True)
            f = self.discriminator(fake1, training=True)
            gen_loss = self.bce(ops.ones_like(f), f)

        # push samples of different noise apart
        distance = ops.mean(ops.abs(fake1 - fake2)) / ops.mean(ops.abs(z1 - z2))
        gen_loss = gen_loss + DIVERSITY / (distance + 1e-3)
        gen_grads = gen_tape.gradient(gen_loss, self.generator.trainable_weights)
        self.gen_opt.apply(gen_grads, self.generator.trainable_weights)
        return {"disc": disc_loss, "gen": gen_loss, "distance": distance}


gan = SensorGAN()
gan.compile(keras.optimizers.Adam(1e-3, 0.5), keras.optimizers.Adam(5e-4, 0.5))
windows = tf.data.Dataset.from_tensor_slices(sensor_windows(640)).shuffle(640).batch(BATCH)
gan.fit(windows, epochs=4, verbose=2)
