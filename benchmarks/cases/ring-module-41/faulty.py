import math
import tensorflow as tf

tf.random.set_seed(1)


class Linear(tf.Module):
    def __init__(self, n_in, n_out, name=None):
        super().__init__(name=name)
        limit = math.sqrt(6.0 / (n_in + n_out))
        self.w = tf.Variable(tf.random.uniform((n_in, n_out), -limit, limit), name="w")
        self.b = tf.Variable(tf.zeros((n_out,)), name="b")

    def __call__(self, x):
        return x @ self.w + self.b


class Generator(tf.Module):
    def __init__(self, z_dim, width):
        super().__init__(name="generator")
        self.inp = Linear(z_dim, width, "inp")
        self.res1 = Linear(width, width, "res1")
        self.res2 = Linear(width, width, "res2")
        self.res3 = Linear(width, width, "res3")
        self.out = Linear(width, 2, "out")

    def __call__(self, z):
        h = tf.nn.relu(self.inp(z))
        h = h + tf.nn.relu(self.res1(h))
        h = h + tf.nn.relu(self.res2(h))
        h = h + tf.nn.relu(self.res2(h))
        return self.out(h)


class Discriminator(tf.Module):
    def __init__(self, width):
        super().__init__(name="discriminator")
        self.l1 = Linear(2, width, "l1")
        self.l2 = Linear(width, width, "l2")
        self.l3 = Linear(width, 1, "l3")

    def __call__(self, x):
        h = tf.nn.leaky_relu(self.l1(x))
        h = tf.nn.leaky_relu(self.l2(h))
        return self.l3(h)


def sample_ring(n):
    t = tf.random.uniform((n,), 0.0, 2.0 * math.pi)
    r = 1.5 + 0.1 * tf.random.normal((n,))
    return tf.stack([r * tf.cos(t), r * tf.sin(t)], axis=1)


def xent(logits, target):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(
        labels=tf.fill(tf.shape(logits), target), logits=logits))


G = Generator(4, 32)
D = Discriminator(32)
g_opt = tf.keras.optimizers.Adam(1e-3, beta_1=0.5)
d_opt = tf.keras.optimizers.Adam(1e-3, beta_1=0.5)

for step in range(150):
    real = sample_ring(64)
    z = tf.random.normal((64, 4))

    with tf.GradientTape() as tape:
        d_loss = xent(D(real), 1.0) + xent(D(G(z)), 0.0)
    d_grads = tape.gradient(d_loss, D.trainable_variables)
    d_opt.apply_gradients(zip(d_grads, D.trainable_variables))

    with tf.GradientTape() as tape:
        g_loss = xent(D(G(z)), 1.0)
    g_grads = tape.gradient(g_loss, G.trainable_variables)
    g_opt.apply_gradients(zip(g_grads, G.trainable_variables))

    if step % 50 == 0:
        radius = tf.norm(G(tf.random.normal((500, 4))), axis=1)
        tf.print("step", step, "D", d_loss, "G", g_loss, "radius", tf.reduce_mean(radius))
