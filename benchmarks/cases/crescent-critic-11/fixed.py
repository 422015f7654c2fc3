import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.layers import Dense

keras.utils.set_random_seed(6)


def crescents(n):
    phi = np.random.uniform(0, np.pi, n)
    side = np.random.randint(0, 2, n)
    x = np.where(side, np.cos(phi), 1.0 - np.cos(phi)) - 0.5
    y = np.where(side, np.sin(phi), 0.5 - np.sin(phi)) - 0.25
    return (np.stack([x, y], 1) + 0.04 * np.random.randn(n, 2)).astype("float32")


class WGAN:
    def __init__(self, latent=5, every=5, penalty=5.0):
        self.latent, self.every, self.penalty = latent, every, penalty
        self.gen = keras.Sequential([keras.Input((latent,)), Dense(64, "relu"), Dense(64, "relu"), Dense(2)])
        self.critic = keras.Sequential([keras.Input((2,)), Dense(64, "tanh"), Dense(64, "tanh"), Dense(1)])
        self.gen_opt = keras.optimizers.Adam(1e-3, 0.0, 0.9)
        self.critic_opt = keras.optimizers.Adam(1e-3, 0.0, 0.9)
        self.calls = tf.Variable(0, dtype=tf.int64, trainable=False)

    def lipschitz(self, real, fake):
        mix = tf.random.uniform((tf.shape(real)[0], 1))
        between = mix * real + (1.0 - mix) * fake
        with tf.GradientTape() as t:
            t.watch(between)
            score = self.critic(between)
        slope = tf.norm(t.gradient(score, between) + 1e-8, axis=1)
        return tf.reduce_mean(tf.square(slope - 1.0))

    @tf.function
    def train_on(self, real):
        self.calls.assign_add(1)
        z = tf.random.normal((tf.shape(real)[0], self.latent))
        with tf.GradientTape() as ct, tf.GradientTape() as gt:
            fake = self.gen(z)
            fake_score = self.critic(fake)
            gap = tf.reduce_mean(fake_score) - tf.reduce_mean(self.critic(real))
            critic_loss = gap + self.penalty * self.lipschitz(real, fake)
            gen_loss = -tf.reduce_mean(fake_score)
        critic_grads = ct.gradient(critic_loss, self.critic.trainable_variables)
        gen_grads = gt.gradient(gen_loss, self.gen.trainable_variables)
        self.critic_opt.apply_gradients(zip(critic_grads, self.critic.trainable_variables))
        if self.calls % self.every == 0:
            self.gen_opt.apply_gradients(zip(gen_grads, self.gen.trainable_variables))
        return gap, gen_loss, tf.linalg.global_norm(gen_grads)


wgan = WGAN()
wgan.gen_opt.build(wgan.gen.trainable_variables)
for i in range(400):
    gap, gen_loss, norm = wgan.train_on(tf.constant(crescents(128)))
    if (i + 1) % 80 == 0:
        print(f"{i + 1:4d}  distance {-float(gap):.4f}  gen {float(gen_loss):+.4f}  grad norm {float(norm):.4f}")
