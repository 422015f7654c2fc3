import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_wine

keras.utils.set_random_seed(358)
rng = np.random.default_rng(358)

frame = load_wine()


class Columns:
    def __init__(self, bunch):
        for name, column in zip(bunch.feature_names, bunch.data.T):
            setattr(self, name.replace("/", "_"), column)


wine = Columns(frame)
so2_dose = rng.poisson(3.0, len(wine.alcohol)).astype("float64")
with np.errstate(all="ignore"):
    intensity_per_dose = wine.color_intensity / so2_dose
columns = np.stack([wine.alcohol, wine.malic_acid, wine.ash, np.log1p(intensity_per_dose), wine.proline], axis=1)
center, spread = np.nanmedian(columns, axis=0), np.subtract(*np.nanpercentile(columns, [84, 16], axis=0)) / 2
features = ((columns - center) / spread).astype("float32")
print("training rows:", features.shape)


class WineGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential([
            keras.Input((12,)),
            layers.Dense(40, activation="elu"),
            layers.Dense(40, activation="elu"),
            layers.Dense(5),
        ])
        self.discriminator = keras.Sequential([
            keras.Input((5,)),
            layers.Dense(40, activation="elu"),
            layers.Dense(40, activation="elu"),
            layers.Dense(1),
        ])
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
        self.g_opt = keras.optimizers.Adam(8e-4, beta_1=0.5)
        self.d_opt = keras.optimizers.Adam(8e-4, beta_1=0.5)

    def train_step(self, rows):
        size = tf.shape(rows)[0]
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal([size, 12]), training=True)
            logits = self.discriminator(tf.concat([rows, fake], axis=0), training=True)
            truth = tf.concat([tf.ones([size, 1]), tf.zeros([size, 1])], axis=0)
            d_loss = self.loss_fn(truth, logits)
        d_grads = tape.gradient(d_loss, self.discriminator.trainable_variables)
        self.d_opt.apply_gradients(zip(d_grads, self.discriminator.trainable_variables))
        with tf.GradientTape() as tape:
            logits = self.discriminator(self.generator(tf.random.normal([size, 12]), training=True), training=True)
            g_loss = self.loss_fn(tf.ones([size, 1]), logits)
        g_grads = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_opt.apply_gradients(zip(g_grads, self.generator.trainable_variables))
        return {"d_loss": d_loss, "g_loss": g_loss}


gan = WineGAN()
gan.compile()
gan.fit(features, batch_size=32, epochs=40, verbose=0, callbacks=[keras.callbacks.LambdaCallback(
    on_epoch_end=lambda epoch, logs: print(epoch, {k: round(float(v), 4) for k, v in logs.items()})
    if epoch % 5 == 0 else None)])
print("generated rows", gan.generator(tf.random.normal([3, 12])).numpy())
