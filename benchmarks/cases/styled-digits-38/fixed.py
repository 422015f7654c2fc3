import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(38)
Z, W = 16, 24


class Modulated(layers.Layer):
    def __init__(self, channels, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(channels, 3, padding="same")
        self.scale = layers.Dense(channels, bias_initializer="ones")
        self.shift = layers.Dense(channels)

    def call(self, x, w):
        x = self.conv(x)
        return tf.nn.leaky_relu(x * self.scale(w)[:, None, None, :] + self.shift(w)[:, None, None, :], 0.2)


class Synthesis(keras.Model):
    def __init__(self):
        super().__init__()
        self.block4 = Modulated(32)
        self.block8 = Modulated(16)
        self.to_gray = layers.Conv2D(1, 1, activation="tanh")

    def build(self, shape):
        self.constant = self.add_weight(name="constant", shape=(1, 4, 4, 32), initializer="random_normal")
        self.built = True

    def call(self, w):
        x = tf.tile(self.constant, [tf.shape(w)[0], 1, 1, 1])
        x = self.block4(x, w)
        x = tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)
        return self.to_gray(self.block8(x, w))


class StyleGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.mapping = keras.Sequential([keras.Input((Z,)), layers.Dense(W, activation="leaky_relu"),
                                         layers.Dense(W, activation="leaky_relu")], name="mapping")
        self.synthesis = Synthesis()
        self.discriminator = keras.Sequential([
            keras.Input((8, 8, 1)), layers.Conv2D(24, 3, strides=2, padding="same", activation="leaky_relu"),
            layers.Conv2D(48, 3, strides=2, padding="same", activation="leaky_relu"),
            layers.Flatten(), layers.Dense(1)], name="discriminator")
        self.synthesis(tf.zeros((1, W)))

    def compile(self, g_optimizer, d_optimizer):
        super().compile()
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer

    def generate(self, n):
        return self.synthesis(self.mapping(tf.random.normal((n, Z))))

    def train_step(self, real):
        n = tf.shape(real)[0]
        d_vars = self.discriminator.trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in d_vars])
            d_loss = tf.reduce_mean(tf.nn.softplus(self.discriminator(self.generate(n)))
                                    + tf.nn.softplus(-self.discriminator(real)))
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, d_vars), d_vars))

        g_vars = self.mapping.trainable_variables + self.synthesis.trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in g_vars])
            g_loss = tf.reduce_mean(tf.nn.softplus(-self.discriminator(self.generate(n))))
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, g_vars), g_vars))
        return {"d": d_loss, "g": g_loss}


x = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
gan = StyleGAN()
gan.compile(keras.optimizers.Adam(1e-3, 0.0, 0.99), keras.optimizers.Adam(1e-3, 0.0, 0.99))
gan.fit(tf.data.Dataset.from_tensor_slices(x).shuffle(1797).batch(64, drop_remainder=True), epochs=3, verbose=2)
