import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

tf.random.set_seed(2)
np.random.seed(2)

N = 16  # 4x4 thumbnails, and as many noise values


class Affine(tf.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.w = tf.Variable(tf.random.normal((n_in, n_out)) * (2.0 / n_in) ** 0.5)
        self.b = tf.Variable(tf.zeros((n_out,)))

    def __call__(self, x):
        return x @ self.w + self.b


class Net(tf.Module):
    def __init__(self, n_out, slope):
        super().__init__()
        self.slope = slope
        self.inp = Affine(N, N)
        self.mid = Affine(N, N)
        self.deep = Affine(N, N)
        self.out = Affine(N, n_out)

    def params(self):
        return [p for layer in (self.inp, self.mid, self.deep, self.out) for p in (layer.b, layer.w)]

    def __call__(self, x):
        for layer in (self.inp, self.mid, self.deep):
            x = tf.nn.leaky_relu(layer(x), self.slope)
        return self.out(x)


def sgd(grads, variables, lr):
    for g, v in zip(grads, variables):
        v.assign_sub(lr * g)


images = load_digits().images.reshape(-1, 4, 2, 4, 2).mean((2, 4)).reshape(-1, N)
images = (images / 8.0 - 1.0).astype("float32")

G, D = Net(N, 0.1), Net(1, 0.2)
xent = tf.nn.sigmoid_cross_entropy_with_logits

for step in range(400):
    real = images[np.random.choice(len(images), 64)]
    with tf.GradientTape() as tape:
        fake = tf.tanh(G(tf.random.normal((64, N))))
        real_logits, fake_logits = D(real), D(fake)
        d_loss = tf.reduce_mean(xent(tf.ones_like(real_logits), real_logits)
                                + xent(tf.zeros_like(fake_logits), fake_logits))
    d_grads = tape.gradient(d_loss, D.params())
    sgd(d_grads, D.params(), lr=0.02)

    with tf.GradientTape() as tape:
        fake_logits = D(tf.tanh(G(tf.random.normal((64, N)))))
        g_loss = tf.reduce_mean(xent(tf.ones_like(fake_logits), fake_logits))
    g_grads = tape.gradient(g_loss, G.trainable_variables)
    sgd(g_grads, G.trainable_variables, lr=0.02)

    if step % 100 == 99:
        size = np.sqrt(sum(float(tf.reduce_sum(g ** 2)) for g in g_grads))
        print(f"{step + 1:4d}  D {float(d_loss):.3f}  G {float(g_loss):.3f}  |grad G| {size:.3f}")
