import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(373)
rng = np.random.default_rng(373)

digits = load_digits()
threes = (digits.images[digits.target == 3] / 8.0 - 1.0).astype("float32")
print(len(threes), "pictures of a three")


def augment(batch):
    """Shift every picture by up to one pixel and add a little brightness."""
    padded = np.pad(batch, ((0, 0), (1, 1), (1, 1)), constant_values=-1.0)
    out = np.empty_like(batch)
    for k, (dy, dx) in enumerate(rng.integers(0, 3, size=(len(batch), 2))):
        out[k] = padded[k, dy:dy + 8, dx:dx + 8]
    return np.clip(out + rng.uniform(-0.1, 0.1, (len(batch), 1, 1)), -1, 1).astype("float32")


generator = keras.Sequential([
    keras.Input((16,)),
    layers.Dense(96), layers.LeakyReLU(0.2),
    layers.Dense(96), layers.LeakyReLU(0.2),
    layers.Dense(64, activation="tanh"),
    layers.Reshape((8, 8)),
])
discriminator = keras.Sequential([
    keras.Input((8, 8)),
    layers.Flatten(),
    layers.Dense(96), layers.LeakyReLU(0.2), layers.Dropout(0.3),
    layers.Dense(48), layers.LeakyReLU(0.2), layers.Dropout(0.3),
    layers.Dense(1),
])
g_opt = keras.optimizers.Adam(6e-4, beta_1=0.5)
d_opt = keras.optimizers.Adam(4e-4, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)

for it in range(260):
    real = augment(threes[rng.choice(len(threes), 32, replace=False)])
    with tf.GradientTape() as dt:
        fake = generator(tf.random.normal([32, 16]), training=True)
        r, f = discriminator(real, training=True), discriminator(fake, training=True)
        d_loss = bce(0.9 * tf.ones_like(r), r) + bce(tf.zeros_like(f), f)
    d_opt.apply_gradients(zip(dt.gradient(d_loss, discriminator.trainable_variables),
                              discriminator.trainable_variables))
    with tf.GradientTape() as gt:
        f = discriminator(generator(tf.random.normal([32, 16]), training=True), training=True)
        g_loss = bce(tf.ones_like(f), f)
    g_opt.apply_gradients(zip(gt.gradient(g_loss, generator.trainable_variables), generator.trainable_variables))
    if it % 26 == 0:
        print(f"{it:3d} d {d_loss:.3f} g {g_loss:.3f}")
