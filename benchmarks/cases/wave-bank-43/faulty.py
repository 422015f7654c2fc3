import math

import keras
import tensorflow as tf

keras.utils.set_random_seed(43)
N_POINTS, Z_DIM, BATCH_SIZE, N_STEPS = 32, 8, 50, 60


def real_waves(n):
    t = tf.linspace(0.0, 2.0 * math.pi, N_POINTS)
    amplitude = tf.random.uniform((n, 1), 0.4, 1.0)
    return amplitude * tf.sin(t[None, :] + tf.random.uniform((n, 1), 0.0, math.pi))


def make_generator():
    return keras.Sequential([
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(N_POINTS, activation="tanh"),
    ])


def make_discriminator():
    return keras.Sequential([
        keras.layers.Dense(64, activation="leaky_relu"),
        keras.layers.Dense(64, activation="leaky_relu"),
        keras.layers.Dense(1),
    ])


def minimize(optimizer, tape, loss, variables):
    gradients = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(gradients, variables))


generator = make_generator()
discriminator = make_discriminator()
g_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
d_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
g_vars = generator.trainable_variables
d_vars = discriminator.trainable_variables
cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

for step in range(N_STEPS):
    real = real_waves(BATCH_SIZE)
    z = tf.random.normal((BATCH_SIZE, Z_DIM))
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(z)
        real_logits = discriminator(real)
        fake_logits = discriminator(fake)
        d_loss = (cross_entropy(tf.ones_like(real_logits), real_logits)
                  + cross_entropy(tf.zeros_like(fake_logits), fake_logits))
        g_loss = cross_entropy(tf.ones_like(fake_logits), fake_logits)
    minimize(d_optimizer, tape, d_loss, d_vars)
    minimize(g_optimizer, tape, g_loss, g_vars)
    if step % 20 == 0:
        print(f"step {step}: d_loss {float(d_loss):.4f}, g_loss {float(g_loss):.4f}")
