import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(77)
rng = np.random.default_rng(77)

# domain A: a bent band, domain B: a slanted ellipse
t = rng.uniform(-1, 1, 3000)
A = np.stack([t, t ** 2 - 0.3], 1) + 0.05 * rng.normal(size=(3000, 2))
B = rng.normal(size=(3000, 2)) @ np.array([[0.5, 0.35], [0.0, 0.15]]) + [0.4, 0.2]
A, B = A.astype("float32"), B.astype("float32")


def mapper(name):
    return keras.Sequential([
        keras.Input((2,)),
        keras.layers.Dense(40, activation="tanh"),
        keras.layers.Dense(40, activation="tanh"),
        keras.layers.Dense(2),
    ], name=name)


def judge(name):
    return keras.Sequential([
        keras.Input((2,)),
        keras.layers.Dense(40, activation="leaky_relu"),
        keras.layers.Dense(40, activation="leaky_relu"),
        keras.layers.Dense(1),
    ], name=name)


G_ab, G_ba = mapper("G_ab"), mapper("G_ba")
D_a, D_b = judge("D_a"), judge("D_b")
optim = {k: keras.optimizers.Adam(1e-3, beta_1=0.5) for k in ("ab", "ba", "a", "b")}
mse = keras.losses.MeanSquaredError()
LAMBDA = 5.0


@tf.function
def train_step(a, b):
    with tf.GradientTape(persistent=True) as tape:
        fake_b, fake_a = G_ab(a), G_ba(b)
        cycled_a, cycled_b = G_ba(fake_b), G_ab(fake_a)
        out_fake_a, out_fake_b = D_a(fake_a), D_b(fake_b)
        out_a, out_b = D_a(a), D_b(b)

        cycle = tf.reduce_mean(tf.abs(cycled_a - a)) + tf.reduce_mean(tf.abs(cycled_b - b))
        loss_ab = mse(tf.ones_like(out_fake_b), out_fake_b) + LAMBDA * cycle
        loss_ba = mse(tf.ones_like(out_fake_a), out_fake_a) + LAMBDA * cycle
        loss_a = 0.5 * (mse(tf.ones_like(out_a), out_a) + mse(tf.zeros_like(out_fake_a), out_fake_a))
        loss_b = 0.5 * (mse(tf.ones_like(out_b), out_b) + mse(tf.zeros_like(out_fake_b), out_fake_b))

    optim["ab"].apply_gradients(zip(tape.gradient(loss_ab, G_ab.trainable_variables), G_ab.trainable_variables))
    optim["ba"].apply_gradients(zip(tape.gradient(loss_ba, G_ba.trainable_variables), G_ba.trainable_variables))
    optim["a"].apply_gradients(zip(tape.gradient(loss_a, D_a.trainable_variables), D_a.trainable_variables))
    optim["b"].apply_gradients(zip(tape.gradient(loss_b, D_b.trainable_variables), D_b.trainable_variables))
    return cycle, loss_ab, loss_ba, loss_a, loss_b


for it in range(301):
    a = A[rng.integers(0, len(A), 128)]
    b = B[rng.integers(0, len(B), 128)]
    values = train_step(tf.constant(a), tf.constant(b))
    if it % 75 == 0:
        print(it, " ".join(f"{n}={float(v):.3f}" for n, v in zip(("cycle", "ab", "ba", "Da", "Db"), values)))
