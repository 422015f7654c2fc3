"""A small GAN in eager mode; prints the seconds that a step takes once the training runs steadily."""

import time

import keras
import tensorflow as tf
from keras import layers

FUNCTION = False

keras.utils.set_random_seed(1)
G = keras.Sequential(
    [
        keras.Input((32,)),
        layers.Dense(128, activation="relu"),
        layers.BatchNormalization(),
        layers.Dense(64, activation="tanh"),
    ]
)
D = keras.Sequential([keras.Input((64,)), layers.Dense(128), layers.LeakyReLU(0.2), layers.Dense(1)])
bce = keras.losses.BinaryCrossentropy(from_logits=True)
g_optimizer, d_optimizer = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3)


def step(real):
    noise = tf.random.normal((64, 32))
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fake = D(G(noise, training=True), training=True)
        true = D(real, training=True)
        g_loss = bce(tf.ones_like(fake), fake)
        d_loss = bce(tf.ones_like(true), true) + bce(tf.zeros_like(fake), fake)
    g_optimizer.apply_gradients(zip(g_tape.gradient(g_loss, G.trainable_variables), G.trainable_variables, strict=True))
    d_optimizer.apply_gradients(zip(d_tape.gradient(d_loss, D.trainable_variables), D.trainable_variables, strict=True))


def measure(function, steps):
    real = tf.random.normal((64, 64))
    for _ in range(20):
        function(real)
    began = time.perf_counter()
    for _ in range(steps):
        function(real)
    return (time.perf_counter() - began) / steps


if __name__ == "__main__":
    print(measure(step, 200))
