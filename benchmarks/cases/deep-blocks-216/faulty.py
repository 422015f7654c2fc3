import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(36)

NOISE, WIDTH, BLOCKS, BATCH, STEPS = 32, 64, 14, 64, 60

x_all = (load_digits().data / 8.0 - 1.0).astype("float32")


class Block(layers.Layer):
    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Dense(2 * width, activation="relu", kernel_initializer="he_normal")
        self.outer = layers.Dense(width, kernel_initializer="he_normal")

    def call(self, x):
        return x + self.outer(self.inner(x))


def tower(n_in, n_out, name):
    inputs = layers.Input((n_in,))
    x = layers.Dense(WIDTH)(inputs)
    for _ in range(BLOCKS):
        x = Block(WIDTH)(x)
    return keras.Model(inputs, layers.Dense(n_out)(x), name=name)


generator = keras.Sequential([
    layers.Input((NOISE,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(64, activation="tanh"),
], name="generator")
discriminator = tower(64, 1, "discriminator")
gen_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
disc_optimizer = keras.optimizers.Adam(3e-5, beta_1=0.5)
loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_discriminator(real):
    fake = generator(tf.random.normal((BATCH, NOISE)), training=True)
    with tf.GradientTape() as tape:
        scores = discriminator(tf.concat([real, fake], axis=0), training=True)
        labels = tf.concat([0.9 * tf.ones((BATCH, 1)), tf.zeros((BATCH, 1))], axis=0)
        loss = loss_fn(labels, scores)
    grads = tape.gradient(loss, discriminator.trainable_variables)
    disc_optimizer.apply_gradients(zip(grads, discriminator.trainable_variables))
    return loss


@tf.function
def train_generator():
    with tf.GradientTape() as tape:
        scores = discriminator(generator(tf.random.normal((BATCH, NOISE)), training=True), training=True)
        loss = loss_fn(tf.ones((BATCH, 1)), scores)
    grads = tape.gradient(loss, generator.trainable_variables)
    gen_optimizer.apply_gradients(zip(grads, generator.trainable_variables))
    return loss


for step in range(STEPS):
    d_loss = train_discriminator(x_all[np.random.randint(0, len(x_all), BATCH)])
    g_loss = train_generator()
    if step % 10 == 9:
        print(f"{step + 1:3d} d_loss={float(d_loss):.4f} g_loss={float(g_loss):.4f}")
