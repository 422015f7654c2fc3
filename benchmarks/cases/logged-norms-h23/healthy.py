import numpy as np
import tensorflow as tf
from sklearn.datasets import load_iris
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(62)

flowers = load_iris().data
flowers = ((flowers - flowers.mean(0)) / flowers.std(0)).astype("float32")
Z, BATCH = 6, 50

generator = keras.Sequential([
    keras.Input((Z,)),
    layers.Dense(32, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(4),
], name="generator")
critic = keras.Sequential([
    keras.Input((4,)),
    layers.Dense(32, activation="leaky_relu"),
    layers.Dense(32, activation="leaky_relu"),
    layers.Dense(1),
], name="critic")
opt_g = keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)
opt_c = keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)
log = []


def norm(grads):
    return float(tf.linalg.global_norm(grads))


def critic_step(real):
    fake = generator(tf.random.normal((BATCH, Z)))
    eps = tf.random.uniform((BATCH, 1))
    mixed = eps * real + (1.0 - eps) * fake
    with tf.GradientTape(persistent=True) as tape:
        gap = tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(real))
        with tf.GradientTape() as inner:
            inner.watch(mixed)
            score = critic(mixed)
        slope = tf.sqrt(tf.reduce_sum(inner.gradient(score, mixed) ** 2, axis=1) + 1e-12)
        penalty = 10.0 * tf.reduce_mean((slope - 1.0) ** 2)
        loss = gap + penalty
    row = {"gap": norm([g for g in tape.gradient(gap, critic.trainable_variables)]),
           "penalty": norm([g for g in tape.gradient(penalty, critic.trainable_variables) if g is not None])}
    grads = tape.gradient(loss, critic.trainable_variables)
    del tape
    opt_c.apply_gradients(zip(grads, critic.trainable_variables))
    return float(-gap), row


def generator_step(apply):
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(generator(tf.random.normal((BATCH, Z)))))
    grads = tape.gradient(loss, generator.trainable_variables)
    if apply:
        opt_g.apply_gradients(zip(grads, generator.trainable_variables))
    return norm(grads)


for step in range(200):
    real = tf.constant(flowers[np.random.choice(len(flowers), BATCH, replace=False)])
    distance, row = critic_step(real)
    row["gen"] = generator_step(apply=step >= 20 and step % 5 == 0)
    log.append(row)
    if step % 40 == 39:
        recent = {k: round(float(np.mean([r[k] for r in log[-40:]])), 3) for k in row}
        print(step + 1, "distance %.3f" % distance, recent)
