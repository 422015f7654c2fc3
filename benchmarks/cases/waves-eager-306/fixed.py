import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(12)

LENGTH = 24
grid = np.linspace(0, 2 * np.pi, LENGTH)


def waves(n):
    phase = np.random.uniform(0, 2 * np.pi, (n, 1))
    freq = np.random.choice([1.0, 2.0], (n, 1))
    return (np.sin(freq * grid + phase) + 0.03 * np.random.randn(n, LENGTH)).astype("float32")


G = keras.Sequential([
    layers.Dense(64, activation="elu"),
    layers.Dense(64, activation="elu"),
    layers.Dense(LENGTH),
], name="wave_maker")
D = keras.Sequential([
    layers.Reshape((LENGTH, 1)),
    layers.Conv1D(16, 5, strides=2, padding="same", activation="leaky_relu"),
    layers.Conv1D(32, 5, strides=2, padding="same", activation="leaky_relu"),
    layers.Flatten(),
    layers.Dense(1),
], name="wave_judge")

g_opt = keras.optimizers.Adam(learning_rate=1e-3)
d_opt = keras.optimizers.Adam(learning_rate=1e-3)

for it in range(300):
    x = waves(64)
    z = tf.random.uniform([64, 10], -1.0, 1.0)
    with tf.GradientTape(persistent=True) as tape:
        y = G(z)
        real_score, fake_score = D(x), D(y)
        d_loss = tf.reduce_mean(tf.square(real_score - 1.0)) + tf.reduce_mean(tf.square(fake_score))
        g_loss = tf.reduce_mean(tf.square(fake_score - 1.0))
    d_opt.apply_gradients(zip(tape.gradient(d_loss, D.trainable_variables), D.trainable_variables))
    g_opt.apply_gradients(zip(tape.gradient(g_loss, G.trainable_variables), G.trainable_variables))
    if (it + 1) % 60 == 0:
        print(f"it {it + 1}: D {d_loss:.3f} G {g_loss:.3f}")

made = G(tf.random.uniform([200, 10], -1.0, 1.0)).numpy()
print("std over samples: made %.4f, data %.4f" % (made.std(axis=0).mean(), waves(200).std(axis=0).mean()))
