import numpy as np
import tensorflow as tf
from sklearn.datasets import make_swiss_roll

tf.random.set_seed(64)
rng = np.random.default_rng(64)

roll, _ = make_swiss_roll(3000, noise=0.1, random_state=1)
roll = ((roll - roll.mean(0)) / roll.std(0)).astype("float32")

BATCH, Z, STEPS = 64, 5, 90
BOUNDARIES, RATES = [30, 60], [0.005, 0.002, 0.001]


class Affine(tf.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.kernel = tf.Variable(tf.random.normal((n_in, n_out)) * (2.0 / n_in) ** 0.5)
        self.bias = tf.Variable(tf.zeros((n_out,)))

    def __call__(self, x):
        return x @ self.kernel + self.bias


class Network(tf.Module):
    def __init__(self, n_in, n_out, width=80):
        super().__init__()
        self.a, self.b, self.c = Affine(n_in, width), Affine(width, width), Affine(width, n_out)

    def __call__(self, x):
        return self.c(tf.nn.leaky_relu(self.b(tf.nn.leaky_relu(self.a(x)))))


class MomentumSGD:
    """Plain SGD with momentum and a piecewise constant rate."""

    def __init__(self, variables, momentum=0.8):
        self.variables = list(variables)
        self.velocity = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.variables]
        self.momentum = momentum
        self.schedule = tf.keras.optimizers.schedules.PiecewiseConstantDecay(BOUNDARIES, RATES)

    def minimize(self, tape, loss, step):
        rate = self.schedule(step)
        for v, m, g in zip(self.variables, self.velocity, tape.gradient(loss, self.variables)):
            m.assign(self.momentum * m - rate * g)
            v.assign_add(m)


G, D = Network(Z, 3), Network(3, 1)
g_sgd, d_sgd = MomentumSGD(G.trainable_variables), MomentumSGD(D.trainable_variables)


@tf.function
def train(real, step):
    z = tf.random.normal((BATCH, Z))
    with tf.GradientTape(persistent=True) as tape:
        fake = G(z)
        real_score, fake_score = D(real), D(fake)
        d_loss = tf.reduce_mean((real_score - 1.0) ** 2) + tf.reduce_mean(fake_score ** 2)
        g_loss = tf.reduce_mean((fake_score - 1.0) ** 2)
    g_sgd.minimize(tape, g_loss, step)
    d_sgd.minimize(tape, d_loss, step)
    return d_loss, g_loss


for step in range(STEPS):
    batch = tf.constant(roll[rng.integers(0, len(roll), BATCH)])
    d_loss, g_loss = train(batch, tf.constant(step))
    if step % 10 == 9:
        print(step + 1, "d_loss", d_loss.numpy(), "g_loss", g_loss.numpy())
