import numpy as np
import keras
from keras import layers
import tensorflow as tf

keras.utils.set_random_seed(121)
keras.mixed_precision.set_global_policy("mixed_float16")

POINTS, CODE, BATCH = 64, 12, 128
STEPS = 100


def heat_profiles(n, rng):
    """Temperature along a rod for random sources, scaled to [-1, 1]."""
    x = np.linspace(0, 1, POINTS)
    amp = rng.normal(size=(n, 3)) * np.array([1.0, 0.5, 0.25])
    modes = np.stack([np.sin((k + 1) * np.pi * x) for k in range(3)])
    return np.tanh(amp @ modes).astype("float32")


def make_generator():
    z = keras.Input((CODE,))
    h = layers.Dense(96, activation="leaky_relu")(z)
    h = layers.Dense(96, activation="leaky_relu")(h)
    h = layers.Dense(POINTS)(h)
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(h), name="generator")


def make_discriminator():
    x = keras.Input((POINTS,))
    h = layers.Dense(96, activation="leaky_relu")(x)
    h = layers.Dense(96, activation="leaky_relu")(h)
    return keras.Model(x, layers.Dense(1, dtype="float32")(h), name="discriminator")


def wrapped(rate):
    inner = keras.optimizers.Adam(rate, beta_1=0.5)
    return keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0 ** 12, dynamic_growth_steps=40)


generator, discriminator = make_generator(), make_discriminator()
g_opt, d_opt = wrapped(1e-3), wrapped(4e-4)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


def apply(tape, optimizer, scaled, model):
    grads = tape.gradient(scaled, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))


@tf.function
def train_step(real):
    z = tf.random.normal((BATCH, CODE))
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fake = generator(z, training=True)
        r, f = discriminator(real, training=True), discriminator(fake, training=True)
        g_loss = bce(tf.ones_like(f), f)
        d_loss = bce(tf.ones_like(r), r) + bce(tf.zeros_like(f), f)
        g_scaled = g_opt.scale_loss(g_loss)
        d_scaled = d_opt.scale_loss(d_loss)
    apply(g_tape, g_opt, g_scaled, generator)
    apply(d_tape, d_opt, d_scaled, discriminator)
    return g_loss, d_loss


rng = np.random.default_rng(121)
for step in range(STEPS):
    g_loss, d_loss = train_step(tf.constant(heat_profiles(BATCH, rng)))
    if step % 20 == 0 or step == STEPS - 1:
        print("step %3d  g %.4f  d %.4f" % (step, float(g_loss), float(d_loss)))
