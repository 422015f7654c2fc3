import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(322)

sharp = load_digits().images.astype("float32")[..., None] / 8.0 - 1.0
blurred = np.repeat(np.repeat(sharp.reshape(-1, 4, 2, 4, 2, 1).mean(axis=(2, 4)), 2, axis=1), 2, axis=2)
BATCH = 32
L1_WEIGHT = 20.0


def conv(x, filters, strides=1):
    return layers.LeakyReLU(0.2)(layers.Conv2D(filters, 3, strides=strides, padding="same")(x))


source = keras.Input((8, 8, 1))
e1 = conv(source, 16)
e2 = conv(e1, 32, 2)
e3 = conv(e2, 32)
up = layers.UpSampling2D()(e3)
h = conv(layers.Concatenate()([up, e1]), 16)
generator = keras.Model(source, layers.Conv2D(1, 3, padding="same", activation="tanh")(h), name="sharpen")

source = keras.Input((8, 8, 1))
target = keras.Input((8, 8, 1))
h = conv(layers.Concatenate()([source, target]), 16)
h = conv(h, 32, 2)
discriminator = keras.Model([source, target], layers.Conv2D(1, 3, padding="same")(h), name="patches")

g_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
d_opt = keras.optimizers.Adam(3e-4, beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_step(src, tgt):
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        made = generator(src, training=True)
        real_out = discriminator([src, tgt], training=True)
        made_out = discriminator([src, made], training=True)
        adversarial = bce(tf.ones_like(made_out), made_out)
        l1 = tf.reduce_mean(tf.abs(tgt - made))
        g_loss = adversarial + L1_WEIGHT * l1
        d_loss = 0.5 * (bce(tf.ones_like(real_out), real_out) + bce(tf.zeros_like(made_out), made_out))
    g_grads = g_tape.gradient(g_loss, generator.trainable_variables)
    d_grads = d_tape.gradient(d_loss, discriminator.trainable_variables)
    g_opt.apply_gradients(zip(g_grads, generator.trainable_variables))
    d_opt.apply_gradients(zip(d_grads, discriminator.trainable_variables))
    return adversarial, l1, d_loss


pairs = tf.data.Dataset.from_tensor_slices((blurred, sharp)).shuffle(1797, seed=1).batch(BATCH, drop_remainder=True)
for epoch in range(6):
    for src, tgt in pairs:
        adversarial, l1, d_loss = train_step(src, tgt)
    print(f"epoch {epoch + 1}: adversarial {float(adversarial):.3f}  l1 {float(l1):.4f}  d {float(d_loss):.3f}")
