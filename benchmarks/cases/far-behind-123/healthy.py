import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow.keras import layers

tf.keras.utils.set_random_seed(123)

Z, BATCH, STEPS = 24, 64, 100
SIDE = 8


data = (load_digits().images / 8.0 - 1.0).astype("float32")[..., None]

G = tf.keras.Sequential([
    tf.keras.Input((Z,)),
    layers.Dense(256, activation="relu"),
    layers.Dense(256, activation="relu"),
    layers.Dense(SIDE * SIDE, activation="tanh"),
    layers.Reshape((SIDE, SIDE, 1)),
], name="G")
D = tf.keras.Sequential([
    tf.keras.Input((SIDE, SIDE, 1)),
    layers.Flatten(),
    layers.Dense(192, activation="relu"),
    layers.Dense(192, activation="relu"),
    layers.Dense(1),
], name="D")
g_opt = tf.keras.optimizers.Adam(3e-4, beta_1=0.5)
d_opt = tf.keras.optimizers.Adam(2e-3, beta_1=0.5)
bce = tf.keras.losses.BinaryCrossentropy(from_logits=True)

rng = np.random.default_rng(5)
right = []

for step in range(STEPS):
    real = tf.constant(data[rng.integers(0, len(data), BATCH)])
    z = tf.random.normal((BATCH, Z))
    with tf.GradientTape() as tape:
        r, f = D(real, training=True), D(G(z, training=True), training=True)
        d_loss = bce(tf.ones_like(r), r) + bce(tf.zeros_like(f), f)
    grads = tape.gradient(d_loss, D.trainable_variables)
    d_opt.apply_gradients(zip(grads, D.trainable_variables))

    with tf.GradientTape() as tape:
        f = D(G(tf.random.normal((BATCH, Z)), training=True), training=True)
        g_loss = bce(tf.ones_like(f), f)
    grads = tape.gradient(g_loss, G.trainable_variables)
    g_opt.apply_gradients(zip(grads, G.trainable_variables))

    right.append(0.5 * (np.mean(r.numpy() > 0) + np.mean(f.numpy() < 0)))
    if step % 25 == 0 or step == STEPS - 1:
        print(f"{step:3d}  D {float(d_loss):.4f}  G {float(g_loss):.4f}  D is right {100 * right[-1]:.0f} %")

fakes = G(tf.random.normal((500, Z))).numpy()
print("mean picture off by", np.abs(fakes.mean(0) - data.mean(0)).mean(), "spread", fakes.std(0).mean(), "against", data.std(0).mean())
