import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(55)

# two interleaving half circles
t = np.random.uniform(0, np.pi, 3200)
upper = np.stack([np.cos(t), np.sin(t)], axis=1)
lower = np.stack([1 - np.cos(t), 0.5 - np.sin(t)], axis=1)
pick = np.random.rand(3200, 1) < 0.5
moons = (np.where(pick, upper, lower) + 0.05 * np.random.randn(3200, 2)).astype("float32")
moons = (moons - moons.mean(axis=0)) / moons.std(axis=0)


def mlp(n_in, n_out, name):
    inputs = keras.Input((n_in,))
    h = inputs
    for units in (64, 64):
        h = layers.Dense(units, activation="swish")(h)
    return keras.Model(inputs, layers.Dense(n_out)(h), name=name)


class WGAN(keras.Model):
    def __init__(self, latent=4, n_critic=3, gp_weight=5.0):
        super().__init__()
        self.latent = latent
        self.n_critic = n_critic
        self.gp_weight = gp_weight
        self.critic = mlp(2, 1, "critic")
        self.generator = mlp(latent, 2, "generator")

    def compile(self, c_opt, g_opt):
        super().compile()
        self.c_opt = c_opt
        self.g_opt = g_opt

    def penalty(self, real, fake):
        mix = tf.random.uniform([tf.shape(real)[0], 1])
        x = real * mix + fake * (1.0 - mix)
        with tf.GradientTape() as tape:
            tape.watch(x)
            score = self.critic(x, training=True)
        grads = tape.gradient(score, x)
        norm = tf.sqrt(tf.reduce_sum(tf.square(grads), axis=1) + 1e-12)
        return tf.reduce_mean(tf.square(norm - 1.0))

    def train_step(self, real):
        n = tf.shape(real)[0]
        for _ in range(self.n_critic):
            fake = self.generator(tf.random.normal([n, self.latent]), training=True)
            with tf.GradientTape() as tape:
                c_loss = (tf.reduce_mean(self.critic(fake, training=True))
                          - tf.reduce_mean(self.critic(real, training=True))
                          + self.gp_weight * self.penalty(real, fake))
            grads = tape.gradient(c_loss, self.critic.trainable_variables)
            self.c_opt.apply_gradients(zip(grads, self.critic.trainable_variables))
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal([n, self.latent]), training=True)
            g_loss = -tf.reduce_mean(self.critic(fake, training=True))
        grads = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_opt.apply_gradients(zip(grads, self.generator.trainable_variables))
        return {"c_loss": c_loss, "g_loss": g_loss}


wgan = WGAN()
wgan.compile(keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9), keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9))
data = tf.data.Dataset.from_tensor_slices(moons).shuffle(3200, seed=1).batch(64)
wgan.fit(data, epochs=8, verbose=2)

points = wgan.generator(tf.random.normal([500, wgan.latent])).numpy()
print("generated mean", points.mean(axis=0), "std", points.std(axis=0))
