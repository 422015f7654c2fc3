import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, models, optimizers, utils

utils.set_random_seed(201)

HOURS, CHANNELS, LATENT = 24, 3, 16
BATCH, STEPS = 24, 120
MATCH_WEIGHT = 0.2


def make_days(n, rng):
    """Hourly temperature, wind and rain of n days; most days are dry."""
    hours = np.arange(HOURS)
    temperature = np.sin((hours - 8) * np.pi / 12)[None] * rng.uniform(0.4, 0.9, (n, 1)) + rng.normal(0, 0.05, (n, HOURS))
    wind = np.tanh(rng.normal(0, 0.4, (n, HOURS)))
    wet = rng.random((n, 1)) < 0.12
    rain = wet * rng.gamma(1.5, 0.2, (n, HOURS))
    return np.stack([temperature, wind, rain], -1).astype("float32")


days = make_days(3000, np.random.default_rng(1))
batches = iter(tf.data.Dataset.from_tensor_slices(days).shuffle(3000, seed=2).repeat().batch(BATCH, drop_remainder=True))


def build_generator():
    z = layers.Input((LATENT,))
    x = layers.Dense(6 * 32, activation="relu")(z)
    x = layers.Reshape((6, 32))(x)
    x = layers.Conv1DTranspose(24, 4, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv1DTranspose(16, 4, strides=2, padding="same", activation="relu")(x)
    return models.Model(z, layers.Conv1D(CHANNELS, 5, padding="same")(x), name="generator")


def build_discriminator():
    series = layers.Input((HOURS, CHANNELS))
    x = layers.Conv1D(16, 5, strides=2, padding="same")(series)
    x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Conv1D(32, 5, strides=2, padding="same")(x)
    x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Flatten()(x)
    return models.Model(series, layers.Dense(1)(x), name="discriminator")


generator, discriminator = build_generator(), build_discriminator()
opt_g = optimizers.Adam(1e-3, beta_1=0.5)
opt_d = optimizers.Adam(5e-4, beta_1=0.5)
bce = tf.keras.losses.BinaryCrossentropy(from_logits=True)


def log_spread(series):
    return tf.math.log(tf.math.reduce_std(series, axis=[0, 1]))


@tf.function
def train_step(real):
    z = tf.random.normal((BATCH, LATENT))
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(z, training=True)
        on_real = discriminator(real, training=True)
        on_fake = discriminator(fake, training=True)
        d_loss = bce(tf.ones_like(on_real), on_real) + bce(tf.zeros_like(on_fake), on_fake)
        match = tf.reduce_mean(tf.square(log_spread(fake) - log_spread(real)))
        g_loss = bce(tf.ones_like(on_fake), on_fake) + MATCH_WEIGHT * match
    g_vars, d_vars = generator.trainable_variables, discriminator.trainable_variables
    opt_g.apply_gradients(zip(tape.gradient(g_loss, g_vars), g_vars))
    opt_d.apply_gradients(zip(tape.gradient(d_loss, d_vars), d_vars))
    return d_loss, g_loss, match


for step in range(1, STEPS + 1):
    d_loss, g_loss, match = train_step(next(batches))
    if step % 15 == 0:
        print(f"step {step:3d}  d {float(d_loss):.4f}  g {float(g_loss):.4f}  spread {float(match):.4f}")
