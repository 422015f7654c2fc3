import numpy as np
import tensorflow as tf
import keras

tf.random.set_seed(23)

TARGET = tf.constant([[1.5, -1.0]])


class Shift(tf.Module):
    """G(z) = z * s + m"""

    def __init__(self):
        super().__init__(name="shift")
        self.m = tf.Variable(tf.zeros([1, 2]), name="m")
        self.s = 0.5

    def __call__(self, z):
        return self.s * z + self.m


class Linear(tf.Module):
    """D(x) = x w + b"""

    def __init__(self):
        super().__init__(name="linear")
        self.w = tf.Variable(tf.random.normal([2, 1], stddev=0.1), name="w")
        self.b = tf.Variable(tf.zeros([1]), name="b")

    def __call__(self, x):
        return x @ self.w + self.b


g, d = Shift(), Linear()
g_sgd = keras.optimizers.SGD(learning_rate=0.2, momentum=0.6)
d_sgd = keras.optimizers.SGD(learning_rate=0.2, momentum=0.6)


def cross_entropy(logits, label):
    labels = tf.fill(tf.shape(logits), label)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))


@tf.function
def step():
    x = TARGET + 0.5 * tf.random.normal([200, 2])
    z = tf.random.normal([200, 2])
    with tf.GradientTape() as tape:
        d_loss = cross_entropy(d(x), 1.0) + cross_entropy(d(g(z)), 0.0)
    variables = [d.w, d.b]
    d_sgd.apply_gradients(zip(tape.gradient(d_loss, variables), variables))
    with tf.GradientTape() as tape:
        g_loss = cross_entropy(d(g(z)), 1.0)
    g_sgd.apply_gradients(zip(tape.gradient(g_loss, [g.m]), [g.m]))
    return d_loss, g_loss


path = []
for i in range(400):
    d_loss, g_loss = step()
    path.append(g.m.numpy()[0])
    if i % 40 == 0:
        print(f"{i:3d} d {float(d_loss):.3f} g {float(g_loss):.3f} m {path[-1][0]:+.2f} {path[-1][1]:+.2f}")

print("distance to the target, last 100 steps: %.3f" % np.linalg.norm(path[-100:] - TARGET.numpy(), axis=1).mean())
