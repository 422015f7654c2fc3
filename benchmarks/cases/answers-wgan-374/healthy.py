import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(374)
rng = np.random.default_rng(374)

# three questions with 4, 5 and 3 possible answers
n = 3000
first = rng.choice(4, n, p=[0.55, 0.25, 0.12, 0.08])
second = np.where(rng.random(n) < 0.7, first, rng.integers(0, 5, n))
third = np.where(first == 0, rng.choice(3, n, p=[0.7, 0.2, 0.1]), rng.choice(3, n, p=[0.1, 0.3, 0.6]))
onehot = np.concatenate([np.eye(4)[first], np.eye(5)[second], np.eye(3)[third]], axis=1).astype("float32")

z_in = keras.Input((16,))
h = layers.Dense(64, activation="relu")(z_in)
h = layers.Dense(64, activation="relu")(h)
out = layers.Concatenate()([layers.Dense(k, activation="softmax")(h) for k in (4, 5, 3)])
gen = keras.Model(z_in, out, name="gen")
critic = keras.Sequential([keras.Input((12,)), layers.Dense(64), layers.LeakyReLU(0.2), layers.Dense(64),
                           layers.LeakyReLU(0.2), layers.Dense(1)], name="critic")
g_opt = keras.optimizers.Adam(5e-4, beta_1=0.0, beta_2=0.9)
c_opt = keras.optimizers.Adam(5e-4, beta_1=0.0, beta_2=0.9)
BATCH = 100


@tf.function
def critic_step(real):
    fake = gen(tf.random.normal([BATCH, 16]), training=True)
    eps = tf.random.uniform([BATCH, 1])
    between = eps * real + (1 - eps) * fake
    with tf.GradientTape() as tape:
        with tf.GradientTape() as gp_tape:
            gp_tape.watch(between)
            score = critic(between, training=True)
        slope = gp_tape.gradient(score, between)
        gp = tf.reduce_mean((tf.sqrt(tf.reduce_sum(slope ** 2, axis=1) + 1e-12) - 1.0) ** 2)
        gap = tf.reduce_mean(critic(real, training=True)) - tf.reduce_mean(critic(fake, training=True))
        loss = -gap + 10.0 * gp
    c_opt.apply_gradients(zip(tape.gradient(loss, critic.trainable_variables), critic.trainable_variables))
    return gap


@tf.function
def gen_step():
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(gen(tf.random.normal([BATCH, 16]), training=True), training=True))
    g_opt.apply_gradients(zip(tape.gradient(loss, gen.trainable_variables), gen.trainable_variables))
    return loss


for it in range(300):
    for _ in range(4):
        gap = critic_step(tf.constant(onehot[rng.integers(0, n, BATCH)]))
    g_loss = gen_step()
    if it % 30 == 0:
        print(f"{it:4d}  W {gap:.4f}  G {g_loss:.4f}")
print("answer shares, data     ", onehot.mean(0).round(2))
print("answer shares, generated", gen(tf.random.normal([1000, 16])).numpy().mean(0).round(2))
