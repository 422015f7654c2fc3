"""Synthetic household survey, small tabular GAN."""
import numpy as np
import tensorflow as tf
import keras
from keras.layers import Dense, LeakyReLU

keras.utils.set_random_seed(356)
rng = np.random.default_rng(356)

n_rows = 2500
age = rng.normal(46, 13, n_rows).clip(19, 90)
income = np.exp(rng.normal(10.9, 0.45, n_rows)) + 350 * age
children = rng.poisson(1.1, n_rows)
rent = 320 + 0.011 * income + 60 * children + rng.normal(0, 90, n_rows)
households = np.column_stack([age, income, children, rent])
data = ((households - households.mean(axis=0)) / households.std(axis=0)).astype("float32")

NOISE, BATCH = 10, 100

generator = keras.Sequential(
    [keras.Input((NOISE,)), Dense(48, activation="relu"), Dense(48, activation="relu"), Dense(4)], name="generator")
discriminator = keras.Sequential(
    [keras.Input((4,)), Dense(48), LeakyReLU(0.1), Dense(48), LeakyReLU(0.1), Dense(1)], name="discriminator")
opt_g = keras.optimizers.Adam(1e-3, beta_1=0.5)
opt_d = keras.optimizers.Adam(1e-3, beta_1=0.5)
cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_discriminator(rows):
    fake = generator(tf.random.normal([BATCH, NOISE]), training=True)
    with tf.GradientTape() as tape:
        r = discriminator(rows, training=True)
        f = discriminator(fake, training=True)
        loss = cross_entropy(tf.ones_like(r), r) + cross_entropy(tf.zeros_like(f), f)
    weights = discriminator.trainable_variables
    opt_d.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


@tf.function
def train_generator():
    with tf.GradientTape() as tape:
        f = discriminator(generator(tf.random.normal([BATCH, NOISE]), training=True), training=True)
        loss = cross_entropy(tf.ones_like(f), f)
    weights = generator.trainable_variables
    opt_g.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


for step in range(400):
    d_loss = train_discriminator(tf.constant(data[rng.choice(n_rows, BATCH, replace=False)]))
    g_loss = train_generator()
    if step % 40 == 0:
        print(f"{step:4d}  D {d_loss:12.3f}  G {g_loss:12.3f}")

out = generator(tf.random.normal([1000, NOISE])).numpy()
for k, name in enumerate(["age", "income", "children", "rent"]):
    print(f"{name:9s} data {data[:, k].mean():10.2f} +- {data[:, k].std():10.2f}"
          f"   generated {out[:, k].mean():10.2f} +- {out[:, k].std():10.2f}")
