import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(23)

BATCH, LATENT, BINS = 64, 24, 8
HIST_WEIGHT = 1.0

x = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
dataset = tf.data.Dataset.from_tensor_slices(x).shuffle(2000).repeat().batch(BATCH)


def make_generator():
    inp = keras.Input((LATENT,))
    y = layers.Dense(4 * 4 * 16, activation="relu")(inp)
    y = layers.Reshape((4, 4, 16))(y)
    y = layers.UpSampling2D()(y)
    y = layers.Conv2D(16, 3, padding="same", activation="relu")(y)
    y = layers.Conv2D(1, 3, padding="same", activation="tanh")(y)
    return keras.Model(inp, y, name="generator")


def make_discriminator():
    inp = keras.Input((8, 8, 1))
    y = layers.Conv2D(16, 3, strides=2, padding="same")(inp)
    y = layers.LeakyReLU(negative_slope=0.2)(y)
    y = layers.Conv2D(32, 3, strides=2, padding="same")(y)
    y = layers.LeakyReLU(negative_slope=0.2)(y)
    y = layers.Flatten()(y)
    return keras.Model(inp, layers.Dense(1)(y), name="discriminator")


generator, discriminator = make_generator(), make_discriminator()
cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
gen_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
disc_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)


def tone_histogram(images):
    counts = tf.histogram_fixed_width(images, [-1.0, 1.0], nbins=BINS)
    return tf.cast(counts, tf.float32) / tf.cast(tf.size(images), tf.float32)


def histogram_loss(real, fake):
    return tf.reduce_sum(tf.abs(tone_histogram(real) - tone_histogram(fake)))


@tf.function
def train_step(real):
    noise = tf.random.normal([BATCH, LATENT])
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        fake = generator(noise, training=True)
        real_out = discriminator(real, training=True)
        fake_out = discriminator(fake, training=True)
        adv_loss = cross_entropy(tf.ones_like(fake_out), fake_out)
        tone_loss = histogram_loss(real, fake)
        gen_loss = adv_loss + HIST_WEIGHT * tone_loss
        disc_loss = (cross_entropy(tf.ones_like(real_out), real_out)
                     + cross_entropy(tf.zeros_like(fake_out), fake_out))
    gen_grads = gen_tape.gradient(gen_loss, generator.trainable_variables)
    disc_grads = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
    gen_opt.apply_gradients(zip(gen_grads, generator.trainable_variables))
    disc_opt.apply_gradients(zip(disc_grads, discriminator.trainable_variables))
    return adv_loss, tone_loss, disc_loss


for step, batch in enumerate(dataset.take(121)):
    adv, tone, disc = train_step(batch)
    if step % 40 == 0:
        print(f"step {step:3d}  adv {float(adv):.3f}  tone {float(tone):.3f}  disc {float(disc):.3f}")
print("histogram of the data     ", tone_histogram(x).numpy().round(2))
print("histogram of the generator", tone_histogram(generator(tf.random.normal((500, LATENT)))).numpy().round(2))
