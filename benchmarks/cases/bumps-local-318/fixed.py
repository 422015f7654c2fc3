import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(27)

SIZE = 10
NOISE_DIM = 12
BATCH = 48
SIGMA = 0.8

yy, xx = np.mgrid[0:SIZE, 0:SIZE]


def bumps(n):
    cx = np.random.uniform(3, 6, (n, 1, 1))
    cy = np.random.uniform(3, 6, (n, 1, 1))
    width = np.random.uniform(1.5, 3.0, (n, 1, 1))
    image = 2.0 * np.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / width ** 2) - 1.0
    return image.reshape(n, -1).astype("float32")


def blur_inputs(x):
    # instance noise: keeps the discriminator from getting too far ahead
    return x + SIGMA * tf.random.normal(tf.shape(x))


generator = keras.Sequential([
    layers.Dense(64, activation="leaky_relu"),
    layers.Dense(96, activation="leaky_relu"),
    layers.Dense(SIZE * SIZE, activation="tanh"),
], name="generator")
discriminator = keras.Sequential([
    layers.Reshape((SIZE, SIZE, 1)),
    layers.Conv2D(16, 3, padding="same", activation="leaky_relu"),
    layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Flatten(),
    layers.Dense(1, activation="sigmoid"),
], name="discriminator")

g_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
d_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy()


@tf.function
def train_step(images):
    real = blur_inputs(images)
    z = tf.random.normal([BATCH, NOISE_DIM])
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fake = blur_inputs(generator(z, training=True))
        p_real = discriminator(real, training=True)
        p_fake = discriminator(fake, training=True)
        d_loss = bce(tf.ones_like(p_real), p_real) + bce(tf.zeros_like(p_fake), p_fake)
        g_loss = bce(tf.ones_like(p_fake), p_fake)
    d_optimizer.apply_gradients(zip(d_tape.gradient(d_loss, discriminator.trainable_variables),
                                    discriminator.trainable_variables))
    g_optimizer.apply_gradients(zip(g_tape.gradient(g_loss, generator.trainable_variables),
                                    generator.trainable_variables))
    return d_loss, g_loss, tf.reduce_mean(p_real), tf.reduce_mean(p_fake)


generator.build((None, NOISE_DIM))
discriminator.build((None, SIZE * SIZE))
for step in range(1, 501):
    d_loss, g_loss, p_real, p_fake = train_step(bumps(BATCH))
    if step % 50 == 0:
        print(f"{step:3d}  D {float(d_loss):.4f}  G {float(g_loss):.4f}  "
              f"p(real) {float(p_real):.3f}  p(fake) {float(p_fake):.3f}")
