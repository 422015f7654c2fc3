import numpy as np
import tensorflow as tf

tf.random.set_seed(48)
np.random.seed(48)

# y = 2x + 1 with a little noise, learned by two hand-written networks
def batch_of_lines(n):
    x = np.random.uniform(-1, 1, (n, 1))
    return np.hstack([x, 2 * x + 1 + 0.1 * np.random.randn(n, 1)]).astype("float32")


def weight(rows, cols):
    return tf.Variable(tf.random.normal([rows, cols], stddev=np.sqrt(2.0 / rows)))


def bias(cols):
    return tf.Variable(tf.zeros([cols]))


params = {
    "G": [weight(4, 32), bias(32), weight(32, 32), bias(32), weight(32, 2), bias(2)],
    "D": [weight(2, 32), bias(32), weight(32, 32), bias(32), weight(32, 1), bias(1)],
}


def forward(x, p):
    for w, b in zip(p[:-2:2], p[1:-2:2]):
        x = tf.nn.leaky_relu(tf.matmul(x, w) + b, 0.1)
    return tf.matmul(x, p[-2]) + p[-1]


def bce(logits, label):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.fill(tf.shape(logits), label), logits=logits))


def descend(variables, grads, rate):
    norm = tf.linalg.global_norm(grads)
    scale = tf.minimum(1.0, 5.0 / (norm + 1e-8))
    for var, grad in zip(variables, grads):
        var.assign_sub(rate * scale * grad)
    return norm


LEARNING_RATE = 0.05
for it in range(150):
    real = tf.constant(batch_of_lines(64))
    with tf.GradientTape() as tape:
        fake = forward(tf.random.normal([64, 4]), params["G"])
        d_loss = bce(forward(real, params["D"]), 1.0) + bce(forward(fake, params["D"]), 0.0)
    d_norm = descend(params["D"], tape.gradient(d_loss, params["D"]), LEARNING_RATE)

    with tf.GradientTape() as tape:
        fake = forward(tf.random.normal([64, 4]), params["G"])
        g_loss = bce(forward(fake, params["D"]), 1.0)
    g_norm = descend(params["G"], tape.gradient(g_loss, params["G"]), LEARNING_RATE)

    if it % 30 == 0:
        print(f"{it:3d}  d_loss {float(d_loss):.3f} (grad {float(d_norm):.3f})  "
              f"g_loss {float(g_loss):.3f} (grad {float(g_norm):.3f})")
