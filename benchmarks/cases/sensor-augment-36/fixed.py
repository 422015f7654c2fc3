import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(2)
LENGTH, LATENT, BATCH = 48, 12, 64


def make_signals(n):
    t = np.linspace(0.0, 1.0, LENGTH)
    freq = np.random.uniform(1.0, 4.0, (n, 1))
    phase = np.random.uniform(0.0, 2 * np.pi, (n, 1))
    return (np.sin(2 * np.pi * freq * t + phase) * np.exp(-t)).astype("float32")[..., None]


def _shift_rows(batch, offsets):
    index = (tf.range(LENGTH)[None, :] - offsets[:, None]) % LENGTH
    return tf.gather(batch, index, batch_dims=1)


def augment(batch):
    """Random circular shift and gain, for real and generated windows alike."""
    offsets = tf.random.uniform((BATCH,), -6, 7, dtype=tf.int32)
    gain = tf.random.uniform((BATCH, 1, 1), 0.8, 1.2)
    shifted = _shift_rows(batch, offsets)
    return shifted * gain


generator = keras.Sequential([
    keras.Input((LATENT,)),
    layers.Dense(12 * 32, activation="relu"),
    layers.Reshape((12, 32)),
    layers.Conv1DTranspose(32, 4, strides=2, padding="same", activation="relu"),
    layers.Conv1DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
], name="generator")

discriminator = keras.Sequential([
    keras.Input((LENGTH, 1)),
    layers.Conv1D(32, 5, strides=2, padding="same", activation="leaky_relu"),
    layers.Conv1D(32, 5, strides=2, padding="same", activation="leaky_relu"),
    layers.Flatten(),
    layers.Dense(1),
], name="discriminator")

loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
g_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
d_optimizer = keras.optimizers.Adam(5e-4, beta_1=0.5)


@tf.function
def train_discriminator(real):
    noise = tf.random.normal((BATCH, LATENT))
    with tf.GradientTape() as tape:
        real_score = discriminator(augment(real))
        fake_score = discriminator(augment(generator(noise)))
        loss = loss_fn(tf.ones_like(real_score), real_score) + loss_fn(tf.zeros_like(fake_score), fake_score)
    grads = tape.gradient(loss, discriminator.trainable_variables)
    d_optimizer.apply(grads, discriminator.trainable_variables)
    return loss


@tf.function
def train_generator():
    noise = tf.random.normal((BATCH, LATENT))
    with tf.GradientTape() as tape:
        fake_score = discriminator(augment(generator(noise)))
        loss = loss_fn(tf.ones_like(fake_score), fake_score)
    grads = tape.gradient(loss, generator.trainable_variables)
    g_optimizer.apply(grads, generator.trainable_variables)
    return loss


signals = make_signals(2048)
for step in range(80):
    rows = np.random.choice(len(signals), BATCH, replace=False)
    d_loss = train_discriminator(tf.constant(signals[rows]))
    g_loss = train_generator()
    if step % 20 == 0:
        print("step", step, "d_loss", float(d_loss), "g_loss", float(g_loss))
