import numpy as np
import tensorflow as tf
from sklearn.datasets import load_wine

tf.keras.utils.set_random_seed(5)

K = tf.keras.layers
LATENT, BATCH, N_CRITIC, ROUNDS, GP = 8, 64, 5, 40, 10.0

table = load_wine().data
table = ((table - table.mean(0)) / table.std(0)).astype("float32")
COLUMNS = table.shape[1]


def sample_rows(n):
    return tf.constant(table[np.random.randint(0, len(table), n)])


class WassersteinTrainer:
    def __init__(self):
        self.gen = tf.keras.Sequential([
            K.Input((LATENT,)), K.Dense(64, activation="relu"), K.Dense(64, activation="relu"), K.Dense(COLUMNS),
        ])
        self.critic = tf.keras.Sequential([
            K.Input((COLUMNS,)), K.Dense(128, activation="leaky_relu"), K.Dense(128, activation="leaky_relu"), K.Dense(1),
        ])
        self.gen_opt = tf.keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9)
        self.critic_opt = tf.keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.9)

    def penalty(self, real, fake):
        alpha = tf.random.uniform((BATCH, 1))
        inter = alpha * real + (1 - alpha) * fake
        with tf.GradientTape() as tape:
            tape.watch(inter)
            score = self.critic(inter, training=True)
        grad = tape.gradient(score, inter)
        norm = tf.sqrt(tf.reduce_sum(tf.square(grad), axis=1) + 1e-12)
        return GP * tf.reduce_mean(tf.square(norm - 1.0))

    @tf.function
    def critic_step(self, real):
        fake = self.gen(tf.random.normal((BATCH, LATENT)), training=True)
        gp = self.penalty(real, fake)
        with tf.GradientTape() as tape:
            real_score = self.critic(real, training=True)
            fake_score = self.critic(fake, training=True)
            loss = tf.reduce_mean(fake_score) - tf.reduce_mean(real_score) + gp
        grads = tape.gradient(loss, self.critic.trainable_variables)
        self.critic_opt.apply_gradients(zip(grads, self.critic.trainable_variables))
        return loss, gp

    @tf.function
    def gen_step(self):
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(self.critic(self.gen(tf.random.normal((BATCH, LATENT)), training=True)))
        grads = tape.gradient(loss, self.gen.trainable_variables)
        self.gen_opt.apply_gradients(zip(grads, self.gen.trainable_variables))
        return loss

    def run(self, rounds):
        for r in range(1, rounds + 1):
            for _ in range(N_CRITIC):
                c_loss, gp = self.critic_step(sample_rows(BATCH))
            g_loss = self.gen_step()
            if r % 8 == 0:
                print("%3d critic %.3f gp %.3f gen %.3f" % (r, c_loss, gp, g_loss))


trainer = WassersteinTrainer()
trainer.run(ROUNDS)
