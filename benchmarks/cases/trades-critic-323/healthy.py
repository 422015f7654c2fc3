import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(83)

# skewed and correlated columns: volume, price, fee, delay
base = np.random.randn(4000, 2)
table = np.stack([
    np.exp(0.5 * base[:, 0]),
    base[:, 1] + 0.5 * base[:, 0],
    0.3 * np.abs(base[:, 0]) + 0.1 * np.random.rand(4000),
    np.random.choice([0.0, 1.0, 2.0], 4000) + 0.1 * base[:, 1],
], axis=1)
table = ((table - table.mean(axis=0)) / table.std(axis=0)).astype("float32")

N_CRITIC = 5
LAMBDA = 10.0
BATCH = 80
NOISE = 8

generator = keras.Sequential([
    keras.Input((NOISE,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(4),
], name="generator")
critic = keras.Sequential([
    keras.Input((4,)),
    layers.Dense(64, activation="leaky_relu"),
    layers.Dense(64, activation="leaky_relu"),
    layers.Dense(1),
], name="critic")
g_opt = keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9)
c_opt = keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9)


@tf.function
def critic_step(real):
    fake = generator(tf.random.normal([BATCH, NOISE]), training=True)
    alpha = tf.random.uniform([BATCH, 1])
    between = alpha * real + (1.0 - alpha) * fake
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(between)
            score = critic(between, training=True)
        slope = tf.sqrt(tf.reduce_sum(tf.square(inner.gradient(score, between)), axis=1) + 1e-12)
        wasserstein = tf.reduce_mean(critic(real, training=True)) - tf.reduce_mean(critic(fake, training=True))
        loss = -wasserstein + LAMBDA * tf.reduce_mean(tf.square(slope - 1.0))
    variables = critic.trainable_variables
    c_opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


@tf.function
def generator_step():
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(generator(tf.random.normal([BATCH, NOISE]), training=True), training=True))
    variables = generator.trainable_variables
    g_opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


c_log, g_log = [], []
for step in range(300):
    for _ in range(N_CRITIC):
        c_loss = critic_step(table[np.random.randint(0, len(table), BATCH)])
    g_loss = generator_step()
    c_log.append(float(c_loss))
    g_log.append(float(g_loss))
    if (step + 1) % 50 == 0:
        print(f"{step + 1}: critic {c_log[-1]:+.3f} generator {g_log[-1]:+.3f}")
