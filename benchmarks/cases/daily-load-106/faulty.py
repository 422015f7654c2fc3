import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, Sequential, Input, optimizers, utils

utils.set_random_seed(106)

cfg = dict(hours=24, z=10, batch=48, steps=60, lr_g=0.03, lr_d=0.02, clip=0.5)


def daily_load(n):
    rng = np.random.default_rng(106)
    h = np.arange(cfg["hours"])
    morning = np.exp(-0.5 * ((h - rng.normal(8, 1, (n, 1))) / 2.0) ** 2)
    evening = np.exp(-0.5 * ((h - rng.normal(19, 1, (n, 1))) / 2.5) ** 2)
    load = 0.3 + 0.5 * morning + 0.6 * evening + 0.02 * rng.normal(size=(n, cfg["hours"]))
    return (2.0 * (load - load.min()) / (load.max() - load.min()) - 1.0).astype("float32")


gen = Sequential([
    Input((cfg["z"],)),
    layers.Dense(128), layers.LeakyReLU(0.2),
    layers.Dense(128), layers.LeakyReLU(0.2),
    layers.Dense(cfg["hours"], activation="tanh"),
])
disc = Sequential([
    Input((cfg["hours"],)),
    layers.Dense(128), layers.LeakyReLU(0.2),
    layers.Dense(32), layers.LeakyReLU(0.2),
    layers.Dense(1),
])
g_opt = optimizers.SGD(cfg["lr_g"], momentum=0.8)
d_opt = optimizers.SGD(cfg["lr_d"], momentum=0.8)


def per_weight_clip(grads, limit):
    """Clip every gradient by its norm, independent of the layer's size."""
    return [tf.clip_by_norm(g, limit / tf.cast(tf.size(g), g.dtype)) for g in grads]


def ce(label, logits):
    target = tf.fill(tf.shape(logits), label)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(target, logits))


def train_discriminator(x):
    with tf.GradientTape() as tape:
        fake = gen(tf.random.normal([cfg["batch"], cfg["z"]]), training=True)
        loss = ce(1.0, disc(x, training=True)) + ce(0.0, disc(fake, training=True))
    grads = tape.gradient(loss, disc.trainable_variables)
    d_opt.apply_gradients(zip(grads, disc.trainable_variables))
    return loss


def train_generator():
    with tf.GradientTape() as tape:
        fake = gen(tf.random.normal([cfg["batch"], cfg["z"]]), training=True)
        loss = ce(1.0, disc(fake, training=True))
    grads = tape.gradient(loss, gen.trainable_variables)
    grads = per_weight_clip(grads, cfg["clip"])
    g_opt.apply_gradients(zip(grads, gen.trainable_variables))
    return loss


loads = tf.data.Dataset.from_tensor_slices(daily_load(2000)).shuffle(2000, seed=2).repeat().batch(cfg["batch"])
for i, x in enumerate(loads.take(cfg["steps"])):
    ld = train_discriminator(x)
    lg = train_generator()
    if i % 12 == 0 or i == cfg["steps"] - 1:
        print("step %d d=%.4f g=%.4f" % (i, float(ld), float(lg)))
