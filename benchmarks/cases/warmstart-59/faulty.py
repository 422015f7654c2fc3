import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

np.random.seed(0)
tf.random.set_seed(0)
x = (load_digits().data / 16.0).astype("float32")
CODE, HID, BATCH = 12, 48, 64


def dense(n_in, n_out, trainable=True):
    w = tf.Variable(tf.random.normal((n_in, n_out)) * np.float32(np.sqrt(2.0 / (n_in + n_out))), trainable=trainable)
    b = tf.Variable(tf.zeros((n_out,)), trainable=trainable)
    return [w, b]


def clone(params):
    return [tf.Variable(p.read_value(), trainable=False) for p in params]


def run(params, v, out=tf.identity):
    for i in range(0, len(params) - 2, 2):
        v = tf.nn.leaky_relu(v @ params[i] + params[i + 1])
    return out(v @ params[-2] + params[-1])


def minibatch():
    return tf.constant(x[np.random.randint(0, len(x), BATCH)])


# 1) autoencoder, its decoder is the starting point of the generator
enc = dense(64, HID) + dense(HID, CODE)
dec = dense(CODE, HID) + dense(HID, 64)
opt = tf.keras.optimizers.Adam(3e-3)
for step in range(80):
    batch = minibatch()
    with tf.GradientTape() as tape:
        rec = run(dec, run(enc, batch, tf.tanh), tf.sigmoid)
        loss = tf.reduce_mean((rec - batch) ** 2)
    grads = tape.gradient(loss, enc + dec)
    opt.apply_gradients(zip(grads, enc + dec))
print("autoencoder mse %.4f" % float(loss))

# 2) GAN: a new first layer maps the noise into the code of the decoder
gen = dense(8, CODE) + clone(dec)
dis = dense(64, 64) + dense(64, 1)
gen_opt = tf.keras.optimizers.Adam(5e-4)
dis_opt = tf.keras.optimizers.Adam(2e-4)

for step in range(80):
    batch, z = minibatch(), tf.random.normal((BATCH, 8))
    with tf.GradientTape() as tape:
        real, fake = run(dis, batch), run(dis, run(gen, z, tf.sigmoid))
        dis_loss = tf.reduce_mean(tf.nn.softplus(-real) + tf.nn.softplus(fake))
    dis_opt.apply_gradients(zip(tape.gradient(dis_loss, dis), dis))

    with tf.GradientTape() as tape:
        gen_loss = tf.reduce_mean(tf.nn.softplus(-run(dis, run(gen, z, tf.sigmoid))))
    gen_opt.apply_gradients(zip(tape.gradient(gen_loss, gen), gen))
    if step % 20 == 0:
        print("step %d  dis %.4f  gen %.4f" % (step, float(dis_loss), float(gen_loss)))
