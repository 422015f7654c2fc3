import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(83)


class SpectralDense(tf.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.kernel = tf.Variable(keras.initializers.GlorotUniform()((n_in, n_out)), name="kernel")
        self.bias = tf.Variable(tf.zeros((n_out,)), name="bias")
        self.u = tf.Variable(tf.math.l2_normalize(tf.random.normal((1, n_out))), trainable=False, name="u")

    def __call__(self, x):
        v = tf.math.l2_normalize(tf.matmul(self.u, self.kernel, transpose_b=True))
        self.u.assign(tf.stop_gradient(tf.math.l2_normalize(tf.matmul(v, self.kernel))))
        sigma = tf.matmul(tf.matmul(tf.stop_gradient(v), self.kernel), self.u, transpose_b=True)
        return x @ (self.kernel / sigma) + self.bias


class Critic(tf.Module):
    def __init__(self, width=48):
        super().__init__()
        self.layers = [SpectralDense(2, width), SpectralDense(width, width), SpectralDense(width, 1)]

    def __call__(self, x):
        x = tf.nn.leaky_relu(self.layers[0](x), 0.1)
        x = tf.nn.leaky_relu(self.layers[1](x), 0.1)
        return 4.0 * self.layers[2](x)


generator = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Dense(48, activation="relu"),
    keras.layers.Dense(48, activation="relu"),
    keras.layers.Dense(2),
])
slow = [tf.Variable(v, trainable=False) for v in generator.trainable_variables]
critic = Critic()
g_opt = keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)
c_opt = keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.9)
c_vars = [p for layer in critic.layers for p in (layer.kernel, layer.bias)]
g_vars = generator.trainable_variables


def square(n):
    side = np.random.randint(0, 4, n)
    t = np.random.uniform(-1, 1, n)
    x = np.choose(side, [t, t, np.ones(n), -np.ones(n)])
    y = np.choose(side, [np.ones(n), -np.ones(n), t, t])
    return tf.constant(np.c_[x, y] + 0.03 * np.random.randn(n, 2), tf.float32)


@tf.function
def train(real):
    with tf.GradientTape() as tape:
        fake = generator(tf.random.normal((128, 4)))
        c_loss = tf.reduce_mean(tf.nn.relu(1.0 - critic(real)) + tf.nn.relu(1.0 + critic(fake)))
    c_opt.apply_gradients(zip(tape.gradient(c_loss, c_vars), c_vars))
    with tf.GradientTape() as tape:
        g_loss = -tf.reduce_mean(critic(generator(tf.random.normal((128, 4)))))
    g_opt.apply_gradients(zip(tape.gradient(g_loss, g_vars), g_vars))
    for s, v in zip(slow, g_vars):
        s.assign(0.99 * s + 0.01 * v)
    return c_loss, g_loss


for i in range(300):
    c_loss, g_loss = train(square(128))
    if i % 75 == 74:
        print(f"{i + 1} critic {float(c_loss):.3f} generator {float(g_loss):+.3f}")

generator.set_weights([s.numpy() for s in slow])
print("std of samples", generator(tf.random.normal((500, 4))).numpy().std(0).round(3))
