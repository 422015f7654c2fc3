import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(29)
DIM, BATCH, POOL = 6, 64, 256
rng = np.random.default_rng(29)
MIX = rng.normal(size=(DIM, DIM)) / np.sqrt(DIM)


def left(n):
    return rng.normal(size=(n, DIM)).astype("float32") * np.linspace(0.3, 1.0, DIM, dtype="float32")


def right(n):
    return np.tanh(left(n) @ MIX + 0.5).astype("float32")


class Swap(tf.Module):
    def __init__(self):
        super().__init__()
        self.lr = self.net(DIM)
        self.rl = self.net(DIM)
        self.d_left = self.net(1)
        self.d_right = self.net(1)
        for model in (self.lr, self.rl, self.d_left, self.d_right):
            model(tf.zeros((1, DIM)))
        self.g_vars = self.lr.trainable_variables + self.rl.trainable_variables
        self.d_vars = self.d_left.trainable_variables + self.d_right.trainable_variables
        self.g_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
        self.d_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
        self.pool_left = tf.Variable(tf.zeros((POOL, DIM)), trainable=False)
        self.pool_right = tf.Variable(tf.zeros((POOL, DIM)), trainable=False)

    @staticmethod
    def net(units):
        return keras.Sequential([layers.Dense(48, activation="silu"), layers.Dense(48, activation="silu"),
                                 layers.Dense(units)])

    @staticmethod
    def apply(optimizer, grads, variables, limit=5.0):
        grads, norm = tf.clip_by_global_norm(grads, limit)
        optimizer.apply_gradients(list(zip(grads, variables))[::-1])
        return norm

    def remember(self, pool, fake):
        place = tf.random.shuffle(tf.range(POOL))[:BATCH]
        pool.scatter_update(tf.IndexedSlices(fake, place))

    def recall(self, pool):
        return tf.gather(pool, tf.random.uniform((BATCH,), 0, POOL, tf.int32))

    @tf.function
    def train_generators(self, a, b):
        with tf.GradientTape() as tape:
            fake_b, fake_a = self.lr(a), self.rl(b)
            adv = (tf.reduce_mean((self.d_right(fake_b) - 1.0) ** 2)
                   + tf.reduce_mean((self.d_left(fake_a) - 1.0) ** 2))
            cycle = (tf.reduce_mean(tf.abs(self.rl(fake_b) - a)) + tf.reduce_mean(tf.abs(self.lr(fake_a) - b)))
            loss = adv + 5.0 * cycle
            self.remember(self.pool_right, fake_b)
            self.remember(self.pool_left, fake_a)
        norm = self.apply(self.g_opt, tape.gradient(loss, self.g_vars), self.g_vars)
        return adv, cycle, norm

    @tf.function
    def train_discriminators(self, a, b):
        with tf.GradientTape() as tape:
            loss = 0.0
            for net, real, pool in ((self.d_left, a, self.pool_left), (self.d_right, b, self.pool_right)):
                loss += tf.reduce_mean((net(real) - 1.0) ** 2) + tf.reduce_mean(net(self.recall(pool)) ** 2)
        self.apply(self.d_opt, tape.gradient(loss, self.d_vars), self.d_vars)
        return loss


swap = Swap()
for i in range(200):
    a, b = tf.constant(left(BATCH)), tf.constant(right(BATCH))
    adv, cycle, norm = swap.train_generators(a, b)
    if i >= 4:
        d_loss = swap.train_discriminators(a, b)
    if i % 50 == 49:
        print(f"{i + 1} adv {float(adv):.3f} cycle {float(cycle):.3f} norm {float(norm):.2f} d {float(d_loss):.3f}")
