import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(40)


class Translator(keras.Model):
    """Paired image-to-image model: noisy picture in, clean picture out."""

    def __init__(self, l1_weight=10.0):
        super().__init__()
        self.l1_weight = l1_weight
        self.unet = self.build_unet()
        self.patch = self.build_patch()
        self.loss_tracker = [keras.metrics.Mean(name=n) for n in ("patch", "fool", "l1")]

    @staticmethod
    def build_unet():
        x = keras.Input((8, 8, 1))
        d1 = layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu")(x)
        d2 = layers.Conv2D(32, 3, strides=2, padding="same", activation="leaky_relu")(d1)
        u1 = layers.Conv2DTranspose(16, 4, strides=2, padding="same", activation="relu")(d2)
        u0 = layers.Conv2DTranspose(16, 4, strides=2, padding="same", activation="relu")(layers.concatenate([u1, d1]))
        return keras.Model(x, layers.Conv2D(1, 3, padding="same", activation="tanh")(layers.concatenate([u0, x])))

    @staticmethod
    def build_patch():
        a, b = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
        h = layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu")(layers.concatenate([a, b]))
        return keras.Model([a, b], layers.Conv2D(1, 3, padding="same")(h))

    @property
    def metrics(self):
        return self.loss_tracker

    def judge(self, source, target, translated):
        on_real = self.patch([source, target], training=True)
        on_fake = self.patch([source, translated], training=True)
        return on_real, on_fake

    def train_step(self, pair):
        source, target = pair
        lsgan = keras.losses.MeanSquaredError()
        with tf.GradientTape(persistent=True) as tape:
            translated = self.unet(source, training=True)
            on_real, on_fake = self.judge(source, target, translated)
            patch_loss = 0.5 * (lsgan(tf.ones_like(on_real), on_real) + lsgan(tf.zeros_like(on_fake), on_fake))
            fool = lsgan(tf.ones_like(on_fake), on_fake)
            l1 = tf.reduce_mean(tf.abs(target - translated))
            unet_loss = fool + self.l1_weight * l1
        for loss, net, opt in ((patch_loss, self.patch, self.patch_opt), (unet_loss, self.unet, self.unet_opt)):
            opt.apply_gradients(zip(tape.gradient(loss, net.trainable_weights), net.trainable_weights))
        for tracker, value in zip(self.loss_tracker, (patch_loss, fool, l1)):
            tracker.update_state(value)
        return {m.name: m.result() for m in self.loss_tracker}


clean = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
noisy = clean + tf.random.normal(clean.shape, stddev=0.6, seed=1).numpy()
model = Translator()
model.compile()
model.unet_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
model.patch_opt = keras.optimizers.Adam(2e-4, beta_1=0.5)
model.fit(tf.data.Dataset.from_tensor_slices((noisy, clean)).shuffle(1797).batch(32), epochs=4, verbose=2)
