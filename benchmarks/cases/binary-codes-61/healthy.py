import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(33)

# 12-bit words in which the second half repeats or inverts the first half
BITS, Z, BATCH = 12, 8, 64


def words(n):
    half = np.random.randint(0, 2, (n, BITS // 2))
    invert = np.random.rand(n, 1) < 0.3
    return np.concatenate([half, np.where(invert, 1 - half, half)], axis=1).astype("float32")


class Binarize(layers.Layer):
    def call(self, p):
        bits = tf.round(p)
        return p + tf.stop_gradient(bits - p)


generator = keras.Sequential([
    keras.Input((Z,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(BITS, activation="sigmoid"),
    Binarize(),
], name="generator")

discriminator = keras.Sequential([
    keras.Input((BITS,)),
    layers.Dense(64, activation="leaky_relu"),
    layers.Dense(64, activation="leaky_relu"),
    layers.Dense(1),
], name="discriminator")

g_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
d_opt = keras.optimizers.Adam(2e-3, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)


@tf.function
def step_fn(real):
    z = tf.random.normal((BATCH, Z))
    with tf.GradientTape() as gt, tf.GradientTape() as dt:
        fake = generator(z, training=True)
        s_real, s_fake = discriminator(real, training=True), discriminator(fake, training=True)
        d_loss = bce(tf.ones_like(s_real), s_real) + bce(tf.zeros_like(s_fake), s_fake)
        g_loss = bce(tf.ones_like(s_fake), s_fake)
        guessed = tf.reduce_mean(tf.cast(tf.sign(s_real) > 0, tf.float32))
        agree = tf.reduce_mean(tf.cast(tf.equal(fake[:, :BITS // 2], fake[:, BITS // 2:]), tf.float32))
    g_grads = gt.gradient(g_loss, generator.trainable_variables)
    d_grads = dt.gradient(d_loss, discriminator.trainable_variables)
    g_opt.apply_gradients(zip(g_grads, generator.trainable_variables))
    d_opt.apply_gradients(zip(d_grads, discriminator.trainable_variables))
    return d_loss, g_loss, guessed, agree


for step in range(401):
    values = step_fn(tf.constant(words(BATCH)))
    if step % 100 == 0:
        print("step %3d  d %.3f  g %.3f  real guessed %.2f  halves agree %.2f" % (step, *[float(v) for v in values]))
