import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(55)
STEPS, NOISE, BATCH = 10, 3, 64


def price_paths(n):
    shocks = 0.3 * np.random.standard_t(5, (n, STEPS))
    x = np.zeros((n, STEPS))
    for t in range(1, STEPS):
        x[:, t] = 0.8 * x[:, t - 1] + shocks[:, t]
    return x[..., None].astype("float32")


class PathGenerator(keras.Model):
    def __init__(self, units=24):
        super().__init__()
        self.units = units
        self.drive = layers.Dense(units)
        self.recur = layers.Dense(units, use_bias=False, kernel_initializer="orthogonal")
        self.readout = layers.Dense(1)
        self.state = self.add_weight(shape=(BATCH, units), initializer="zeros", trainable=False, name="state")

    def call(self, noise):
        state = tf.zeros((BATCH, self.units))
        path = []
        for t in range(STEPS):
            state = tf.tanh(self.drive(noise[:, t]) + self.recur(state))
            path.append(self.readout(state))
        return tf.stack(path, axis=1)


class PathGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = PathGenerator()
        self.discriminator = keras.Sequential([
            keras.Input((STEPS, 1)),
            layers.GRU(24),
            layers.Dense(1),
        ])
        self.generator(tf.zeros((BATCH, STEPS, NOISE)))

    def compile(self, lr):
        super().compile()
        self.g_opt = keras.optimizers.Adam(lr)
        self.d_opt = keras.optimizers.Adam(lr)
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, real):
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal((BATCH, STEPS, NOISE)))
            p, q = self.discriminator(real), self.discriminator(fake)
            d_loss = self.bce(tf.ones_like(p), p) + self.bce(tf.zeros_like(q), q)
        weights = self.discriminator.trainable_weights
        self.d_opt.apply_gradients(zip(tape.gradient(d_loss, weights), weights))

        with tf.GradientTape() as tape:
            q = self.discriminator(self.generator(tf.random.normal((BATCH, STEPS, NOISE))))
            g_loss = self.bce(tf.ones_like(q), q)
        weights = self.generator.trainable_weights
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = PathGAN()
gan.compile(lr=2e-3)
paths = tf.data.Dataset.from_tensor_slices(price_paths(1280)).shuffle(1280).batch(BATCH, drop_remainder=True)
gan.fit(paths, epochs=4, verbose=2)

out = gan.generator(tf.random.normal((BATCH, STEPS, NOISE))).numpy()[..., 0]
print("lag-1 correlation of samples", np.corrcoef(out[:, 4], out[:, 5])[0, 1].round(3))
