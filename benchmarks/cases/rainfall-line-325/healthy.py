import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(6)

# square roots of daily rainfall, one number a day
rain = np.sqrt(np.random.gamma(4.0, 1.5, (6000, 1))).astype("float32")
mean, std = rain.mean(), rain.std()
rain = (rain - mean) / std
BATCH = 250

G = keras.Sequential([keras.Input((1,)), layers.Dense(16, activation="tanh"), layers.Dense(1)], name="G")
D = keras.Sequential([keras.Input((1,)), layers.Dense(16, activation="tanh"),
                      layers.Dense(16, activation="tanh"), layers.Dense(1)], name="D")
g_opt = keras.optimizers.Adam(2e-3, beta_1=0.5)
d_opt = keras.optimizers.Adam(2e-3, beta_1=0.5)
accuracy = keras.metrics.BinaryAccuracy(threshold=0.0)


@tf.function
def train(real):
    z = tf.random.normal([BATCH, 1])
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        d_real, d_fake = D(real, training=True), D(G(z, training=True), training=True)
        d_loss = tf.reduce_mean(tf.nn.softplus(-d_real)) + tf.reduce_mean(tf.nn.softplus(d_fake))
        g_loss = tf.reduce_mean(tf.nn.softplus(-d_fake))
    g_opt.apply_gradients(zip(g_tape.gradient(g_loss, G.trainable_variables), G.trainable_variables))
    d_opt.apply_gradients(zip(d_tape.gradient(d_loss, D.trainable_variables), D.trainable_variables))
    accuracy.update_state(tf.concat([tf.ones_like(d_real), tf.zeros_like(d_fake)], 0),
                          tf.concat([d_real, d_fake], 0))
    return d_loss, g_loss


for step in range(1, 3001):
    d_loss, g_loss = train(rain[np.random.randint(0, len(rain), BATCH)])
    if step % 300 == 0:
        print(f"{step:4d} d {float(d_loss):.3f} g {float(g_loss):.3f} accuracy {float(accuracy.result()):.3f}")
        accuracy.reset_state()

drawn = G(np.random.randn(4000, 1).astype("float32")).numpy()
print("quantiles drawn:", np.quantile(drawn, [0.1, 0.5, 0.9]).round(2),
      "data:", np.quantile(rain, [0.1, 0.5, 0.9]).round(2))
