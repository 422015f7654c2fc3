import numpy as np
import tensorflow as tf
from sklearn.datasets import make_moons

tf.random.set_seed(4)
np.random.seed(4)

points, _ = make_moons(2000, noise=0.05, random_state=4)
points = ((points - points.mean(axis=0)) / points.std(axis=0)).astype("float32")
BATCH = 100
NOISE = 6

G = tf.keras.models.Sequential([
    tf.keras.layers.Input((NOISE,)),
    tf.keras.layers.Dense(48, activation="tanh"),
    tf.keras.layers.Dense(48, activation="tanh"),
    tf.keras.layers.Dense(2),
])
D = tf.keras.models.Sequential([
    tf.keras.layers.Input((2,)),
    tf.keras.layers.Dense(48, activation="relu"),
    tf.keras.layers.Dense(48, activation="relu"),
    tf.keras.layers.Dense(1),
])
opt_G = tf.keras.optimizers.RMSprop(1e-3)
opt_D = tf.keras.optimizers.RMSprop(1e-3)


@tf.function
def sample():
    return G(tf.random.normal([BATCH, NOISE]), training=True)


@tf.function
def update_D(x, fake):
    with tf.GradientTape() as t:
        logits = D(tf.concat([x, fake], axis=0), training=True)
        labels = tf.concat([tf.ones([BATCH, 1]), tf.zeros([BATCH, 1])], axis=0)
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))
    g = t.gradient(loss, D.trainable_variables)
    g, _ = tf.clip_by_global_norm(g, 5.0)
    opt_D.apply_gradients(zip(g, D.trainable_variables))
    return loss


@tf.function
def update_G(fake):
    with tf.GradientTape() as t:
        logits = D(fake, training=True)
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.ones_like(logits), logits))
    g = t.gradient(loss, G.trainable_variables)
    g, norm = tf.clip_by_global_norm(g, 5.0)
    opt_G.apply_gradients([(a, v) for a, v in zip(g, G.trainable_variables) if a is not None])
    return loss, norm


@tf.function
def train_iteration(x):
    fake = sample()
    loss_D = update_D(x, fake)
    loss_G, norm = update_G(fake)
    return loss_D, loss_G, norm


for it in range(200):
    x = tf.constant(points[np.random.randint(0, len(points), BATCH)])
    loss_D, loss_G, norm = train_iteration(x)
    if it % 50 == 0:
        print("it", it, "D", float(loss_D), "G", float(loss_G), "norm", float(norm))
