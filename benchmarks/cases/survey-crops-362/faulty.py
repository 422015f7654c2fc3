"""GAN on 12x12 crops of a microscope survey."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(362)
rng = np.random.default_rng(362)

SIDE, CROP, LATENT, BATCH = 1500, 12, 20, 48

# one wide scan with some cells on it
survey = np.full((SIDE, SIDE), -1.0, dtype="float32")
centres = rng.integers(12, SIDE - 12, size=(260, 2))
yy, xx = np.mgrid[-5:6, -5:6]
for cy, cx in centres:
    ry, rx = rng.uniform(2.0, 5.0, 2)
    cell = 2.0 * np.clip(1.6 - (yy / ry) ** 2 - (xx / rx) ** 2, 0, 1) * rng.uniform(0.6, 1.0) - 1.0
    patch = survey[cy - 5:cy + 6, cx - 5:cx + 6]
    np.maximum(patch, cell, out=patch)

corners = rng.integers(0, SIDE - CROP, size=(4000, 2))
crops = []
for _ in range(2400):
    spot = corners[rng.integers(0, len(corners))]
    crops.append(survey[spot[0]:spot[0] + CROP, spot[1]:spot[1] + CROP])
crops = np.stack(crops)[..., None]
print("crops", crops.shape, "range", crops.min(), crops.max())

generator = keras.Sequential([
    keras.Input((LATENT,)),
    layers.Dense(3 * 3 * 32),
    layers.LeakyReLU(0.2),
    layers.Reshape((3, 3, 32)),
    layers.Conv2DTranspose(24, 4, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
])
discriminator = keras.Sequential([
    keras.Input((CROP, CROP, 1)),
    layers.Conv2D(16, 4, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Conv2D(32, 4, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Flatten(),
    layers.Dropout(0.3),
    layers.Dense(1),
])
g_opt = keras.optimizers.Adam(7e-4, beta_1=0.5)
d_opt = keras.optimizers.Adam(4e-4, beta_1=0.5)
loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

for it in range(200):
    batch = crops[rng.integers(0, len(crops), BATCH)]
    z = tf.random.normal((BATCH, LATENT))
    with tf.GradientTape() as tape:
        real_logits = discriminator(batch, training=True)
        fake_logits = discriminator(generator(z, training=True), training=True)
        d_loss = loss_fn(tf.ones_like(real_logits), real_logits) + loss_fn(tf.zeros_like(fake_logits), fake_logits)
    d_opt.apply_gradients(zip(tape.gradient(d_loss, discriminator.trainable_variables),
                              discriminator.trainable_variables))
    with tf.GradientTape() as tape:
        fake_logits = discriminator(generator(z, training=True), training=True)
        g_loss = loss_fn(tf.ones_like(fake_logits), fake_logits)
    g_opt.apply_gradients(zip(tape.gradient(g_loss, generator.trainable_variables), generator.trainable_variables))
    if it % 25 == 0:
        print(f"[{it:3d}] d {d_loss:.3f} g {g_loss:.3f}")
