import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(101)

N_VALVES = 24
Z_DIM = 6
BATCH = 64
STEPS = 80
D_WARMUP = 1000
EPS = 1e-3

# open (1) or closed (0): the valves of a plant in three modes of operation
rng = np.random.default_rng(101)
modes = rng.uniform(0.05, 0.95, size=(3, N_VALVES))
states = (rng.random((2000, N_VALVES)) < modes[rng.integers(0, 3, 2000)]).astype("float32")


def make_generator():
    return keras.Sequential([
        keras.Input((Z_DIM,)),
        keras.layers.Dense(48, activation="relu"),
        keras.layers.Dense(48, activation="relu"),
        keras.layers.Dense(N_VALVES, activation="sigmoid"),
    ], name="generator")


def make_discriminator():
    return keras.Sequential([
        keras.Input((N_VALVES,)),
        keras.layers.Dense(128),
        keras.layers.LeakyReLU(0.2),
        keras.layers.Dense(128),
        keras.layers.LeakyReLU(0.2),
        keras.layers.Dense(1, activation="sigmoid"),
    ], name="discriminator")


generator = make_generator()
discriminator = make_discriminator()
g_opt = keras.optimizers.SGD(0.002, momentum=0.5)
d_opt = keras.optimizers.Adam(2e-3, beta_1=0.5)


def log(p):
    return tf.math.log(tf.clip_by_value(p, EPS, 1.0 - EPS))


def sample_real():
    return tf.constant(states[rng.integers(0, len(states), BATCH)])


@tf.function
def update_discriminator(real):
    fake = generator(tf.random.normal((BATCH, Z_DIM)), training=True)
    with tf.GradientTape() as tape:
        p_real = discriminator(real, training=True)
        p_fake = discriminator(fake, training=True)
        loss = -tf.reduce_mean(log(p_real) + log(1.0 - p_fake))
    grads = tape.gradient(loss, discriminator.trainable_variables)
    d_opt.apply_gradients(zip(grads, discriminator.trainable_variables))
    return loss


@tf.function
def update_generator():
    with tf.GradientTape() as tape:
        p_fake = discriminator(generator(tf.random.normal((BATCH, Z_DIM)), training=True), training=True)
        loss = -tf.reduce_mean(log(p_fake))
    grads = tape.gradient(loss, generator.trainable_variables)
    g_opt.apply_gradients(zip(grads, generator.trainable_variables))
    return loss


for _ in range(D_WARMUP):
    update_discriminator(sample_real())

for step in range(STEPS):
    d_loss = update_discriminator(sample_real())
    g_loss = update_generator()
    if step % 20 == 0 or step == STEPS - 1:
        print(f"{step:4d}  d_loss {float(d_loss):.5f}  g_loss {float(g_loss):.5f}")
