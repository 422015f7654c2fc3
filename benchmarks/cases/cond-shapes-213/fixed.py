import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(18)

SIZE, CLASSES, LATENT, BATCH = 12, 3, 16, 32
N_CRITIC, ROUNDS, GP_WEIGHT = 4, 30, 10.0


def shapes(n, rng=np.random.default_rng(9)):
    """Squares, discs and crosses of random size and place."""
    kind = rng.integers(0, CLASSES, n)
    cy, cx = rng.uniform(4, 7, (2, n, 1, 1))
    r = rng.uniform(2, 3.5, (n, 1, 1))
    yy, xx = np.mgrid[0:SIZE, 0:SIZE]
    dy, dx = np.abs(yy - cy), np.abs(xx - cx)
    square, disc = np.maximum(dy, dx) < r, dy ** 2 + dx ** 2 < r ** 2
    cross = (np.minimum(dy, dx) < 1) & (np.maximum(dy, dx) < r)
    picture = np.stack([square, disc, cross])[kind, np.arange(n)]
    return (2.0 * picture[..., None] - 1.0).astype("float32"), np.eye(CLASSES, dtype="float32")[kind]


def conditional_generator():
    noise, label = keras.Input((LATENT,)), keras.Input((CLASSES,))
    x = layers.Concatenate()([noise, label])
    x = layers.Dense(6 * 6 * 16, activation="relu")(x)
    x = layers.Reshape((6, 6, 16))(x)
    x = layers.Conv2DTranspose(16, 4, strides=2, padding="same", activation="relu")(x)
    return keras.Model([noise, label], layers.Conv2D(1, 3, padding="same", activation="tanh")(x))


def conditional_critic():
    image, label = keras.Input((SIZE, SIZE, 1)), keras.Input((CLASSES,))
    x = layers.Conv2D(16, 4, strides=2, padding="same", activation="leaky_relu")(image)
    x = layers.Conv2D(32, 4, strides=2, padding="same", activation="leaky_relu")(x)
    x = layers.Concatenate()([layers.Flatten()(x), label])
    x = layers.Dense(64, activation="leaky_relu")(x)
    return keras.Model([image, label], layers.Dense(1)(x))


gen, critic = conditional_generator(), conditional_critic()
gen_adam = keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9)
critic_adam = keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)


def interpolation_slope(real, fake, label):
    eps = tf.random.uniform((tf.shape(real)[0], 1, 1, 1))
    inputs = [fake + eps * (real - fake), label]
    with tf.GradientTape() as inner:
        inner.watch(inputs)
        score = critic(inputs, training=True)
    slope = inner.gradient(score, inputs)[0]
    slope = tf.reshape(slope, (tf.shape(real)[0], -1))
    return tf.sqrt(tf.reduce_sum(tf.square(slope), axis=1) + 1e-12)


@tf.function
def train_round(images, labels):
    for _ in range(N_CRITIC):
        noise = tf.random.normal((BATCH, LATENT))
        with tf.GradientTape() as tape:
            fake = gen([noise, labels], training=True)
            gap = tf.reduce_mean(critic([fake, labels], training=True) - critic([images, labels], training=True))
            gp = tf.reduce_mean(tf.square(interpolation_slope(images, fake, labels) - 1.0))
            loss = gap + GP_WEIGHT * gp
        grads = tape.gradient(loss, critic.trainable_variables)
        critic_adam.apply_gradients(zip(grads, critic.trainable_variables))

    noise = tf.random.normal((BATCH, LATENT))
    with tf.GradientTape() as tape:
        g_loss = -tf.reduce_mean(critic([gen([noise, labels], training=True), labels], training=True))
    grads = tape.gradient(g_loss, gen.trainable_variables)
    gen_adam.apply_gradients(zip(grads, gen.trainable_variables))
    return gap, gp, g_loss


for i in range(ROUNDS):
    gap, gp, g_loss = train_round(*shapes(BATCH))
    if i % 5 == 4:
        print("round", i + 1, "gap %.3f penalty %.4f generator %.3f" % (gap, gp, g_loss))
