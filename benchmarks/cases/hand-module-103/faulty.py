import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

tf.random.set_seed(103)
np.random.seed(103)


class Affine(tf.Module):
    def __init__(self, n_in, n_out, name=None):
        super().__init__(name=name)
        limit = np.sqrt(6.0 / (n_in + n_out))
        self.w = tf.Variable(tf.random.uniform([n_in, n_out], -limit, limit), name="w")
        self.b = tf.Variable(tf.zeros([n_out]), name="b")

    def __call__(self, x):
        return tf.matmul(x, self.w) + self.b


class GNet(tf.Module):
    def __init__(self, z_dim, n_out):
        super().__init__(name="g_net")
        self.a = Affine(z_dim, 100, "a")
        self.c = Affine(100, n_out, "c")

    def __call__(self, z):
        return tf.tanh(self.c(tf.nn.leaky_relu(self.a(z), 0.1)))


class DNet(tf.Module):
    def __init__(self, n_in):
        super().__init__(name="d_net")
        self.a = Affine(n_in, 100, "a")
        self.b = Affine(100, 50, "b")
        self.c = Affine(50, 1, "c")

    def __call__(self, x):
        h = tf.nn.leaky_relu(self.a(x), 0.1)
        h = tf.nn.leaky_relu(self.b(h), 0.1)
        return self.c(h)


def log_prob(p):
    return tf.math.log(tf.clip_by_value(p, 1e-7, 1.0))


def d_objective(d_real, d_fake):
    return -tf.reduce_mean(log_prob(d_real)) - tf.reduce_mean(log_prob(1.0 - d_fake))


def g_objective(d_fake):
    return -tf.reduce_mean(log_prob(d_fake))


Z = 20
BATCH = 50
images = (load_digits().data / 8.0 - 1.0).astype("float32")
g_net, d_net = GNet(Z, 64), DNet(64)
g_adam = tf.keras.optimizers.Adam(1e-3, beta_1=0.5)
d_adam = tf.keras.optimizers.Adam(1e-3, beta_1=0.5)


@tf.function
def d_step(x, z):
    with tf.GradientTape() as tape:
        loss = d_objective(d_net(x), d_net(g_net(z)))
    variables = d_net.trainable_variables
    d_adam.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


@tf.function
def g_step(z):
    with tf.GradientTape() as tape:
        loss = g_objective(d_net(g_net(z)))
    variables = g_net.trainable_variables
    g_adam.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


for it in range(150):
    x = tf.constant(images[np.random.randint(0, len(images), BATCH)])
    ld = d_step(x, tf.random.normal([BATCH, Z]))
    lg = g_step(tf.random.normal([BATCH, Z]))
    if it % 25 == 0 or it == 149:
        print("iter %3d | D %.4f | G %.4f" % (it, float(ld), float(lg)))
