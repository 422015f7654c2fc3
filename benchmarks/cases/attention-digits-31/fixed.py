import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(31)
BATCH, LATENT = 64, 24


class SelfAttention(layers.Layer):
    def __init__(self, channels):
        super().__init__(name="self_attention")
        self.query = layers.Conv2D(channels // 4, 1)
        self.key = layers.Conv2D(channels // 4, 1, use_bias=False)
        self.value = layers.Conv2D(channels, 1)

    def build(self, shape):
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros")
        super().build(shape)

    def call(self, x):
        b, h, w, c = tf.shape(x)[0], x.shape[1], x.shape[2], x.shape[3]
        q = tf.reshape(self.query(x), (b, h * w, c // 4))
        k = tf.reshape(self.key(x), (b, h * w, c // 4))
        v = tf.reshape(self.value(x), (b, h * w, c))
        weights = tf.nn.softmax(tf.matmul(q, k, transpose_b=True))
        out = tf.reshape(tf.matmul(weights, v), (b, h, w, c))
        return self.gamma * out + x


class Generator(keras.Model):
    def __init__(self):
        super().__init__(name="generator")
        self.stem = layers.Dense(4 * 4 * 32, activation="relu")
        self.fold = layers.Reshape((4, 4, 32))
        self.conv = layers.Conv2D(32, 3, padding="same", activation="relu")
        self.attention = SelfAttention(32)
        self.up = layers.Conv2DTranspose(16, 4, strides=2, padding="same", activation="relu")
        self.out = layers.Conv2D(1, 3, padding="same", activation="tanh")

    def call(self, z):
        h = self.conv(self.fold(self.stem(z)))
        attended = self.attention(h)
        h = self.up(attended)
        return self.out(h)


def build_discriminator():
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(32, 3, strides=2, padding="same"), layers.LeakyReLU(0.2),
        layers.Conv2D(64, 3, strides=2, padding="same"), layers.LeakyReLU(0.2),
        layers.Flatten(), layers.Dense(1)], name="discriminator")


generator, discriminator = Generator(), build_discriminator()
g_opt = keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)
d_opt = keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)


@tf.function
def train_step(real):
    with tf.GradientTape() as tape:
        fake = generator(tf.random.normal((BATCH, LATENT)))
        d_loss = (tf.reduce_mean(tf.nn.relu(1.0 - discriminator(real)))
                  + tf.reduce_mean(tf.nn.relu(1.0 + discriminator(fake))))
    d_grads = tape.gradient(d_loss, discriminator.trainable_variables)
    d_opt.apply_gradients(zip(d_grads, discriminator.trainable_variables))

    with tf.GradientTape() as tape:
        fake = generator(tf.random.normal((BATCH, LATENT)))
        g_loss = -tf.reduce_mean(discriminator(fake))
    g_grads = tape.gradient(g_loss, generator.trainable_variables)
    g_opt.apply_gradients(zip(g_grads, generator.trainable_variables))
    return d_loss, g_loss


images = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
data = tf.data.Dataset.from_tensor_slices(images).shuffle(2000).repeat().batch(BATCH)
for step, real in enumerate(data.take(90)):
    d_loss, g_loss = train_step(real)
    if step % 30 == 0:
        print(f"{step:3d} d {float(d_loss):.3f} g {float(g_loss):.3f}")
print("gamma", float(generator.attention.gamma.numpy()))
