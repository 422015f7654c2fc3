import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(8)

# three measurements per row, centred on (2, -1, 0.5)
table = (np.array([2.0, -1.0, 0.5]) + 0.4 * np.random.randn(3000, 3)).astype("float32")
batch = 150


class Offset(layers.Layer):
    def build(self, input_shape):
        self.offset = self.add_weight(name="offset", shape=(3,), initializer="zeros")

    def call(self, z):
        return 0.4 * z + self.offset


generator = keras.Sequential([keras.Input((3,)), Offset()], name="generator")
critic = keras.Sequential([keras.Input((3,)), layers.Dense(1, use_bias=False)], name="critic")
c_opt = keras.optimizers.SGD(0.15)
g_opt = keras.optimizers.SGD(0.15)

centre = []
for it in range(250):
    real = tf.constant(table[np.random.randint(0, len(table), batch)])
    noise = tf.random.normal([batch, 3])
    with tf.GradientTape() as tape:
        c_loss = tf.reduce_mean(critic(generator(noise))) - tf.reduce_mean(critic(real))
        c_loss += 0.5 * tf.reduce_sum(tf.square(critic.trainable_variables[0]))
    c_opt.apply_gradients(zip(tape.gradient(c_loss, critic.trainable_variables), critic.trainable_variables))

    with tf.GradientTape() as tape:
        g_loss = -tf.reduce_mean(critic(generator(noise)))
    g_opt.apply_gradients(zip(tape.gradient(g_loss, generator.trainable_variables), generator.trainable_variables))

    centre.append(generator.layers[-1].offset.numpy())
    if it % 25 == 0:
        print(f"{it:3d}  critic {float(c_loss):+.3f}  generator {float(g_loss):+.3f}  offset {np.round(centre[-1], 2)}")
