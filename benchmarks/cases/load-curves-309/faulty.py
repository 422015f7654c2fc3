import numpy as np
import keras
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(19)

STEPS = 16
Z = 20


def load_curves(n):
    t = np.arange(STEPS) / STEPS
    peak = np.random.uniform(0.25, 0.75, (n, 1))
    height = np.random.uniform(0.5, 1.0, (n, 1))
    return (height * np.exp(-((t - peak) ** 2) / 0.02))[..., None].astype("float32")


class CurveGenerator(keras.Model):
    def __init__(self):
        super().__init__(name="curve_generator")
        self.rnn = layers.GRU(Z, return_sequences=True)
        self.mix = layers.Dense(32, activation="tanh")
        self.out = layers.Dense(1)

    def call(self, z):
        clock = tf.linspace(-1.0, 1.0, STEPS)[tf.newaxis, :, tf.newaxis]
        inputs = tf.tile(clock, [tf.shape(z)[0], 1, 1])
        h = self.rnn(inputs)
        return self.out(self.mix(h))


class CurveGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.g = CurveGenerator()
        self.d = keras.Sequential([
            keras.Input((STEPS, 1)),
            layers.Conv1D(16, 4, strides=2, padding="same"), layers.LeakyReLU(0.2),
            layers.Conv1D(32, 4, strides=2, padding="same"), layers.LeakyReLU(0.2),
            layers.Flatten(), layers.Dense(1)], name="curve_discriminator")

    def compile(self, g_opt, d_opt):
        super().compile()
        self.g_opt, self.d_opt = g_opt, d_opt

    def train_step(self, real):
        n = tf.shape(real)[0]
        z = tf.random.normal([n, Z])
        with tf.GradientTape() as tape:
            score_real, score_fake = self.d(real, training=True), self.d(self.g(z), training=True)
            d_loss = tf.reduce_mean(tf.nn.relu(1.0 - score_real)) + tf.reduce_mean(tf.nn.relu(1.0 + score_fake))
        grads = tape.gradient(d_loss, self.d.trainable_variables)
        self.d_opt.apply_gradients(zip(grads, self.d.trainable_variables))
        z = tf.random.normal([n, Z])
        with tf.GradientTape() as tape:
            g_loss = -tf.reduce_mean(self.d(self.g(z), training=True))
        grads = tape.gradient(g_loss, self.g.trainable_variables)
        self.g_opt.apply_gradients(zip(grads, self.g.trainable_variables))
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = CurveGAN()
gan.g(tf.zeros([1, Z]))
gan.compile(keras.optimizers.Adam(1e-3, beta_1=0.0), keras.optimizers.Adam(1e-3, beta_1=0.0))
curves = load_curves(1600)
gan.fit(curves, batch_size=50, epochs=10, verbose=2)

sample = gan.g(tf.random.normal([64, Z])).numpy()[..., 0]
print("peak positions:", np.unique(sample.argmax(axis=1)))
