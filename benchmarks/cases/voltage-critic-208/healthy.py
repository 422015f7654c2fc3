import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(14)

POINTS, LATENT, BATCH = 32, 16, 48
CRITIC_UPDATES, ROUNDS, LAMBDA = 5, 30, 100.0
VOLTS = 230.0


def mains_cycles(n):
    """One cycle of mains voltage, in units of twenty volts."""
    t = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)[None]
    phase = np.random.uniform(0, 2 * np.pi, (n, 1))
    level = VOLTS * np.sqrt(2) * np.random.uniform(0.9, 1.1, (n, 1))
    return ((level * np.sin(t + phase) + np.random.normal(0, 3, (n, POINTS))) / 20.0).astype("float32")


class Net(keras.Model):
    def __init__(self, widths, name):
        super().__init__(name=name)
        self.hidden = [keras.layers.Dense(w) for w in widths[:-1]]
        self.last = keras.layers.Dense(widths[-1])

    def call(self, x):
        for layer in self.hidden:
            x = tf.nn.leaky_relu(layer(x), 0.2)
        return self.last(x)


gen = Net([64, 64, POINTS], "gen")
critic = Net([64, 64, 1], "critic")
g_adam = keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)
c_adam = keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)


def gradient_penalty(real, fake):
    share = tf.random.uniform((tf.shape(real)[0], 1))
    x = share * real + (1.0 - share) * fake
    with tf.GradientTape() as tape:
        tape.watch(x)
        score = critic(x)
    slope = tf.sqrt(tf.reduce_sum(tf.square(tape.gradient(score, x)), axis=1) + 1e-12)
    return tf.reduce_mean(tf.square(slope - 1.0)), tf.reduce_mean(slope)


@tf.function
def update_critic(real):
    fake = gen(tf.random.normal((BATCH, LATENT)))
    with tf.GradientTape() as tape:
        wasserstein = tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(real))
        penalty, slope = gradient_penalty(real, fake)
        total = wasserstein + LAMBDA * penalty
    grads = tape.gradient(total, critic.trainable_variables)
    c_adam.apply_gradients(zip(grads, critic.trainable_variables))
    return total, slope


@tf.function
def update_generator():
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(gen(tf.random.normal((BATCH, LATENT)))))
    grads = tape.gradient(loss, gen.trainable_variables)
    g_adam.apply_gradients(zip(grads, gen.trainable_variables))
    return loss


for r in range(1, ROUNDS + 1):
    for _ in range(CRITIC_UPDATES):
        total, slope = update_critic(mains_cycles(BATCH))
    g_loss = update_generator()
    if r % 5 == 0:
        print(f"round {r:3d}  critic {float(total):9.3f}  generator {float(g_loss):9.3f}  slope {float(slope):.3f}")
