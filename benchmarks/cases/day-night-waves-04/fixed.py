import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(64)
LENGTH = 24


def day(n):
    x = np.linspace(0, 1, LENGTH)[None]
    phase = np.random.rand(n, 1) * 0.3
    return (np.sin(2 * np.pi * (x + phase)) + 0.05 * np.random.randn(n, LENGTH))[..., None].astype("float32")


def night(n):
    x = np.linspace(0, 1, LENGTH)[None]
    phase = np.random.rand(n, 1) * 0.3
    return (0.4 * np.sign(np.sin(4 * np.pi * (x + phase))) + 0.05 * np.random.randn(n, LENGTH))[..., None].astype("float32")


def translator(name):
    x = inp = layers.Input((LENGTH, 1))
    x = layers.Conv1D(16, 5, padding="same", activation="relu")(x)
    skip = x
    x = layers.Conv1D(16, 5, padding="same", activation="relu")(x)
    x = layers.Add()([x, skip])
    return keras.Model(inp, layers.Conv1D(1, 5, padding="same")(x), name=name)


def critic(name):
    return keras.Sequential([
        layers.Input((LENGTH, 1)),
        layers.Conv1D(16, 5, strides=2, padding="same", activation="leaky_relu"),
        layers.Conv1D(24, 5, strides=2, padding="same", activation="leaky_relu"),
        layers.Flatten(),
        layers.Dense(1),
    ], name=name)


class Translation:
    def __init__(self, cycle_weight=8.0):
        self.to_night, self.to_day = translator("to_night"), translator("to_day")
        self.is_night, self.is_day = critic("is_night"), critic("is_day")
        self.gen_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
        self.critic_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
        self.cycle_weight = cycle_weight

    def update_generators(self, d, n):
        with tf.GradientTape() as tape:
            fake_n, fake_d = self.to_night(d), self.to_day(n)
            adversarial = (tf.reduce_mean((self.is_night(fake_n) - 1.0) ** 2)
                           + tf.reduce_mean((self.is_day(fake_d) - 1.0) ** 2))
            cycle = (tf.reduce_mean(tf.abs(self.to_day(fake_n) - d))
                     + tf.reduce_mean(tf.abs(self.to_night(fake_d) - n)))
            total = adversarial + self.cycle_weight * cycle
        grads = tape.gradient(total, self.to_night.trainable_variables + self.to_day.trainable_variables)
        self.gen_opt.apply_gradients(zip(grads, self.to_night.trainable_variables + self.to_day.trainable_variables))
        return adversarial, cycle, fake_d, fake_n

    def update_critics(self, d, n, fake_d, fake_n):
        variables = self.is_night.trainable_variables + self.is_day.trainable_variables
        with tf.GradientTape() as tape:
            loss = 0.0
            for net, real, fake in ((self.is_night, n, fake_n), (self.is_day, d, fake_d)):
                loss += tf.reduce_mean((net(real) - 1.0) ** 2) + tf.reduce_mean(net(fake) ** 2)
        self.critic_opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss


model = Translation()
for it in range(80):
    d, n = tf.constant(day(32)), tf.constant(night(32))
    adversarial, cycle, fake_d, fake_n = model.update_generators(d, n)
    critics = model.update_critics(d, n, fake_d, fake_n)
    if it % 20 == 19:
        print(f"{it + 1:3d} adversarial {float(adversarial):.3f} cycle {float(cycle):.3f} critics {float(critics):.3f}")
