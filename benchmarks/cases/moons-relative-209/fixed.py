import numpy as np
import tensorflow as tf
from sklearn.datasets import make_moons

tf.keras.utils.set_random_seed(90)

SETTINGS = {"z": 4, "batch": 64, "width": 128, "g_lr": 2e-4, "d_lr": 4e-3, "steps": 160}

points, _ = make_moons(4000, noise=0.04, random_state=0)
points = (2.0 * (points - points.mean(0)) / points.std(0)).astype("float32")


def build(n_in, n_out, name):
    width = SETTINGS["width"]
    return tf.keras.Sequential([
        tf.keras.layers.Input((n_in,)),
        tf.keras.layers.Dense(width, activation="relu"),
        tf.keras.layers.Dense(width, activation="relu"),
        tf.keras.layers.Dense(n_out),
    ], name=name)


G = build(SETTINGS["z"], 2, "G")
D = build(2, 1, "D")
g_opt = tf.keras.optimizers.Adam(SETTINGS["g_lr"], beta_1=0.5)
d_opt = tf.keras.optimizers.Adam(SETTINGS["d_lr"], beta_1=0.5)


def relative(scores, others):
    """How much more real a sample is than the average of the others."""
    return scores - tf.reduce_mean(others)


def average_loss(up, down):
    first = -tf.reduce_mean(tf.math.log_sigmoid(relative(up, down)))
    second = -tf.reduce_mean(tf.math.log_sigmoid(-relative(down, up)))
    return 0.5 * (first + second)


@tf.function(jit_compile=True)
def d_step(real, z):
    fake = G(z, training=True)
    with tf.GradientTape() as tape:
        loss = average_loss(D(real, training=True), D(fake, training=True))
    return loss, tape.gradient(loss, D.trainable_variables)


@tf.function(jit_compile=True)
def g_step(real, z):
    with tf.GradientTape() as tape:
        fake = G(z, training=True)
        loss = average_loss(D(fake, training=True), D(real, training=True))
    return loss, tape.gradient(loss, G.trainable_variables)


for step in range(SETTINGS["steps"]):
    real = tf.constant(points[np.random.randint(0, len(points), SETTINGS["batch"])])
    d_loss, grads = d_step(real, tf.random.normal((SETTINGS["batch"], SETTINGS["z"])))
    d_opt.apply_gradients(zip(grads, D.trainable_variables))

    g_loss, grads = g_step(real, tf.random.normal((SETTINGS["batch"], SETTINGS["z"])))
    g_opt.apply_gradients(zip(grads, G.trainable_variables))

    if step % 20 == 19:
        print(f"{step + 1:4d}  d {d_loss.numpy():.5f}  g {g_loss.numpy():.5f}")
