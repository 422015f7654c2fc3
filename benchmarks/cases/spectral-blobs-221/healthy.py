import numpy as np
import tensorflow as tf
from sklearn.datasets import make_blobs
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(66)

BATCH, LATENT, N_CRITIC, UPDATES = 64, 6, 3, 50

blobs, _ = make_blobs(3000, n_features=4, centers=5, cluster_std=0.4, center_box=(-6, 6), random_state=8)
blobs = blobs.astype("float32")


def sn_dense(units, activation=None):
    return layers.SpectralNormalization(layers.Dense(units, activation=activation), power_iterations=2)


critic = keras.Sequential([
    layers.Input((4,)),
    sn_dense(96, "leaky_relu"),
    sn_dense(96, "leaky_relu"),
    sn_dense(1),
], name="critic")

generator = keras.Sequential([
    layers.Input((LATENT,)),
    layers.Dense(96, activation="relu"),
    layers.Dense(96, activation="relu"),
    layers.Dense(4),
], name="generator")

critic_opt = keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.9)
generator_opt = keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)


@tf.function
def critic_step(real):
    fake = generator(tf.random.normal((BATCH, LATENT)), training=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(critic(fake, training=True)) - tf.reduce_mean(critic(real, training=True))
    grads = tape.gradient(loss, critic.trainable_variables)
    critic_opt.apply_gradients(zip(grads, critic.trainable_variables))
    return loss


@tf.function
def generator_step():
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(generator(tf.random.normal((BATCH, LATENT)), training=True), training=False))
    grads = tape.gradient(loss, generator.trainable_variables)
    generator_opt.apply_gradients(zip(grads, generator.trainable_variables))
    return loss


for update in range(1, UPDATES + 1):
    for _ in range(N_CRITIC):
        c_loss = critic_step(tf.constant(blobs[np.random.randint(0, len(blobs), BATCH)]))
    g_loss = generator_step()
    if update % 10 == 0:
        print(f"update {update}  critic {float(c_loss):.4f}  generator {float(g_loss):.4f}")
