import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.mixed_precision.set_global_policy("mixed_float16")
keras.utils.set_random_seed(52)

ZDIM, BATCH, STEPS = 20, 48, 90

faces = load_digits().data.astype("float32") / 8.0 - 1.0
stream = iter(tf.data.Dataset.from_tensor_slices(faces).shuffle(1797, seed=3).repeat().batch(BATCH))

G = keras.Sequential([
    layers.Input((ZDIM,)),
    layers.Dense(128, activation="leaky_relu"),
    layers.Dense(128, activation="leaky_relu"),
    layers.Dense(64, activation="tanh", dtype="float32"),
])
D = keras.Sequential([
    layers.Input((64,)),
    layers.Dense(128, activation="leaky_relu"),
    layers.Dense(64, activation="leaky_relu"),
    layers.Dense(1, dtype="float32"),
])


def scaled(optimizer):
    return keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0 ** 20, dynamic_growth_steps=25)


g_opt = scaled(keras.optimizers.Adam(3e-4, beta_1=0.5))
d_opt = scaled(keras.optimizers.Adam(3e-4, beta_1=0.5))


def bce(logits, label):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(label * tf.ones_like(logits), logits))


def update(net, optimizer, tape, scaled_loss):
    grads = tape.gradient(scaled_loss, net.trainable_variables)
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in grads])
    optimizer.apply(grads, net.trainable_variables)
    return finite


@tf.function
def d_step(real):
    fake = G(tf.random.normal((BATCH, ZDIM)), training=True)
    with tf.GradientTape() as tape:
        loss = bce(D(real, training=True), 0.9) + bce(D(fake, training=True), 0.0)
        scaled_loss = d_opt.scale_loss(loss)
    return loss, update(D, d_opt, tape, scaled_loss)


@tf.function
def g_step():
    with tf.GradientTape() as tape:
        loss = bce(D(G(tf.random.normal((BATCH, ZDIM)), training=True), training=True), 1.0)
        scaled_loss = g_opt.scale_loss(loss)
    return loss, update(G, g_opt, tape, scaled_loss)


skipped = 0
for step in range(1, STEPS + 1):
    d_loss, d_ok = d_step(next(stream))
    g_loss, g_ok = g_step()
    skipped += int(not d_ok) + int(not g_ok)
    if step % 15 == 0:
        scales = [float(o.dynamic_scale) for o in (d_opt, g_opt)]
        print(f"{step} d {float(d_loss):.4f} g {float(g_loss):.4f} skipped {skipped} scales {scales}")
