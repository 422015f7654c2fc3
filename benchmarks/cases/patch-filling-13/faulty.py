import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(9)
data = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
BATCH = 40

# context encoder: sees the border, predicts the 4x4 centre
completer = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
    layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
    layers.Flatten(),
    layers.Dense(64, activation="relu"),
    layers.Dense(16, activation="tanh"),
    layers.Reshape((4, 4, 1)),
], name="completer")

discriminator = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Flatten(),
    layers.Dense(1),
], name="discriminator")

bce = keras.losses.BinaryCrossentropy(from_logits=True)
opt_c = keras.optimizers.Adam(1e-3, beta_1=0.5)
opt_d = keras.optimizers.Adam(5e-4, beta_1=0.5)


def cut_out(pictures):
    hole = np.ones((1, 8, 8, 1), "float32")
    hole[:, 2:6, 2:6] = 0.0
    return pictures * hole


def paste(pictures, patch):
    canvas = tf.Variable(pictures)
    canvas[:, 2:6, 2:6, :].assign(patch)
    return canvas


def discriminator_step(real, completed):
    with tf.GradientTape() as tape:
        out_real = discriminator(real)
        out_fake = discriminator(completed)
        loss = bce(tf.ones_like(out_real), out_real) + bce(tf.zeros_like(out_fake), out_fake)
    grads = tape.gradient(loss, discriminator.trainable_variables)
    opt_d.apply_gradients(zip(grads, discriminator.trainable_variables))
    return loss


def completer_step(pictures):
    with tf.GradientTape() as tape:
        completed = paste(pictures, completer(cut_out(pictures)))
        out = discriminator(completed)
        loss = bce(tf.ones_like(out), out)
    grads = tape.gradient(loss, completer.trainable_variables)
    opt_c.apply_gradients(zip(grads, completer.trainable_variables))
    return loss


for step in range(60):
    real = tf.constant(data[np.random.randint(0, len(data), BATCH)])
    damaged = tf.constant(data[np.random.randint(0, len(data), BATCH)])
    d_loss = discriminator_step(real, tf.identity(paste(damaged, completer(cut_out(damaged)))))
    g_loss = completer_step(damaged)
    if step % 15 == 0:
        error = tf.reduce_mean(tf.abs(completer(cut_out(data[:200])) - data[:200, 2:6, 2:6]))
        print(f"step {step} d_loss {float(d_loss):.4f} g_loss {float(g_loss):.4f} centre error {float(error):.4f}")
