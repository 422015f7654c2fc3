import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(26)

pixels = load_digits().data.astype("float32") / 8.0 - 1.0
Z = 20


class Monitor(keras.callbacks.Callback):
    """Draws the same 16 noise vectors after every epoch, to follow their pictures through training."""

    def __init__(self):
        super().__init__()
        self.z = np.random.RandomState(0).randn(16, Z).astype("float32")
        self.frames = []

    def on_epoch_end(self, epoch, logs=None):
        self.frames.append(self.model.g(self.z, training=False).numpy().reshape(16, 8, 8))


class GAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.g = keras.Sequential([
            keras.Input((Z,)),
            layers.Dense(96), layers.BatchNormalization(), layers.ReLU(),
            layers.Dense(128), layers.BatchNormalization(), layers.ReLU(),
            layers.Dense(64, activation="tanh")], name="g")
        self.d = keras.Sequential([
            keras.Input((64,)),
            layers.Dense(128), layers.LeakyReLU(0.2),
            layers.Dense(64), layers.LeakyReLU(0.2),
            layers.Dense(1)], name="d")

    def compile(self, g_opt, d_opt):
        super().compile()
        self.g_opt, self.d_opt = g_opt, d_opt

    def train_step(self, real):
        n = tf.shape(real)[0]
        with tf.GradientTape(persistent=True) as tape:
            fake = self.g(tf.random.normal([n, Z]), training=True)
            out_real, out_fake = self.d(real, training=True), self.d(fake, training=True)
            d_loss = 0.5 * tf.reduce_mean(tf.square(out_real - 1.0)) + 0.5 * tf.reduce_mean(tf.square(out_fake))
            g_loss = 0.5 * tf.reduce_mean(tf.square(out_fake - 1.0))
        self.d_opt.apply_gradients(zip(tape.gradient(d_loss, self.d.trainable_variables), self.d.trainable_variables))
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, self.g.trainable_variables), self.g.trainable_variables))
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = GAN()
gan.compile(keras.optimizers.Adam(5e-4, beta_1=0.5), keras.optimizers.Adam(5e-4, beta_1=0.5))
monitor = Monitor()
gan.fit(pixels, batch_size=64, epochs=10, callbacks=[monitor], verbose=2)
change = abs(monitor.frames[-1] - monitor.frames[-2]).mean()
print("change of the monitored pictures over the last epoch: %.3f" % change)
