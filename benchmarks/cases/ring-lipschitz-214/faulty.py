import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(27)

BATCH, NOISE, LAMBDA = 64, 6, 10.0
CRITIC_ITERS, GEN_ITERS = 5, 50


def rings(n):
    radius = np.random.choice([0.5, 1.5], n) + 0.03 * np.random.randn(n)
    angle = 2 * np.pi * np.random.rand(n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype("float32")


inputs = keras.Input((NOISE,))
h = layers.Dense(64, activation="elu")(inputs)
h = layers.Dense(64, activation="elu")(h)
gen = keras.Model(inputs, layers.Dense(2)(h), name="gen")

inputs = keras.Input((2,))
h = layers.Dense(128, activation="elu")(inputs)
h = layers.Dense(128, activation="elu")(h)
h = layers.Dense(128, activation="elu")(h)
critic = keras.Model(inputs, layers.Dense(1)(h), name="critic")

opt_gen = keras.optimizers.Adam(5e-4, beta_1=0.5, beta_2=0.9)
opt_critic = keras.optimizers.Adam(2e-3, beta_1=0.5, beta_2=0.9)


def slopes_at(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_mean(critic(x, training=True))
    return tape.gradient(value, x)


def lipschitz_penalty(real, fake):
    u = tf.random.uniform([BATCH, 1])
    slopes = slopes_at(u * real + (1 - u) * fake)
    norms = tf.sqrt(tf.reduce_sum(slopes * slopes, axis=-1) + 1e-12)
    return tf.reduce_mean((norms - 1.0) ** 2)


@tf.function(jit_compile=True)
def critic_gradients(real, noise):
    with tf.GradientTape() as tape:
        fake = gen(noise, training=True)
        distance = tf.reduce_mean(critic(real, training=True) - critic(fake, training=True))
        loss = LAMBDA * lipschitz_penalty(real, fake) - distance
    return distance, tape.gradient(loss, critic.trainable_variables)


@tf.function(jit_compile=True)
def generator_gradients(noise):
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(gen(noise, training=True), training=True))
    return loss, tape.gradient(loss, gen.trainable_variables)


for it in range(GEN_ITERS):
    for _ in range(CRITIC_ITERS):
        distance, grads = critic_gradients(tf.constant(rings(BATCH)), tf.random.normal([BATCH, NOISE]))
        opt_critic.apply_gradients(zip(grads, critic.trainable_variables))
    loss, grads = generator_gradients(tf.random.normal([BATCH, NOISE]))
    opt_gen.apply_gradients(zip(grads, gen.trainable_variables))
    if (it + 1) % 10 == 0:
        print(f"iteration {it + 1}: distance {float(distance):.3f}, generator loss {float(loss):.3f}")
