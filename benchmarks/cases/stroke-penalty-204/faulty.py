import numpy as np
import tensorflow as tf
from tensorflow.keras import Model, Sequential, layers, optimizers, utils

utils.set_random_seed(12)

SIDE, LATENT, BATCH = 14, 24, 32
N_CRITIC, STEPS, LAMBDA = 4, 30, 10.0


def strokes(n):
    """One slanted bright line per image, in [-1, 1]."""
    yy, xx = np.mgrid[0:SIDE, 0:SIDE]
    angle = np.random.uniform(0, np.pi, (n, 1, 1))
    offset = np.random.uniform(-3, 3, (n, 1, 1))
    distance = (xx - 6.5) * np.cos(angle) + (yy - 6.5) * np.sin(angle) - offset
    return (2.0 * np.exp(-distance ** 2 / 1.5) - 1.0).astype("float32")[..., None]


def make_generator():
    z = layers.Input((LATENT,))
    h = layers.Dense(7 * 7 * 16)(z)
    h = layers.LeakyReLU(negative_slope=0.2)(h)
    h = layers.Reshape((7, 7, 16))(h)
    h = layers.UpSampling2D()(h)
    h = layers.Conv2D(16, 3, padding="same")(h)
    h = layers.LeakyReLU(negative_slope=0.2)(h)
    return Model(z, layers.Conv2D(1, 3, padding="same", activation="tanh")(h))


def make_critic():
    return Sequential([
        layers.Input((SIDE, SIDE, 1)),
        layers.Conv2D(16, 4, strides=2, padding="same"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2D(32, 4, strides=2, padding="same"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Flatten(),
        layers.Dense(64),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Dense(1),
    ])


G, C = make_generator(), make_critic()
g_opt = optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9)
c_opt = optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)


def lipschitz_term(real, fake):
    eps = tf.random.uniform((tf.shape(real)[0], 1, 1, 1))
    mixed = eps * real + (1.0 - eps) * fake
    with tf.GradientTape() as t:
        t.watch(mixed)
        out = C(mixed, training=True)
    slope = t.gradient(out, mixed)
    length = tf.sqrt(tf.reduce_sum(slope ** 2, axis=1) + 1e-10)
    return tf.reduce_mean((length - 1.0) ** 2)


def critic_step(real):
    with tf.GradientTape() as tape:
        fake = G(tf.random.normal((BATCH, LATENT)), training=True)
        w_distance = tf.reduce_mean(C(real, training=True)) - tf.reduce_mean(C(fake, training=True))
        loss = -w_distance + LAMBDA * lipschitz_term(real, fake)
    grads = tape.gradient(loss, C.trainable_variables)
    c_opt.apply_gradients(zip(grads, C.trainable_variables))
    return w_distance


def generator_step():
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(C(G(tf.random.normal((BATCH, LATENT)), training=True), training=True))
    grads = tape.gradient(loss, G.trainable_variables)
    g_opt.apply_gradients(zip(grads, G.trainable_variables))
    return loss


for step in range(STEPS):
    for _ in range(N_CRITIC):
        w_distance = critic_step(strokes(BATCH))
    g_loss = generator_step()
    if step % 5 == 4:
        print("step", step + 1, "W %.3f" % float(w_distance), "G %.3f" % float(g_loss))
