import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

tf.keras.utils.set_random_seed(69)
data = load_digits().data.astype("float32") / 16.0
CODE = 6


class TiedCoder(tf.Module):
    """The decoder reuses the encoder's matrices, transposed."""

    def __init__(self):
        super().__init__()
        glorot = tf.keras.initializers.GlorotUniform(seed=1)
        self.w1 = tf.Variable(glorot((64, 64)))
        self.w2 = tf.Variable(glorot((64, CODE)))
        self.enc_bias = [tf.Variable(tf.zeros([64])), tf.Variable(tf.zeros([CODE]))]
        self.dec_bias = [tf.Variable(tf.zeros([64])), tf.Variable(tf.zeros([64]))]

    @property
    def enc_vars(self):
        return [self.w1, self.w2] + self.enc_bias

    @property
    def dec_vars(self):
        return [self.w1, self.w2] + self.dec_bias

    def encode(self, x):
        return tf.nn.tanh(x @ self.w1 + self.enc_bias[0]) @ self.w2 + self.enc_bias[1]

    def decode(self, code):
        h = tf.nn.tanh(tf.matmul(code, self.w2, transpose_b=True) + self.dec_bias[0])
        return tf.sigmoid(tf.matmul(h, self.w1, transpose_b=True) + self.dec_bias[1])


coder = TiedCoder()
critic = tf.keras.Sequential([tf.keras.Input((CODE,)), tf.keras.layers.Dense(32, "leaky_relu"),
                              tf.keras.layers.Dense(32, "leaky_relu"), tf.keras.layers.Dense(1)])
unique = list({v.ref(): v for v in coder.enc_vars + coder.dec_vars}.values())
rebuild_opt, fool_opt, critic_opt = (tf.keras.optimizers.Adam(r) for r in (2e-3, 2e-3, 2e-4))


@tf.function
def step(x):
    with tf.GradientTape() as tape:
        rebuild = tf.reduce_mean((coder.decode(coder.encode(x)) - x) ** 2)
    rebuild_opt.apply_gradients(zip(tape.gradient(rebuild, unique), unique))

    prior = tf.random.normal((tf.shape(x)[0], CODE))
    with tf.GradientTape() as tape:
        c_loss = tf.reduce_mean(tf.nn.softplus(-critic(prior)) + tf.nn.softplus(critic(coder.encode(x))))
    critic_opt.apply_gradients(zip(tape.gradient(c_loss, critic.trainable_variables), critic.trainable_variables))

    with tf.GradientTape() as tape:
        fool = tf.reduce_mean(tf.nn.softplus(-critic(coder.encode(x))))
    fool_opt.apply_gradients(zip(tape.gradient(fool, coder.enc_vars), coder.enc_vars))
    return rebuild, c_loss, fool


for epoch in range(6):
    order = np.random.permutation(len(data))
    for i in range(0, 1750, 50):
        rebuild, c_loss, fool = step(tf.constant(data[order[i:i + 50]]))
    print(f"epoch {epoch} rebuild {float(rebuild):.4f} critic {float(c_loss):.3f} fool {float(fool):.3f}")
