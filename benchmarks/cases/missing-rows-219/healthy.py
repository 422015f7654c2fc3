import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(44)

COLS, Z, BATCH, STEPS = 7, 10, 64, 120
rng = np.random.default_rng(2)


def patients(n):
    """Skewed, positive lab values; one in a hundred was not measured (NaN)."""
    factor = rng.normal(0, 1, (n, 2))
    values = np.exp(0.5 * factor @ rng.normal(0, 1, (2, COLS)) + rng.normal(0, 0.2, (n, COLS)))
    values[rng.random((n, COLS)) < 0.01] = np.nan
    return values.astype("float32")


records = patients(4000)


def net(n_in, n_out, name):
    return keras.Sequential([
        keras.layers.Input((n_in,)),
        keras.layers.Dense(64, activation="leaky_relu"),
        keras.layers.Dense(64, activation="leaky_relu"),
        keras.layers.Dense(n_out),
    ], name=name)


generator = net(Z, COLS, "generator")
discriminator = net(2 * COLS, 1, "discriminator")
g_opt = keras.optimizers.Adam(3e-4, beta_1=0.5)
d_opt = keras.optimizers.Adam(6e-4, beta_1=0.5)


def masked_log(values):
    """log of the measured values, 0 elsewhere, and the mask."""
    measured = values > 0.0
    safe = tf.where(measured, values, 1.0)
    return tf.where(measured, tf.math.log(safe), 0.0), tf.cast(measured, tf.float32)


def as_record(log_values, mask):
    raw = tf.where(mask > 0.0, tf.exp(tf.clip_by_value(log_values, -6.0, 6.0)), 0.0)
    logs, mask = masked_log(raw)
    return tf.concat([logs, mask], axis=1)


@tf.function
def train_step(values):
    observed = tf.where(tf.math.is_nan(values), 0.0, values)
    logs, mask = masked_log(observed)
    z = tf.random.normal((BATCH, Z))
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fake_logit = discriminator(as_record(generator(z, training=True), mask), training=True)
        real_logit = discriminator(tf.concat([logs, mask], axis=1), training=True)
        g_loss = tf.reduce_mean(tf.nn.softplus(-fake_logit))
        d_loss = tf.reduce_mean(tf.nn.softplus(fake_logit)) + tf.reduce_mean(tf.nn.softplus(-real_logit))
    g_grads = g_tape.gradient(g_loss, generator.trainable_variables)
    d_grads = d_tape.gradient(d_loss, discriminator.trainable_variables)
    g_opt.apply_gradients(zip(g_grads, generator.trainable_variables))
    d_opt.apply_gradients(zip(d_grads, discriminator.trainable_variables))
    column_means = tf.reduce_mean(values, axis=0)
    return g_loss, d_loss, column_means


for step in range(1, STEPS + 1):
    batch = tf.constant(records[rng.integers(0, len(records), BATCH)])
    g_loss, d_loss, column_means = train_step(batch)
    if step % 20 == 0:
        complete = int(tf.reduce_sum(tf.cast(tf.math.is_finite(column_means), tf.int32)))
        print(f"{step:4d}  g {float(g_loss):.4f}  d {float(d_loss):.4f}  complete columns {complete}/{COLS}")
