import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(353)

N_COLS = 10
LATENT = 16
N_CRITIC = 3
GP_WEIGHT = 10.0

table = StandardScaler().fit_transform(load_breast_cancer().data[:, :N_COLS]).astype("float32")

generator = keras.Sequential([
    keras.Input((LATENT,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(N_COLS),
], name="generator")
critic = keras.Sequential([
    keras.Input((N_COLS,)),
    layers.Dense(64),
    layers.LeakyReLU(0.2),
    layers.Dense(64),
    layers.LeakyReLU(0.2),
    layers.Dense(1),
], name="critic")
g_optimizer = keras.optimizers.Adam(5e-4, beta_1=0.0, beta_2=0.9)
c_optimizer = keras.optimizers.Adam(5e-4, beta_1=0.0, beta_2=0.9)


@tf.function
def critic_step(real):
    n = tf.shape(real)[0]
    fake = generator(tf.random.normal([n, LATENT]), training=True)
    with tf.GradientTape() as tape:
        eps = tf.random.uniform([n, 1])
        mixed = eps * real + (1.0 - eps) * fake
        with tf.GradientTape() as inner:
            inner.watch(mixed)
            score = critic(mixed, training=True)
        slope = inner.gradient(score, mixed)
        norm = tf.sqrt(tf.reduce_sum(tf.square(slope), axis=1) + 1e-12)
        penalty = tf.reduce_mean(tf.square(norm - 1.0))
        wdist = tf.reduce_mean(critic(real, training=True)) - tf.reduce_mean(critic(fake, training=True))
        loss = -wdist + GP_WEIGHT * penalty
    grads = tape.gradient(loss, critic.trainable_variables)
    c_optimizer.apply_gradients(zip(grads, critic.trainable_variables))
    return wdist, penalty


@tf.function
def generator_step(n):
    with tf.GradientTape() as tape:
        fake = generator(tf.random.normal([n, LATENT]), training=True)
        loss = -tf.reduce_mean(critic(fake, training=True))
    grads = tape.gradient(loss, generator.trainable_variables)
    g_optimizer.apply_gradients(zip(grads, generator.trainable_variables))
    return loss


ds = tf.data.Dataset.from_tensor_slices(table).shuffle(1000, seed=1).repeat().batch(64)
stream = iter(ds)
for it in range(250):
    for _ in range(N_CRITIC):
        wdist, penalty = critic_step(next(stream))
    g_loss = generator_step(tf.constant(64))
    if it % 25 == 0:
        print(f"iter {it:3d}  W {wdist:.3f}  gp {penalty:.4f}  g {g_loss:.3f}")

out = generator(tf.random.normal([1000, LATENT])).numpy()
print("real  mean/std", table.mean(0).round(2), table.std(0).round(2))
print("synth mean/std", out.mean(0).round(2), out.std(0).round(2))
