import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(68)
images = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
data = tf.data.Dataset.from_tensor_slices(images).shuffle(1797).batch(64, drop_remainder=True)

generator = keras.Sequential([
    keras.Input((20,)),
    layers.Dense(2 * 2 * 32, use_bias=False), layers.BatchNormalization(), layers.ReLU(),
    layers.Reshape((2, 2, 32)),
    layers.Conv2DTranspose(24, 4, strides=2, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
    layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")], name="generator")
discriminator = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, strides=2, padding="same"), layers.LeakyReLU(negative_slope=0.2), layers.Dropout(0.2),
    layers.Conv2D(32, 3, strides=2, padding="same"), layers.LeakyReLU(negative_slope=0.2),
    layers.Flatten(), layers.Dense(1)], name="discriminator")
g_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
d_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


def present(grads, variables):
    return [(g, v) for g, v in zip(grads, variables) if g is not None]


@tf.function
def train_step(real):
    with tf.GradientTape() as gt, tf.GradientTape() as dt:
        fake = generator(tf.random.normal((64, 20)), training=True)
        r, f = discriminator(real, training=True), discriminator(fake, training=True)
        g_loss = bce(tf.ones_like(f), f)
        d_loss = bce(tf.fill(tf.shape(r), 0.9), r) + bce(tf.zeros_like(f), f)
    g_grads = gt.gradient(g_loss, generator.weights)
    d_grads = dt.gradient(d_loss, discriminator.weights)
    g_opt.apply_gradients(present(g_grads, generator.weights))
    d_opt.apply_gradients(present(d_grads, discriminator.weights))
    return g_loss, d_loss


for epoch in range(5):
    for real in data:
        g_loss, d_loss = train_step(real)
    print(f"epoch {epoch + 1} g {float(g_loss):.3f} d {float(d_loss):.3f}")
