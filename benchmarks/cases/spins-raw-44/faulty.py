import numpy as np
import tensorflow as tf

np.random.seed(5)
tf.random.set_seed(5)

# rows of 16 spins (+1 / -1) from a 1D chain with coupling J, sampled site by site
N_SPINS, J, BATCH, Z = 16, 0.8, 64, 10


def sample_chain(n):
    flip = 1.0 / (1.0 + np.exp(2 * J))
    s = np.empty((n, N_SPINS), "float32")
    s[:, 0] = np.random.choice([-1, 1], n)
    for i in range(1, N_SPINS):
        s[:, i] = np.where(np.random.rand(n) < flip, -s[:, i - 1], s[:, i - 1])
    return s


def glorot(n_in, n_out):
    return tf.Variable(tf.random.normal((n_in, n_out), stddev=np.sqrt(2.0 / (n_in + n_out))))


g = {"w1": glorot(Z, 64), "b1": tf.Variable(tf.zeros(64)),
     "w2": glorot(64, 64), "b2": tf.Variable(tf.zeros(64)),
     "w3": glorot(64, N_SPINS), "b3": tf.Variable(tf.zeros(N_SPINS))}
d = {"w1": glorot(N_SPINS, 64), "b1": tf.Variable(tf.zeros(64)),
     "w2": glorot(64, 32), "b2": tf.Variable(tf.zeros(32)),
     "w3": glorot(32, 1), "b3": tf.Variable(tf.zeros(1))}


def generate(z):
    h = tf.nn.relu(tf.matmul(z, g["w1"]) + g["b1"])
    h = tf.nn.relu(tf.matmul(h, g["w2"]) + g["b2"])
    field = tf.tanh(tf.matmul(h, g["w3"]) + g["b3"])
    return tf.sign(field)


def discriminate(s):
    h = tf.nn.leaky_relu(tf.matmul(s, d["w1"]) + d["b1"])
    h = tf.nn.leaky_relu(tf.matmul(h, d["w2"]) + d["b2"])
    return tf.matmul(h, d["w3"]) + d["b3"]


opt_g = tf.optimizers.Adam(1e-3)
opt_d = tf.optimizers.Adam(1e-3)
g_vars, d_vars = list(g.values()), list(d.values())


@tf.function
def update(real):
    z = tf.random.normal((BATCH, Z))
    with tf.GradientTape(persistent=True) as tape:
        fake = generate(z)
        logit_real, logit_fake = discriminate(real), discriminate(fake)
        loss_d = tf.reduce_mean(tf.nn.softplus(-logit_real)) + tf.reduce_mean(tf.nn.softplus(logit_fake))
        loss_g = tf.reduce_mean(tf.nn.softplus(-logit_fake))
    opt_d.apply_gradients(zip(tape.gradient(loss_d, d_vars), d_vars))
    opt_g.apply_gradients(zip(tape.gradient(loss_g, g_vars), g_vars))
    return loss_d, loss_g


def correlation(s):
    return float(np.mean(s[:, 1:] * s[:, :-1]))


print("target correlation %.3f" % correlation(sample_chain(5000)))
for it in range(301):
    loss_d, loss_g = update(tf.constant(sample_chain(BATCH)))
    if it % 100 == 0:
        spins = generate(tf.random.normal((2000, Z))).numpy()
        print("%4d  D %.3f  G %.3f  correlation %.3f" % (it, loss_d, loss_g, correlation(spins)))
