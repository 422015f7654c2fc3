import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(361)

scans = (load_digits().images / 16.0).astype("float32")[..., np.newaxis]
pool = np.tile(scans[:4], (400, 1, 1, 1))
print("images:", pool.shape)


class GAN(keras.Model):
    def __init__(self, latent=16):
        super().__init__()
        self.latent = latent
        self.gen = keras.Sequential([
            keras.Input((latent,)),
            layers.Dense(2 * 2 * 48),
            layers.BatchNormalization(momentum=0.8),
            layers.LeakyReLU(0.2),
            layers.Reshape((2, 2, 48)),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same"),
            layers.BatchNormalization(momentum=0.8),
            layers.LeakyReLU(0.2),
            layers.Conv2DTranspose(16, 4, strides=2, padding="same"),
            layers.BatchNormalization(momentum=0.8),
            layers.LeakyReLU(0.2),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ])
        self.disc = keras.Sequential([
            keras.Input((8, 8, 1)),
            layers.Conv2D(24, 3, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(48, 3, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ])

    def compile(self, g_lr, d_lr):
        super().compile()
        self.g_adam = keras.optimizers.Adam(g_lr, beta_1=0.5)
        self.d_adam = keras.optimizers.Adam(d_lr, beta_1=0.5)
        self.bce = keras.losses.BinaryCrossentropy()

    def train_step(self, images):
        n = tf.shape(images)[0]
        noise = tf.random.normal((n, self.latent))
        with tf.GradientTape() as dt:
            p_real = self.disc(images, training=True)
            p_fake = self.disc(self.gen(noise, training=True), training=True)
            d_loss = self.bce(tf.ones_like(p_real), p_real) + self.bce(tf.zeros_like(p_fake), p_fake)
        grads = dt.gradient(d_loss, self.disc.trainable_weights)
        self.d_adam.apply_gradients(zip(grads, self.disc.trainable_weights))
        with tf.GradientTape() as gt:
            p_fake = self.disc(self.gen(tf.random.normal((n, self.latent)), training=True), training=True)
            g_loss = self.bce(tf.ones_like(p_fake), p_fake)
        grads = gt.gradient(g_loss, self.gen.trainable_weights)
        self.g_adam.apply_gradients(zip(grads, self.gen.trainable_weights))
        return {"d": d_loss, "g": g_loss, "p_real": tf.reduce_mean(p_real), "p_fake": tf.reduce_mean(p_fake)}


gan = GAN()
gan.compile(g_lr=1.5e-3, d_lr=6e-4)
gan.fit(pool, batch_size=40, epochs=9, verbose=2)
