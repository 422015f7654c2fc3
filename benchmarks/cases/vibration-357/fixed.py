import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(357)
rng = np.random.default_rng(357)

LENGTH, LATENT = 64, 16


def record(n):
    """n windows of a rotating machine, as the 16-bit logger writes them"""
    t = np.arange(LENGTH) / LENGTH
    freq = rng.uniform(2, 5, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    amp = rng.uniform(14000, 25000, (n, 1))
    wave = amp * np.sin(2 * np.pi * freq * t + phase) + rng.normal(0, 900, (n, LENGTH))
    return wave.clip(-32768, 32767).astype(np.int16)


raw = record(3000)[..., None]
windows = raw.astype(np.float32) / 32768.0

generator = keras.Sequential([
    keras.Input((LATENT,)),
    layers.Dense(16 * 32),
    layers.Reshape((16, 32)),
    layers.LeakyReLU(0.2),
    layers.Conv1DTranspose(24, 8, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Conv1DTranspose(1, 8, strides=2, padding="same", activation="tanh"),
])
critic = keras.Sequential([
    keras.Input((LENGTH, 1)),
    layers.Conv1D(16, 7, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Conv1D(32, 7, strides=2, padding="same"),
    layers.LeakyReLU(0.2),
    layers.Flatten(),
    layers.Dense(1),
])
g_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
c_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)

for it in range(200):
    real = tf.constant(windows[rng.integers(0, len(windows), 32)])
    with tf.GradientTape() as c_tape, tf.GradientTape() as g_tape:
        fake = generator(tf.random.normal([32, LATENT]), training=True)
        s_real, s_fake = critic(real, training=True), critic(fake, training=True)
        c_loss = tf.reduce_mean(tf.nn.relu(1.0 - s_real) + tf.nn.relu(1.0 + s_fake))
        g_loss = -tf.reduce_mean(s_fake)
    c_grads = c_tape.gradient(c_loss, critic.trainable_variables)
    g_grads = g_tape.gradient(g_loss, generator.trainable_variables)
    c_opt.apply_gradients(zip(c_grads, critic.trainable_variables))
    g_opt.apply_gradients(zip(g_grads, generator.trainable_variables))
    if it % 20 == 0:
        print(f"{it:3d} C {c_loss.numpy():.3f} G {g_loss.numpy():.3f} score {s_real.numpy().mean():.2f}")

wave = generator(tf.random.normal([64, LATENT])).numpy()
print("rms real", np.sqrt((windows ** 2).mean()), "rms generated", np.sqrt((wave ** 2).mean()))
