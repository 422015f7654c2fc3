import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(31)
BATCH, Z = 32, 16

images = load_digits().images[..., None].astype("float32") / 16.0


def random_shift(batch):
    out = np.empty_like(batch)
    for i, img in enumerate(batch):
        dy, dx = np.random.randint(-1, 2, size=2)
        out[i] = np.roll(img, (dy, dx), axis=(0, 1))
    return out


def augment(batch):
    shift = tf.random.uniform((BATCH, 2), -1, 2, tf.int32)
    shifted = tf.map_fn(lambda pair: tf.roll(pair[0], pair[1], (0, 1)), (batch, shift), fn_output_signature=tf.float32)
    brightness = tf.random.uniform((BATCH, 1, 1, 1), -0.1, 0.1)
    return shifted + brightness


generator = keras.Sequential([
    keras.Input((Z,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
    layers.Reshape((8, 8, 1)),
], name="generator")

discriminator = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, padding="same", activation="leaky_relu"),
    layers.MaxPooling2D(),
    layers.Conv2D(32, 3, padding="same", activation="leaky_relu"),
    layers.Flatten(),
    layers.Dense(1),
], name="discriminator")

g_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
d_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)


@tf.function
def d_step(real):
    with tf.GradientTape() as tape:
        fake = generator(tf.random.normal((BATCH, Z)))
        real_logit = discriminator(augment(real))
        fake_logit = discriminator(augment(fake))
        loss = tf.reduce_mean(tf.nn.softplus(-real_logit) + tf.nn.softplus(fake_logit))
    grads = tape.gradient(loss, discriminator.trainable_weights)
    d_opt.apply_gradients(zip(grads, discriminator.trainable_weights))
    return loss


@tf.function
def g_step():
    with tf.GradientTape() as tape:
        fake = generator(tf.random.normal((BATCH, Z)))
        loss = tf.reduce_mean(tf.nn.softplus(-discriminator(augment(fake))))
    grads = tape.gradient(loss, generator.trainable_weights)
    g_opt.apply_gradients(zip(grads, generator.trainable_weights))
    return loss


for step in range(100):
    real = tf.constant(images[np.random.choice(len(images), BATCH)])
    d_loss = d_step(real)
    g_loss = g_step()
    if step % 25 == 0:
        print(f"{step:4d} d={d_loss:.4f} g={g_loss:.4f}")
