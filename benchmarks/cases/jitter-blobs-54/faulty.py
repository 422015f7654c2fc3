import numpy as np
import tensorflow as tf
from sklearn.datasets import make_blobs
from tensorflow.keras import Input, Sequential, layers, optimizers, utils

utils.set_random_seed(19)

data, _ = make_blobs(1500, centers=[(-2, 0), (2, 0), (0, 2)], cluster_std=0.25, random_state=19)
data = data.astype("float32")
BATCH, Z = 64, 5


@tf.custom_gradient
def instance_noise(x):
    noisy = x + tf.random.normal(tf.shape(x), stddev=0.1)

    def grad(upstream):
        return tf.zeros_like(upstream)

    return noisy, grad


generator = Sequential([
    Input((Z,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(2),
], name="generator")
discriminator = Sequential([
    Input((2,)),
    layers.Dense(64, activation="leaky_relu"),
    layers.Dense(32, activation="leaky_relu"),
    layers.Dense(1),
], name="discriminator")

g_optimizer = optimizers.Adam(5e-4, beta_1=0.5)
d_optimizer = optimizers.Adam(1e-3, beta_1=0.5)


@tf.function
def train_step(real):
    z = tf.random.normal((BATCH, Z))
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fake = generator(z, training=True)
        real_out = discriminator(instance_noise(real), training=True)
        fake_out = discriminator(instance_noise(fake), training=True)
        d_loss = 0.5 * tf.reduce_mean((real_out - 1.0) ** 2 + fake_out ** 2)
        g_loss = 0.5 * tf.reduce_mean((fake_out - 1.0) ** 2)
    g_grads = g_tape.gradient(g_loss, generator.trainable_variables)
    d_grads = d_tape.gradient(d_loss, discriminator.trainable_variables)
    g_optimizer.apply_gradients(zip(g_grads, generator.trainable_variables))
    d_optimizer.apply_gradients(zip(d_grads, discriminator.trainable_variables))
    return g_loss, d_loss


for step in range(301):
    batch = data[np.random.randint(0, len(data), BATCH)]
    g_loss, d_loss = train_step(tf.constant(batch))
    if step % 100 == 0:
        sample = generator(tf.random.normal((1000, Z))).numpy()
        print(f"{step:4d}  g {float(g_loss):.4f}  d {float(d_loss):.4f}  "
              f"sample mean {sample.mean(0).round(2)} std {sample.std(0).round(2)}")
print(f"data  mean {data.mean(0).round(2)} std {data.std(0).round(2)}")
