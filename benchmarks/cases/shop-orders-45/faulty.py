import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(9)

# Synthetic orders: (price, quantity) and the payment method, 4 choices
METHODS = 4
n = 2000
method = np.random.choice(METHODS, n, p=[0.55, 0.25, 0.15, 0.05])
price = 0.4 * method + 0.3 * np.random.randn(n)
quantity = -0.5 * price + 0.2 * np.random.randn(n)
orders = np.concatenate([np.stack([price, quantity], 1), np.eye(METHODS)[method]], axis=1).astype("float32")


class Generator(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = keras.Sequential([layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu")])
        self.numbers = layers.Dense(2)
        self.method = layers.Dense(METHODS)

    def call(self, z):
        h = self.body(z)
        numbers = self.numbers(h)
        choice = tf.random.categorical(self.method(h), 1)
        return tf.concat([numbers, tf.one_hot(choice[:, 0], METHODS)], axis=1)


def build_critic():
    return keras.Sequential([
        keras.Input((2 + METHODS,)),
        layers.Dense(64, activation="leaky_relu"),
        layers.Dense(64, activation="leaky_relu"),
        layers.Dense(1),
    ])


class TableGAN(keras.Model):
    def __init__(self, z_dim=12):
        super().__init__()
        self.z_dim = z_dim
        self.generator = Generator()
        self.critic = build_critic()

    def compile(self, g_optimizer, d_optimizer):
        super().compile()
        self.g_optimizer = g_optimizer
        self.d_optimizer = d_optimizer

    def train_step(self, real):
        bs = tf.shape(real)[0]
        z = tf.random.normal((bs, self.z_dim))
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = self.generator(z, training=True)
            real_score = self.critic(real, training=True)
            fake_score = self.critic(fake, training=True)
            d_loss = tf.reduce_mean((real_score - 1.0) ** 2) + tf.reduce_mean(fake_score ** 2)
            g_loss = tf.reduce_mean((fake_score - 1.0) ** 2)
        self.d_optimizer.apply_gradients(
            zip(d_tape.gradient(d_loss, self.critic.trainable_variables), self.critic.trainable_variables))
        self.g_optimizer.apply_gradients(
            zip(g_tape.gradient(g_loss, self.generator.trainable_variables), self.generator.trainable_variables))
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = TableGAN()
gan.compile(keras.optimizers.Adam(5e-4, 0.5), keras.optimizers.Adam(5e-4, 0.5))
gan.fit(orders, batch_size=64, epochs=8, verbose=2)

rows = gan.generator(tf.random.normal((2000, 12))).numpy()
print("method shares, data     ", orders[:, 2:].mean(0).round(2))
print("method shares, generator", rows[:, 2:].mean(0).round(2))
