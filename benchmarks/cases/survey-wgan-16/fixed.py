import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(17)


def survey(n):
    income = np.random.lognormal(0.0, 0.5, n)
    rent = 0.3 * income + 0.1 * np.random.rand(n)
    owner = (np.random.rand(n) < 1 / (1 + np.exp(1.0 - income))).astype(float)
    x = np.column_stack([np.log(income), rent, owner, 1.0 - owner])
    return x.astype("float32")


def make_generator(noise_dim):
    z = keras.Input((noise_dim,))
    h = layers.Dense(48, activation="softsign")(z)
    h = layers.Dense(48, activation="softsign")(h)
    numeric = layers.Dense(2)(h)
    owner = layers.Dense(2, activation="softmax")(h)
    return keras.Model(z, layers.Concatenate()([numeric, owner]))


def make_critic(n_columns):
    return keras.Sequential([
        keras.Input((n_columns,)),
        layers.Dense(48, activation="tanh"),
        layers.Dense(24, activation="tanh"),
        layers.Dense(1),
    ])


class TabularWGAN(keras.Model):
    def __init__(self, n_columns=4, noise_dim=8, critic_updates=2, gp_weight=10.0):
        super().__init__()
        self.noise_dim = noise_dim
        self.critic_updates = critic_updates
        self.gp_weight = gp_weight
        self.generator = make_generator(noise_dim)
        self.critic = make_critic(n_columns)

    def compile(self, g_optimizer, c_optimizer):
        super().compile()
        self.g_optimizer = g_optimizer
        self.c_optimizer = c_optimizer

    def penalty(self, real, fake):
        eps = tf.random.uniform((tf.shape(real)[0], 1))
        x_hat = eps * real + (1.0 - eps) * fake
        with tf.GradientTape() as tape:
            tape.watch(x_hat)
            score = self.critic(x_hat)
        grad = tape.gradient(score, x_hat)
        return tf.reduce_mean((tf.sqrt(tf.reduce_sum(grad ** 2, axis=1) + 1e-10) - 1.0) ** 2)

    def train_step(self, real):
        n = tf.shape(real)[0]
        for _ in range(self.critic_updates):
            fake = self.generator(tf.random.normal((n, self.noise_dim)))
            with tf.GradientTape() as tape:
                w = tf.reduce_mean(self.critic(real)) - tf.reduce_mean(self.critic(fake))
                loss = self.gp_weight * self.penalty(real, fake) - w
            grads = tape.gradient(loss, self.critic.trainable_weights)
            self.c_optimizer.apply_gradients(zip(grads, self.critic.trainable_weights))
        with tf.GradientTape() as tape:
            g_loss = -tf.reduce_mean(self.critic(self.generator(tf.random.normal((n, self.noise_dim)))))
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights))
        return {"w": w, "g_loss": g_loss}


wgan = TabularWGAN()
wgan.compile(keras.optimizers.Adam(5e-4, 0.5, 0.9), keras.optimizers.Adam(5e-4, 0.5, 0.9))
wgan.fit(tf.data.Dataset.from_tensor_slices(survey(3000)).shuffle(3000).batch(100), epochs=3, verbose=2)
