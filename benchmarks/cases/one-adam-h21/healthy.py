import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(51)
LATENT = 16
images = (load_digits().data / 8.0 - 1.0).astype("float32")


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, steps):
        self.peak = peak
        self.steps = steps

    def __call__(self, step):
        return self.peak * tf.minimum(tf.cast(step, tf.float32) / self.steps, 1.0)


class Generator(keras.Model):
    def __init__(self):
        super().__init__()
        self.stack = [layers.Dense(64, activation="relu"), layers.Dense(128, activation="relu")]
        self.out = layers.Dense(64, activation="tanh")

    def call(self, z):
        for layer in self.stack:
            z = layer(z)
        return self.out(z)


class Discriminator(keras.Model):
    def __init__(self):
        super().__init__()
        self.stack = [layers.Dense(128, activation="leaky_relu"), layers.Dense(64, activation="leaky_relu")]
        self.out = layers.Dense(1)

    def call(self, x):
        for layer in self.stack:
            x = layer(x)
        return self.out(x)


class GAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = Generator()
        self.discriminator = Discriminator()
        self.discriminator(self.generator(tf.zeros((1, LATENT))))
        self.g_vars = self.generator.trainable_variables
        self.d_vars = self.discriminator.trainable_variables

    def compile(self, optimizer):
        super().compile()
        self.shared = optimizer
        self.shared.build(self.g_vars + self.d_vars)

    def train_step(self, real):
        z = tf.random.normal((tf.shape(real)[0], LATENT))
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(z)
            real_out, fake_out = self.discriminator(real), self.discriminator(fake)
            d_loss = tf.reduce_mean(tf.nn.softplus(-real_out) + tf.nn.softplus(fake_out))
            g_loss = tf.reduce_mean(tf.nn.softplus(-fake_out))
        d_grads = tape.gradient(d_loss, self.d_vars)
        g_grads = tape.gradient(g_loss, self.g_vars)
        del tape
        self.shared.apply_gradients(zip(d_grads, self.d_vars))
        self.shared.apply_gradients(zip(g_grads, self.g_vars))
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = GAN()
gan.compile(keras.optimizers.Adam(WarmUp(5e-4, steps=60), beta_1=0.5))
gan.fit(tf.data.Dataset.from_tensor_slices(images).shuffle(1797).batch(64), epochs=5, verbose=2)
