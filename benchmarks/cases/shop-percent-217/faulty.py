import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(29)

PAST, NEXT, NOISE, BATCH = 14, 7, 8, 32
WEEK = np.array([0.8, 0.9, 1.0, 1.1, 1.4, 1.6, 0.6])


def sales(days, rng):
    """Daily sales of one shop in thousands; now and then the shop is closed."""
    trend = 1.0 + 0.2 * np.sin(np.arange(days) / 60.0)
    series = trend * WEEK[np.arange(days) % 7] * rng.gamma(40, 1 / 40, days)
    return np.where(rng.random(days) < 0.003, 0.0, series).astype("float32")


series = sales(2600, np.random.default_rng(12))
starts = np.arange(len(series) - PAST - NEXT)
windows = np.stack([series[s:s + PAST + NEXT] for s in starts])
dataset = tf.data.Dataset.from_tensor_slices((windows[:, :PAST], windows[:, PAST:])).batch(BATCH, drop_remainder=True)


class ForecastGAN(keras.Model):
    def __init__(self):
        super().__init__()
        past, noise, week = keras.Input((PAST,)), keras.Input((NOISE,)), keras.Input((NEXT,))
        h = layers.Concatenate()([past, noise])
        h = layers.Dense(64, activation="swish")(h)
        h = layers.Dense(64, activation="swish")(h)
        self.forecaster = keras.Model([past, noise], layers.Dense(NEXT, activation="softplus")(h))
        h = layers.Concatenate()([past, week])
        h = layers.Dense(64, activation="swish")(h)
        h = layers.Dense(32, activation="swish")(h)
        self.judge = keras.Model([past, week], layers.Dense(1)(h))
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)

    def compile(self, f_opt, j_opt, percent_weight):
        super().compile()
        self.f_opt, self.j_opt, self.percent_weight = f_opt, j_opt, percent_weight

    def percent_error(self, target, forecast):
        return tf.reduce_mean(tf.abs(target - forecast) / target)

    def train_step(self, data):
        past, future = data
        noise = tf.random.normal((BATCH, NOISE))
        with tf.GradientTape() as f_tape, tf.GradientTape() as j_tape:
            forecast = self.forecaster([past, noise], training=True)
            real, fake = self.judge([past, future], training=True), self.judge([past, forecast], training=True)
            j_loss = self.bce(tf.ones_like(real), real) + self.bce(tf.zeros_like(fake), fake)
            percent = self.percent_error(future, forecast)
            f_loss = self.bce(tf.ones_like(fake), fake) + self.percent_weight * percent
        for tape, loss, net, opt in ((f_tape, f_loss, self.forecaster, self.f_opt), (j_tape, j_loss, self.judge, self.j_opt)):
            opt.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
        return {"forecaster": f_loss, "judge": j_loss, "percent": percent}


model = ForecastGAN()
model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(2e-3), percent_weight=0.5)
report = keras.callbacks.LambdaCallback(
    on_train_batch_end=lambda batch, logs: print(batch + 1, {k: round(float(v), 4) for k, v in logs.items()}) if batch % 10 == 9 else None
)
model.fit(dataset, epochs=1, verbose=0, callbacks=[report])
