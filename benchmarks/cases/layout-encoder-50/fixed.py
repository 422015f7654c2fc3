import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(50)
LATENT = 12
digits = load_digits()
pictures = (digits.images[..., None] / 8.0 - 1.0).astype("float32")
layouts = np.stack([digits.images < 5, (digits.images >= 5) & (digits.images < 11), digits.images >= 11],
                   axis=-1).astype("float32")


def build_encoder():
    x = keras.Input((8, 8, 1))
    h = layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu")(x)
    h = layers.Flatten()(layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu")(h))
    return keras.Model(x, [layers.Dense(LATENT)(h), layers.Dense(LATENT)(h)], name="encoder")


def build_generator():
    z, layout = keras.Input((LATENT,)), keras.Input((8, 8, 3))
    h = layers.Reshape((8, 8, 8))(layers.Dense(8 * 8 * 8, activation="relu")(z))
    for _ in range(2):
        h = layers.Conv2D(24, 3, padding="same", activation="relu")(layers.concatenate([h, layout]))
    return keras.Model([z, layout], layers.Conv2D(1, 3, padding="same", activation="tanh")(h), name="generator")


def build_discriminator():
    layout, x = keras.Input((8, 8, 3)), keras.Input((8, 8, 1))
    h1 = layers.Conv2D(16, 3, padding="same", activation="leaky_relu")(layers.concatenate([layout, x]))
    h2 = layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu")(h1)
    return keras.Model([layout, x], [h1, h2, layers.Conv2D(1, 3, padding="same")(h2)], name="discriminator")


class LayoutGAN(keras.Model):
    def __init__(self, feature_weight=0.5, kl_weight=0.05):
        super().__init__()
        self.encoder, self.generator, self.discriminator = build_encoder(), build_generator(), build_discriminator()
        self.feature_weight, self.kl_weight = feature_weight, kl_weight
        z, layout = keras.Input((LATENT,)), keras.Input((8, 8, 3))
        fake = self.generator([z, layout])
        self.combined = keras.Model([z, layout], [fake, self.discriminator([layout, fake])])

    def compile(self, lr_g=5e-4, lr_d=2e-3):
        super().compile()
        self.g_optimizer, self.d_optimizer = keras.optimizers.Adam(lr_g, 0.0), keras.optimizers.Adam(lr_d, 0.0)

    def sample(self, mean, log_var):
        return mean + tf.exp(0.5 * log_var) * tf.random.normal(tf.shape(mean))

    def train_step(self, data):
        layout, image = data
        self.discriminator.trainable = True
        fake = self.generator([self.sample(*self.encoder(image)), layout])
        with tf.GradientTape() as tape:
            real_out, fake_out = self.discriminator([layout, image])[-1], self.discriminator([layout, fake])[-1]
            d_loss = tf.reduce_mean(tf.nn.relu(1.0 - real_out)) + tf.reduce_mean(tf.nn.relu(1.0 + fake_out))
        grads = tape.gradient(d_loss, self.discriminator.trainable_variables)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_variables))

        self.discriminator.trainable = False
        with tf.GradientTape() as tape:
            mean, log_var = self.encoder(image, training=True)
            _, (f1, f2, out) = self.combined([self.sample(mean, log_var), layout], training=True)
            r1, r2, _ = self.discriminator([layout, image])
            feature = tf.reduce_mean(tf.abs(r1 - f1)) + tf.reduce_mean(tf.abs(r2 - f2))
            kl = -0.5 * tf.reduce_mean(1 + log_var - tf.square(mean) - tf.exp(log_var))
            g_loss = -tf.reduce_mean(out) + self.feature_weight * feature + self.kl_weight * kl
        all_trainable = self.combined.trainable_variables + self.encoder.trainable_variables
        grads = tape.gradient(g_loss, all_trainable)
        self.g_optimizer.apply_gradients(zip(grads, all_trainable))
        return {"d_loss": d_loss, "feature": feature, "kl": kl}


gan = LayoutGAN()
gan.compile()
gan.fit(tf.data.Dataset.from_tensor_slices((layouts, pictures)).shuffle(1797).batch(64), epochs=4, verbose=2)
