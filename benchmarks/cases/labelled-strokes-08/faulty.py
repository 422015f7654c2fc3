import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(41)
digits = load_digits(n_class=6)
images = (digits.data / 8.0 - 1.0).astype("float32")
labels = digits.target.astype("int32")
LATENT, CLASSES = 14, 6


class LabelMixer:
    def __init__(self, classes, width):
        self.table = layers.Embedding(classes, width)
        self.gate = layers.Dense(width, activation="sigmoid")

    def __call__(self, z, label):
        code = self.table(label)
        return tf.concat([z, code * self.gate(z)], axis=1)


class Generator(keras.Model):
    def __init__(self):
        super().__init__()
        self.mix = LabelMixer(CLASSES, 10)
        self.hidden = [layers.Dense(64, activation="relu"), layers.Dense(96, activation="relu")]
        self.pixels = layers.Dense(64, activation="tanh")

    def call(self, inputs):
        x = self.mix(*inputs)
        for layer in self.hidden:
            x = layer(x)
        return self.pixels(x)


def build_discriminator():
    image = keras.Input((64,))
    label = keras.Input((), dtype="int32")
    h = layers.Dense(96)(image)
    h = layers.LeakyReLU(0.2)(h)
    h = layers.Dense(32)(h)
    h = layers.LeakyReLU(0.2)(h)
    match = layers.Dot(axes=1)([h, layers.Embedding(CLASSES, 32)(label)])
    return keras.Model([image, label], layers.Add()([layers.Dense(1)(h), match]))


class ConditionalGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = Generator()
        self.discriminator = build_discriminator()
        self.generator([tf.zeros((1, LATENT)), tf.zeros((1,), tf.int32)])

    def compile(self, g_optimizer, d_optimizer):
        super().compile()
        self.g_optimizer = g_optimizer
        self.d_optimizer = d_optimizer

    def train_step(self, data):
        real, label = data
        z = tf.random.normal((tf.shape(real)[0], LATENT))
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator([z, label])
            real_out = self.discriminator([real, label])
            fake_out = self.discriminator([fake, label])
            d_loss = tf.reduce_mean(tf.nn.relu(1.0 - real_out)) + tf.reduce_mean(tf.nn.relu(1.0 + fake_out))
            g_loss = -tf.reduce_mean(fake_out)
        d_vars = self.discriminator.trainable_variables
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, d_vars), d_vars))
        g_vars = self.generator.trainable_variables
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, g_vars), g_vars))
        del tape
        return {"d": d_loss, "g": g_loss}


gan = ConditionalGAN()
gan.compile(keras.optimizers.Adam(5e-4, beta_1=0.5), keras.optimizers.Adam(5e-4, beta_1=0.5))
print("generator parameters:", sum(int(np.prod(v.shape)) for v in gan.generator.trainable_variables))
gan.fit(tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(1200).batch(48), epochs=5, verbose=2)
