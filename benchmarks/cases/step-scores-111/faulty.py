import numpy as np
import keras
from keras import layers
import tensorflow as tf

keras.mixed_precision.set_global_policy("mixed_float16")
keras.utils.set_random_seed(111)

T, CHANNELS, Z_DIM = 96, 3, 8
BATCH, STEPS = 128, 50

init = keras.initializers.RandomNormal(stddev=0.02)


def engine_runs(n, rng):
    """Three channels (speed, torque, temperature) of short engine runs."""
    t = np.linspace(0.0, 1.0, T)[None, :]
    start, rate = rng.uniform(0.1, 0.5, (n, 1)), rng.uniform(4.0, 9.0, (n, 1))
    speed = 1.6 / (1.0 + np.exp(-rate * (t - start) * 3.0)) - 0.8
    torque = 0.7 * np.exp(-((t - start) * rate) ** 2) - 0.2
    temperature = np.cumsum(speed + 0.8, axis=1) / T - 0.6
    x = np.stack([speed, torque, temperature], axis=-1)
    return (x + 0.02 * rng.normal(size=x.shape)).astype("float32")


def generator_net():
    z = keras.Input((T, Z_DIM))
    x = layers.Dense(48, kernel_initializer=init)(z)
    x = layers.LeakyReLU(0.2)(x)
    x = layers.Dense(48, kernel_initializer=init)(x)
    x = layers.LeakyReLU(0.2)(x)
    x = layers.Dense(CHANNELS, kernel_initializer=init)(x)
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(x), name="generator")


def discriminator_net():
    """One score for each moment of the run."""
    x = inp = keras.Input((T, CHANNELS))
    for units in (48, 48):
        x = layers.Dense(units, kernel_initializer=init)(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Dense(1, kernel_initializer=init)(x)
    return keras.Model(inp, layers.Activation("linear", dtype="float32")(x), name="discriminator")


G, D = generator_net(), discriminator_net()
g_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
d_optimizer = keras.optimizers.Adam(1e-4, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


def noise():
    shared = tf.random.normal((BATCH, 1, Z_DIM - 1))
    clock = tf.linspace(-1.0, 1.0, T)[None, :, None]
    return tf.concat([tf.repeat(shared, T, axis=1), tf.repeat(clock, BATCH, axis=0)], axis=-1)


@tf.function
def train_d(real):
    fake = G(noise(), training=True)
    with tf.GradientTape() as tape:
        r, f = D(real, training=True), D(fake, training=True)
        loss = 0.5 * (bce(tf.ones_like(r), r) + bce(tf.zeros_like(f), f))
    grads = tape.gradient(loss, D.trainable_variables)
    d_optimizer.apply_gradients(zip(grads, D.trainable_variables))
    return loss


@tf.function
def train_g():
    with tf.GradientTape() as tape:
        f = D(G(noise(), training=True), training=True)
        loss = bce(tf.ones_like(f), f)
    grads = tape.gradient(loss, G.trainable_variables)
    g_optimizer.apply_gradients(zip(grads, G.trainable_variables))
    return loss


rng = np.random.default_rng(111)
for step in range(STEPS):
    d_loss = train_d(tf.constant(engine_runs(BATCH, rng)))
    g_loss = train_g()
    if step % 10 == 0 or step == STEPS - 1:
        print("step %2d  d_loss %.5f  g_loss %.5f" % (step, float(d_loss), float(g_loss)))
