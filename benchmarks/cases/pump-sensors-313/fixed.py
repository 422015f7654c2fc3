import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(14)
rng = np.random.default_rng(14)

COLUMNS = 12
ROWS = 4000
LATENT = 10


def readings(n):
    cause = rng.standard_normal((n, 3))
    mixing = np.random.RandomState(0).randn(3, COLUMNS)
    return (np.tanh(cause @ mixing) + 0.3 * rng.standard_normal((n, COLUMNS))).astype("float32")


train_rows = readings(ROWS)
test_rows = readings(500)

gen = keras.Sequential([
    keras.Input((LATENT,)),
    layers.Dense(48, activation="relu"),
    layers.Dense(48, activation="relu"),
    layers.Dense(COLUMNS),
])
dis = keras.Sequential([
    keras.Input((COLUMNS,)),
    layers.Dense(256, activation="relu"),
    layers.Dense(256, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
opt_d = keras.optimizers.RMSprop(5e-4)
opt_g = keras.optimizers.RMSprop(5e-4)
bce = keras.losses.BinaryCrossentropy()


@tf.function
def play(real):
    n = tf.shape(real)[0]
    with tf.GradientTape() as tape:
        p_real = dis(real)
        p_fake = dis(gen(tf.random.normal([n, LATENT])))
        d_loss = bce(tf.ones_like(p_real), p_real) + bce(tf.zeros_like(p_fake), p_fake)
    opt_d.apply_gradients(zip(tape.gradient(d_loss, dis.trainable_weights), dis.trainable_weights))
    with tf.GradientTape() as tape:
        p_fake = dis(gen(tf.random.normal([n, LATENT])))
        g_loss = bce(tf.ones_like(p_fake), p_fake)
    opt_g.apply_gradients(zip(tape.gradient(g_loss, gen.trainable_weights), gen.trainable_weights))
    return d_loss, g_loss


for step in range(1, 1201):
    d_loss, g_loss = play(train_rows[rng.integers(0, ROWS, 40)])
    if step % 200 == 0:
        print(f"step {step}  D {float(d_loss):.3f}  G {float(g_loss):.3f}  "
              f"D(train) {dis(train_rows[:40]).numpy().mean():.2f}  D(test) {dis(test_rows).numpy().mean():.2f}")
