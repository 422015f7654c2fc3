import numpy as np
import tensorflow as tf
from tensorflow.keras import Input, Model, layers, optimizers, utils

utils.set_random_seed(31)
LR_CRITIC, CLIP, N_CRITIC = 0.05, 0.3, 3


def bumps(n):
    kind = np.random.choice(3, size=n, p=[0.5, 0.3, 0.2])
    loc = np.array([-2.0, 0.5, 2.5])[kind]
    return (loc + 0.2 * np.random.randn(n)).astype("float32")[:, None]


z_in = Input((3,))
g = layers.Dense(24, activation="relu")(z_in)
g = layers.Dense(24, activation="relu")(g)
generator = Model(z_in, layers.Dense(1)(g))

x_in = Input((1,))
c = layers.Dense(24, activation="relu")(x_in)
c = layers.Dense(24, activation="relu")(c)
critic = Model(x_in, layers.Dense(1)(c))

g_opt = optimizers.Adam(1e-3)


def train_critic(real):
    fake = generator(tf.random.normal((len(real), 3)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(real))
    grads = tape.gradient(loss, critic.trainable_variables)
    weights = critic.get_weights()
    for w, g in zip(weights, grads):
        w -= LR_CRITIC * g.numpy()
        np.clip(w, -CLIP, CLIP, out=w)
    return float(loss)


def train_generator(n):
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(generator(tf.random.normal((n, 3)))))
    grads = tape.gradient(loss, generator.trainable_variables)
    g_opt.apply_gradients(zip(grads, generator.trainable_variables))
    return float(loss)


for step in range(150):
    for _ in range(N_CRITIC):
        c_loss = train_critic(bumps(96))
    g_loss = train_generator(96)
    if step % 30 == 0:
        out = generator(tf.random.normal((400, 3))).numpy()
        print(f"{step:4d} critic {c_loss:+.4f} generator {g_loss:+.4f} sample mean {out.mean():+.3f} std {out.std():.3f}")
