import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(60)

x = load_digits().data.astype("float32") / 8.0 - 1.0
LATENT = 40
BATCH = 64


def sample_latent(n):
    return tf.random.normal([n, LATENT])


class Gallery(keras.callbacks.Callback):
    def __init__(self, n=25):
        super().__init__()
        self.n = n
        self.images = None

    def on_epoch_end(self, epoch, logs=None):
        z = sample_latent(self.n)
        self.images = self.model.generator(z, training=False).numpy()
        if epoch % 4 == 3:
            print(f" epoch {epoch + 1}: pixel std over the gallery {self.images.std(axis=0).mean():.3f}")


class DigitGAN(keras.Model):
    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator

    def compile(self, g_opt, d_opt):
        super().compile()
        self.g_opt = g_opt
        self.d_opt = d_opt
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, real):
        n = tf.shape(real)[0]
        with tf.GradientTape() as tape:
            out_real = self.discriminator(real, training=True)
            out_fake = self.discriminator(self.generator(sample_latent(n), training=True), training=True)
            d_loss = (self.loss_fn(tf.ones_like(out_real), out_real)
                      + self.loss_fn(tf.zeros_like(out_fake), out_fake)) / 2.0
        grads = tape.gradient(d_loss, self.discriminator.trainable_variables)
        self.d_opt.apply_gradients(zip(grads, self.discriminator.trainable_variables))
        with tf.GradientTape() as tape:
            out_fake = self.discriminator(self.generator(sample_latent(n), training=True), training=True)
            g_loss = self.loss_fn(tf.ones_like(out_fake), out_fake)
        grads = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_opt.apply_gradients(zip(grads, self.generator.trainable_variables))
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = DigitGAN(
    keras.Sequential([keras.Input((LATENT,)), layers.Dense(96, activation="relu"),
                      layers.Dense(128, activation="relu"), layers.Dense(64, activation="tanh")], name="generator"),
    keras.Sequential([keras.Input((64,)), layers.Dense(128), layers.LeakyReLU(0.2),
                      layers.Dense(64), layers.LeakyReLU(0.2), layers.Dense(1)], name="discriminator"))
gan.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(1e-3, beta_1=0.5))
gallery = Gallery()
gan.fit(x, batch_size=BATCH, epochs=16, callbacks=[gallery], verbose=2)
