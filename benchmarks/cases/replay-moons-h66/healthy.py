import numpy as np
import tensorflow as tf
from sklearn.datasets import make_moons

tf.keras.utils.set_random_seed(66)
points = make_moons(3000, noise=0.06, random_state=66)[0].astype("float32")
points = (points - points.mean(0)) / points.std(0)
N_CRITIC, BATCH, NOISE = 10, 64, 6


def mlp(n_in, n_out):
    return tf.keras.Sequential([tf.keras.Input((n_in,)), tf.keras.layers.Dense(48, activation="leaky_relu"),
                                tf.keras.layers.Dense(48, activation="leaky_relu"), tf.keras.layers.Dense(n_out)])


class ReplayBuffer:
    """Keeps generated points of earlier steps, as NumPy arrays."""

    def __init__(self, capacity):
        self.rows, self.capacity = np.zeros((0, 2), "float32"), capacity

    def add(self, fakes):
        self.rows = np.concatenate([self.rows, fakes])[-self.capacity:]

    def draw(self, n):
        return self.rows[np.random.randint(0, len(self.rows), n)]


generator, critic = mlp(NOISE, 2), mlp(2, 1)
g_opt, c_opt = tf.keras.optimizers.RMSprop(1e-3), tf.keras.optimizers.RMSprop(2e-4)
buffer = ReplayBuffer(2048)


@tf.function
def critic_step(real, fake):
    mix = tf.random.uniform((tf.shape(real)[0], 1))
    between = mix * real + (1.0 - mix) * fake
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(between)
            score = critic(between)
        slope = tf.norm(inner.gradient(score, between) + 1e-8, axis=1)
        gap = tf.reduce_mean(critic(real)) - tf.reduce_mean(critic(fake))
        loss = -gap + 5.0 * tf.reduce_mean((slope - 1.0) ** 2)
    c_opt.apply_gradients(zip(tape.gradient(loss, critic.trainable_variables), critic.trainable_variables))
    return gap


@tf.function
def generator_step():
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(generator(tf.random.normal((BATCH, NOISE)))))
    g_opt.apply_gradients(zip(tape.gradient(loss, generator.trainable_variables), generator.trainable_variables))
    return loss


for it in range(400):
    buffer.add(generator(tf.random.normal((16, NOISE))).numpy())
    gap = critic_step(tf.constant(points[np.random.randint(0, len(points), BATCH)]), tf.constant(buffer.draw(BATCH)))
    if (it + 1) % N_CRITIC == 0:
        loss = generator_step()
    if it % 100 == 99:
        print(it + 1, "gap %.3f generator %.3f" % (float(gap), float(loss)))
