import numpy as np
import tensorflow as tf
from tensorflow.keras import Sequential, layers, optimizers

tf.keras.utils.set_random_seed(115)

SIZE = 12
Z = 16
BATCH = 50


def scenes(n):
    rng = np.random.default_rng(115)
    grid = np.arange(SIZE)
    out = np.zeros((n, SIZE, SIZE), "float32")
    for k in range(2):
        cy, cx = rng.uniform(2, SIZE - 2, (2, n, 1, 1))
        out += np.exp(-((grid[:, None] - cy) ** 2 + (grid[None, :] - cx) ** 2) / 3.0)
    return (2.0 * np.clip(out, 0, 1) - 1.0).astype("float32").reshape(n, -1)


G = Sequential([layers.Input((Z,)),
                layers.Dense(100, activation="elu"),
                layers.Dense(100, activation="elu"),
                layers.Dense(SIZE * SIZE, activation="tanh")])
D = Sequential([layers.Input((SIZE * SIZE,)),
                layers.Dense(128, activation="leaky_relu"),
                layers.Dense(128, activation="leaky_relu"),
                layers.Dense(1)])
opt_G, opt_D = optimizers.Adam(1e-4, 0.5), optimizers.Adam(4e-3, 0.5)


def d_objective(real_logits, fake_logits):
    return -tf.reduce_mean(tf.math.log_sigmoid(real_logits)) - tf.reduce_mean(tf.math.log_sigmoid(-fake_logits))


def g_objective(fake_logits):
    return tf.reduce_mean(tf.math.log_sigmoid(-fake_logits))


def minimise(loss_fn, variables, optimizer):
    with tf.GradientTape() as tape:
        loss = loss_fn()
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


def z():
    return tf.random.normal((BATCH, Z))


data = scenes(2000)
order = np.random.default_rng(1).permutation(len(data))
for it in range(100):
    x = tf.constant(data[order[(it * BATCH) % len(data):][:BATCH]])
    ld = minimise(lambda: d_objective(D(x), D(G(z()))), D.trainable_variables, opt_D)
    lg = minimise(lambda: g_objective(D(G(z()))), G.trainable_variables, opt_G)
    if it % 20 == 0 or it == 99:
        print("%3d  D %.6f  G %.6f" % (it, ld, lg))
