import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(29)

# coarse 4x4 layout first, then an 8x8 image
full = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
NOISE, BATCH = 16, 32

stage1 = keras.Sequential([
    keras.Input((NOISE,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(16, activation="tanh"),
    layers.Reshape((4, 4, 1)),
], name="stage1")

stage2 = keras.Sequential([
    keras.Input((4, 4, 1 + NOISE)),
    layers.Conv2D(32, 3, padding="same", activation="relu"),
    layers.Conv2DTranspose(16, 4, strides=2, padding="same", activation="relu"),
    layers.Conv2D(1, 3, padding="same", activation="tanh"),
], name="stage2")

disc = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Flatten(),
    layers.Dense(1),
], name="disc")

gen_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
disc_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


def forward(z):
    coarse = stage1(z, training=True)
    planes = tf.tile(z[:, None, None, :], (1, 4, 4, 1))
    fine = stage2(tf.concat([coarse, planes], axis=-1), training=True)
    return coarse, fine, disc(fine, training=True)


def disc_step(real):
    z = tf.random.normal((BATCH, NOISE))
    with tf.GradientTape() as tape:
        _, _, fake_logits = forward(z)
        real_logits = disc(real, training=True)
        loss = bce(tf.ones_like(real_logits), real_logits) + bce(tf.zeros_like(fake_logits), fake_logits)
    grads = tape.gradient(loss, disc.trainable_variables)
    disc_opt.apply_gradients(zip(grads, disc.trainable_variables))
    return loss


def gen_step():
    z = tf.random.normal((BATCH, NOISE))
    variables = stage1.trainable_variables + stage2.trainable_variables
    with tf.GradientTape() as tape:
        _, _, fake_logits = forward(z)
        loss = bce(tf.ones_like(fake_logits), fake_logits)
    grads = tape.gradient(loss, variables)
    gen_opt.apply_gradients(zip(grads, variables))
    return loss


for it in range(80):
    real = tf.constant(full[np.random.randint(0, len(full), BATCH)])
    d, g = disc_step(real), gen_step()
    if it % 20 == 0:
        print(f"iter {it}: disc {float(d):.3f} gen {float(g):.3f}")
